"""Artifacts beside the one of the start, with what they serve and the figures of their cards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from coldstart.serve.releases import Serving, serving_of
from coldstart.serve.reports.artifact_list import artifact_report, card_figures
from coldstart.serve.store import Release, ReleaseArm

ADAPTERS = Path(__file__).parents[3] / "adapters"
STARTED = Serving({"": str(ADAPTERS / "movies")})


def test_shipped_artifacts_tell_their_data_and_figures():
    found = artifact_report(STARTED, STARTED, None)
    by_name = {a.name: a for a in found.artifacts}
    assert found.artifacts[0].name == "movies"
    assert [a.share for a in found.artifacts] == [1.0, 0.0]
    assert (by_name["ml-100k"].users, by_name["ml-100k"].likes) == (942, 55375)
    assert by_name["movies"].requests == 13218
    assert not any(a.problem for a in found.artifacts)
    table = by_name["ml-100k"].figures[0]
    assert table.heading == "Held-out users"
    assert table.columns[0] == "NDCG@10"
    assert table.rows[0][:2] == ["popularity", "0.324 ± 0.042"]
    assert (found.release, found.experiment, found.changeable, found.before) == (0, None, True, [])


def test_a_release_has_shares_and_what_was_served_before():
    arms = (
        ReleaseArm("as started", None, 0.75),
        ReleaseArm("ml-100k", str(ADAPTERS / "ml-100k"), 0.25),
    )
    release = Release(
        2, arms, ((), (ReleaseArm("old", "/srv/old"),)), datetime(2026, 11, 27, tzinfo=UTC)
    )
    found = artifact_report(serving_of(release, STARTED), STARTED, release)
    assert {a.name: a.share for a in found.artifacts} == {"movies": 0.75, "ml-100k": 0.25}
    assert [step.arms for step in found.before] == [["old"], ["movies"]]
    assert (found.release, found.since, found.experiment) == (2, release.at, "release-2")


def test_a_damaged_artifact_says_why_and_folders_that_are_none_are_left_out(tmp_path):
    for name, manifest in (("good", (ADAPTERS / "movies" / "manifest.json").read_text()),
                           ("cut", "{"), ("odd", json.dumps({"base": 7}))):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(manifest)
    (tmp_path / "notes").mkdir()
    started = Serving({"": str(tmp_path / "good")})
    found = {a.name: a for a in artifact_report(started, started, None).artifacts}
    assert found.keys() == {"good", "cut", "odd"}
    assert found["good"].problem == ""
    assert found["cut"].problem == "the manifest cannot be read"
    assert found["odd"].problem == "odd lacks encoder, catalog, prompt, settings"


def test_a_card_without_tables_or_no_card_has_no_figures(tmp_path):
    card = tmp_path / "README.md"
    assert card_figures(card) == []
    card.write_text(
        "# x\n\n| | |\n|---|---|\n| a | b |\n\n## Y\n| m | v |\n|---|---|\n| **n** | 1 |"
    )
    (table,) = card_figures(card)
    assert (table.heading, table.columns, table.rows) == ("Y", ["m", "v"], [["n", "1"]])
