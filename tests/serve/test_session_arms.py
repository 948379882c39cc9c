"""Arms of an experiment over sessions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from coldstart.cli import main
from coldstart.errors import ConfigError
from coldstart.serve.experiment import Experiment, arm_reports
from coldstart.serve.store import ArmOutcome, Store
from tests.serve.helpers import begin, serving
from tests.toy import toy_recommender


def test_sessions_are_dealt_to_arms_and_stay_there(tmp_path):
    test = Experiment.model_validate(
        {"name": "t", "arms": [{"name": "a", "artifact": "x"}, {"name": "b", "artifact": "y"}]}
    )
    asked = {"x": 0, "y": 0}

    def load(folder):
        rec = toy_recommender()
        once = rec.pipeline.run

        def run(*args, **options):
            asked[folder] += 1
            return once(*args, **options)

        rec.pipeline.run = run
        return rec

    with serving(tmp_path, load, test, {"a": "x", "b": "y"}) as client:
        for _ in range(12):
            at = begin(client)
            arm = client.get(at).json()["session"]["arm"]
            assert arm == test.arm_of(at.rpartition("/")[2])
            before = dict(asked)
            client.get(at + "/recommendations?strategy=prior")
            moved = [folder for folder in asked if asked[folder] > before[folder]]
            assert moved == [{"a": "x", "b": "y"}[arm]]
            client.post(at + "/feedback", json={"item_id": "i1", "kind": "like"})
        got = {o.arm: o for o in client.service.store.outcomes("t")}
        assert sum(o.sessions for o in got.values()) == 12
        assert all(o.likers == o.sessions == o.exposures for o in got.values())
        client.put("/v1/items/new", json={"title": "Newcomer"})
        arms = client.service.worker._arms
        assert all("new" in rec.catalog for rec in arms.values())


TOML = """
name = "ranker"
[[arms]]
name = "old"
artifact = "a"
weight = 3
[[arms]]
name = "new"
artifact = "b"
"""


def test_arms_get_their_share_and_everybody_stays(tmp_path):
    file = tmp_path / "ab.toml"
    file.write_text(TOML)
    test = Experiment.load(file)
    ids = [f"s{n}" for n in range(8000)]
    dealt = [test.arm_of(i) for i in ids]
    assert dealt == [test.arm_of(i) for i in ids]
    assert dealt.count("old") / len(ids) == pytest.approx(0.75, abs=0.02)
    other = test.model_copy(update={"name": "another"})
    both = sum(a == other.arm_of(i) for a, i in zip(dealt, ids, strict=True)) / len(ids)
    assert both == pytest.approx(0.75**2 + 0.25**2, abs=0.02)  # dealt anew


def test_artifacts_are_looked_for_beside_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    file = tmp_path / "ab.toml"
    file.write_text(TOML)
    assert Experiment.load(file).artifacts(tmp_path) == {
        "old": str(tmp_path / "a"),
        "new": str(tmp_path / "b"),
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: "{", "not TOML"),
        (lambda t: t.replace('name = "new"', 'name = "old"'), "two arms of one name"),
        (lambda t: t.replace("weight = 3", "weight = 0"), "arms.0.weight"),
        (lambda t: t.replace("weight", "wieght"), "wieght"),
        (lambda t: t[: t.rindex("[[arms]]")], "at least 2"),
    ],
)
def test_a_wrong_experiment_is_refused(change, told, tmp_path):
    file = tmp_path / "ab.toml"
    file.write_text(change(TOML))
    with pytest.raises(ConfigError, match=told):
        Experiment.load(file)


def test_a_gain_that_is_there_is_found_and_one_that_is_not_is_not():
    same = arm_reports([ArmOutcome("a", 400, 900, 300, 100), ArmOutcome("b", 400, 900, 300, 104)])
    assert same[0].gain is None
    assert same[1].gain == pytest.approx(0.01)
    assert same[1].gain_interval[0] < 0 < same[1].gain_interval[1]
    more = arm_reports([ArmOutcome("a", 400, 900, 300, 100), ArmOutcome("b", 400, 900, 600, 200)])
    assert 0 < more[1].gain_interval[0] < 0.25 < more[1].gain_interval[1]
    width = np.diff(more[1].gain_interval)[0]
    usual = 2 * 1.96 * np.sqrt(0.25 * 0.75 / 400 + 0.5 * 0.5 / 400)  # normal approximation
    assert width == pytest.approx(usual, rel=0.1)
    assert arm_reports([]) == []
    assert arm_reports([ArmOutcome("a", 0, 0, 0, 0)])[0].share is None


def test_the_report_of_the_command_is_that_of_the_store(tmp_path, capsys):
    file, db = tmp_path / "ab.toml", tmp_path / "p.db"
    file.write_text(TOML)
    with Store.open(f"sqlite:///{db}") as store:
        for n in range(6):
            store.create("{}", artifact="a", experiment="ranker", arm="new" if n % 2 else "old")
    assert main(["serve", "ab-report", str(file), "--db", str(db), "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert [(a["arm"], a["sessions"], a["share"]) for a in got["arms"]] == [
        ("old", 3, 0.0),
        ("new", 3, 0.0),
    ]
    assert main(["serve", "ab-report", str(file), "--db", str(db)]) == 0
    assert "0.000 [0.000, 0.561]" in capsys.readouterr().out
