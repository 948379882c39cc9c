from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coldstart.cli import holdout, main
from coldstart.evaluation import scenarios
from coldstart.evaluation.benchmark import BenchmarkPlan
from coldstart.evaluation.case_metrics import COLD_METRICS, METRICS
from tests.toy import toy_dataset

PLAN = BenchmarkPlan((0, 2), support=2, min_targets=1)
FAST = ("popularity", "item_knn", "bm25", "random_items")


@pytest.fixture(scope="module")
def data():
    """The toy world in time: user n's likes are at n, n + 1, …; so everyone overlaps the next."""
    toy = toy_dataset()
    times = {
        u: tuple(float(n + m) for m in range(len(toy.likes[u]))) for n, u in enumerate(toy.likes)
    }
    return replace(toy, times=times)  # fmt: skip


@pytest.fixture
def run(capsys, monkeypatch, tmp_path, data):
    """``coldstart benchmark`` of the toy world, by its tables."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)
    items, likes = tmp_path / "items.csv", tmp_path / "likes.csv"
    rows = [f'{i.item_id},"{i.title}",{i.year}' for i in data.catalog]
    items.write_text("\n".join(["item_id,title,year", *rows]))
    start = 1577836800  # 2020-01-01 in UTC
    rows = [
        f"{u},{i},{start + 86400 * t:.0f}"
        for u in data.likes
        for i, t in zip(data.likes[u], data.times[u], strict=True)
    ]
    likes.write_text("\n".join(["user_id,item_id,timestamp", *rows]))

    def call(*args):
        own = ["--items", items, "--interactions", likes, "--systems", "popularity,bm25",
               "--support", 2, "--shots", "0,2", "--work", tmp_path / "work"]  # fmt: skip
        code = main(["benchmark", *map(str, [*own, *args])])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_temporal_split_by_date(run):
    code, out, err = run("--split", "temporal", "--at", "2020-02-18", "--json", "--min-targets", 2)
    assert code == 0, err
    found = json.loads(out)
    assert found["about"]["split"].startswith("temporal, at 1581984000 (2020-02-18 00:00 UTC): 42")
    assert found["about"]["folds run"] == "0"
    assert "--split temporal --at 2020-02-18 --shots 0,2" in found["about"]["command"]
    assert "--min-targets 2" in found["about"]["command"]
    assert found["metrics"] == list(METRICS)


def test_cold_items(run, tmp_path):
    code, out, err = run("--split", "items", "--folds", 3, "--share", 0.3, "--out", tmp_path / "r")
    assert code == 0, err
    assert "NDCG@10 among cold items only" in out
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["metrics"] == list(COLD_METRICS)
    assert "--split items --folds 3 --share 0.3 --cold random" in found["about"]["command"]
    assert (tmp_path / "r.html").read_text().count("<h2>NDCG@10 among cold items only</h2>") == 1
    code, out, err = run("--split", "items", "--cold", "newest", "--share", 0.3, "--json")
    assert code == 0, err
    assert "those of the latest years" in json.loads(out)["about"]["split"]


def test_defaults_are_written_out(run):
    temporal = json.loads(run("--split", "temporal", "--json", "--min-targets", 1)[1])
    assert "--split temporal --quantile 0.8 " in temporal["about"]["command"]
    users = json.loads(run("--json", "--min-targets", 1)[1])
    assert "--systems popularity,bm25 --folds 5 --shots" in users["about"]["command"]
    assert "split" not in users["about"]


def test_the_defaults_of_the_command_are_those_of_the_library():
    """Kept apart, so that help needs no numpy."""
    assert (holdout.QUANTILE, holdout.SHARE) == (scenarios.QUANTILE, scenarios.SHARE)


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--split", "magic"], ["--split"]),
        (["--at", 3], ["--at says nothing about --split users", "belongs to --split temporal"]),
        (["--share", 0.1], ["--share says nothing", "belongs to --split items"]),
        (["--split", "temporal", "--folds", 3], ["--folds", "--split users and --split items"]),
        (["--split", "temporal", "--cold", "newest"], ["--cold says nothing about"]),
        (["--split", "temporal", "--at", 3, "--quantile", 0.5], ["--at and --quantile"]),
        (["--split", "temporal", "--at", "soon"], ["--at 'soon' is no moment", "1998-03-01"]),
        (["--split", "temporal", "--at", "nan"], ["--at 'nan' is no moment"]),
        (["--split", "temporal", "--at", "1970-01-02"], ["there is nobody trained on"]),
        (["--split", "temporal", "--quantile", 2], ["quantile is 2", "in (0, 1)"]),
        (["--split", "temporal", "--only", 1], ["no fold 1", "there is one fold"]),
        (["--split", "items", "--share", 2], ["share is 2", "in (0, 1)"]),
        (["--split", "items", "--cold", "oldest"], ["--cold"]),
        (["--min-targets", 0], ["--min-targets"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(run, args, parts):
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if not line.startswith("Read ")]  # the tables
    assert len(lines) == 1
    assert "(hint: " in err
    assert all(part in err for part in parts), err


def test_the_help_says_what_is_new(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "What is new" in out
    assert "coldstart benchmark --data ml-100k --split temporal --quantile 0.8" in out
