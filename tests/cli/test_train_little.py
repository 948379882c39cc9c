"""``coldstart train`` with a catalog alone, without a like, and with few users: in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coldstart import Recommender
from coldstart.artifacts.format import load
from coldstart.training import worth
from coldstart.training.worth import Amount
from tests.cli.helpers import fails
from tests.conftest import ROOT
from tests.toy import save_tiny_base

SHOP = ROOT / "examples" / "shop.csv"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Options of a table of items, with models that load at once; the rest is the test's."""
    monkeypatch.setenv("COLUMNS", "300")
    lines = SHOP.read_text(encoding="utf-8").splitlines()[:41]
    items = tmp_path / "items.csv"
    items.write_text("\n".join(lines) + "\n", encoding="utf-8")
    base = save_tiny_base(tmp_path / "base")
    models = ("--base", base, "--encoder", "ngrams", "--out", tmp_path / "out")
    return ("train", "--items", items, "--runs", tmp_path / "runs", *models)


def interactions(tmp_path, users, likes):
    path = tmp_path / "ratings.csv"
    ids = [line.split(",")[0] for line in Path(tmp_path / "items.csv").read_text().splitlines()[1:]]
    rows = [f"u{n},{ids[(n % 4 + m) % len(ids)]},5" for n in range(users) for m in range(likes)]
    path.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    return path


def test_a_catalog_alone_is_enough(run, start, tmp_path):
    code, out, err = run(*start)
    assert code == 0, err
    assert "learned    counted: nothing yet" in out
    assert "trees: pays from" in out
    assert "language model: pays from" in out
    assert "how good   not compared" in out
    folder = tmp_path / "out"
    assert f"coldstart serve --artifact {folder} --open --db visits.db" in out
    rec = Recommender.from_pretrained(tmp_path / "out")
    assert len(rec.catalog) == 40
    assert rec.counts.n_users == 0
    assert len(rec.recommend({"about": "a gift"}, strategy="prior", k=5)) == 5


def test_a_header_without_rows_is_no_error(run, start, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating\n")
    code, _, err = run(*start, "--interactions", path)
    assert code == 0, err
    assert "ratings.csv has a header and no rows: no interactions yet" in err
    assert load(tmp_path / "out").counts.n_users == 0


def test_forty_users_with_eight_likes_are_counted_and_told_as_little(run, start, tmp_path):
    ratings = interactions(tmp_path, 40, 8)
    code, out, err = run(*start, "--interactions", ratings, "--epochs", 3, "--json")
    assert code == 0, err
    found = json.loads(out)["refreshed"]
    assert (found["users"], found["likes"]) == (40, 320)
    assert {part["part"]: part["pays"] for part in found["parts"]} == {
        "trees": False,
        "requests": False,
        "language model": False,
    }
    assert "--epochs: of no effect" in err
    assert "--everything trains it all the same" in err
    artifact = load(tmp_path / "out")
    assert artifact.counts.n_users == 40
    assert artifact.ranker.trees is None
    assert not any(name.startswith("adapter/") for name in artifact.files)


def test_with_three_users_nobody_is_held_out(run, start, tmp_path):
    code, out, err = run(*start, "--interactions", interactions(tmp_path, 3, 4))
    assert code == 0, err
    assert "counted: 3 users with 12 likes" in out


def test_what_pays_depends_on_the_thresholds_alone(run, start, tmp_path, monkeypatch):
    none = {part: Amount() for part in worth.THRESHOLDS}
    given = none | {"language model": Amount(users=10**6)}
    monkeypatch.setattr(worth, "THRESHOLDS", given)
    code, out, err = run(*start, "--interactions", interactions(tmp_path, 120, 8), "--json")
    assert code == 0, err
    found = json.loads(out)["refreshed"]
    assert found["comparisons"]["trees"]["users"] == 36
    assert found["comparisons"]["trees"]["kept"] in ("after", "before")
    assert 0 < found["popularity"] < 1
    code, out, _ = run(*start, "--interactions", tmp_path / "ratings.csv")
    assert (
        "on 36 held-out users, by whom it was chosen; "
        f"the most popular items have {found['popularity']:.3f}" in out
    )


def test_ratings_without_a_like_are_still_an_error(run, start, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating\nu1,T001,1\nu2,T002,2\n")
    fails(run(*start, "--interactions", path))
