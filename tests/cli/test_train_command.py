"""``coldstart train``: what it passes on, reports and refuses."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from types import ModuleType

import pytest

from tests.cli.helpers import fails

train_command = import_module("coldstart.cli.train")  # the package has the function by this name

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def trained(monkeypatch):
    """Replace the training run by one that reports a little; returns what it was given."""
    given = {}

    def train(data, split, config, out, *, report, resume, runs):
        given.update(data=data, split=split, config=config, out=out, resume=resume, runs=runs)
        row = {"valid_loss": 1.23456, "valid_ndcg@10_k0": 0.4, "best_epoch": 0}
        report({"stage": "epoch", "epoch": 0, **row})
        for step in (1, 2):
            report({"stage": "train", "epoch": 0, "step": step, "steps": 2, "loss": 0.5, "lr": 0.1})
        report({"stage": "ranker", "step": 1, "steps": 1})
        row = {"valid_loss": 1.0, "valid_ndcg@10_k0": 0.5, "best_epoch": 1, "seconds": 75.0}
        report({"stage": "epoch", "epoch": 1, **row})
        out.mkdir(exist_ok=True)
        (out / "manifest.json").write_text("{}")
        figures = {
            "catalog_k0": 0.36,
            "popularity_k0": 0.3,
            "catalog_k5": 0.2,
            "popularity_k5": 0.3,
        }
        best = {"best_epoch": given.get("best", 1), "history": [{}, {}]}
        return {
            "name": data.name,
            "data": {"users": 20, "likes": 1234},
            "split": {"train": 14, "valid": 2, "test": 4},
            "validation": best | {"ranker_ndcg@10": figures},
        }

    module = ModuleType("coldstart.training.run")
    module.train = train
    monkeypatch.setitem(sys.modules, "coldstart.training.run", module)
    monkeypatch.setattr(train_command, "too_little", lambda data, split: False)
    return given


@pytest.fixture
def tables(tmp_path):
    items, interactions = tmp_path / "items.csv", tmp_path / "ratings.csv"
    items.write_text("item_id,title\n1,Alien\n2,Fargo\n")
    rows = [f"u{n},{1 + n % 2},{5 - n % 3}" for n in range(20)]
    interactions.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    return ["--items", items, "--interactions", interactions, "--out", tmp_path / "out"]


def test_train_passes_everything_on_and_reports(run, trained, tables, tmp_path):
    code, out, err = run(
        "train", *tables, "--epochs", 2, "--objective", "branch", "--learning-rate", 0.01,
        "--seed", 3, "--like-at", 5, "--dislike-at", 3, "--no-resume", "--runs", tmp_path / "runs",
    )  # fmt: skip
    assert code == 0
    config = trained["config"]
    assert (config.epochs, config.objective, config.learning_rate) == (2, "branch", 0.01)
    assert (config.seed, config.tau) == (3, 0.2)
    assert trained["out"] == tmp_path / "out"
    assert trained["runs"] == tmp_path / "runs"
    assert trained["resume"] is False
    assert trained["data"].name == "ratings"
    assert set(trained["data"].likes) == {f"u{n}" for n in range(0, 20, 3)}
    everyone = {*trained["split"].train, *trained["split"].valid, *trained["split"].test}
    assert everyone == set(trained["data"].likes)
    told = " ".join(out.split())
    for line in (
        "learned counts from 14 of 20 users, with 1,234 likes in all",
        "a language model's adapter: epoch 1 of 1 ranked best",
        "how good NDCG@10 0.360 on 2 validation users without picks; the most popular items have "
        "0.300 (+20%)",
        "NDCG@10 0.200 on 2 validation users with 5 picks; the most popular items have 0.300 "
        "(-33%); no better than these",
        f"where {tmp_path / 'out'}, 0.0 MB, in ",
        f"next coldstart recommend --artifact {tmp_path / 'out'} --about '…'",
        f"coldstart evaluate {tmp_path / 'out'} --items {tables[1]} --interactions {tables[3]}",
    ):
        assert line in told
    assert err.splitlines()[-2:] == [
        "language model, before training: NDCG@10 0.400 without picks",
        "language model, epoch 1 of 2, 1 min 15 s: NDCG@10 0.500 without picks; the best so far",
    ]


def test_quiet_leaves_the_summary_and_errors(run, trained, tables):
    code, out, err = run("train", *tables, "--quiet")
    assert (code, err) == (0, "")
    assert "how good" in out
    assert "error: " in run("train", *tables, "--quiet", "--tau", -1)[2]
    assert "before training" in run("train", *tables)[2]


def test_an_adapter_that_never_got_better_is_said_to_be_untrained(run, trained, tables):
    assert "no adapter" not in run("train", *tables)[1]
    trained["best"] = 0
    assert "no adapter: no epoch ranked better" in run("train", *tables)[1]


def test_train_takes_a_split(run, trained, tables, tmp_path):
    split = {"train": ["u0"], "valid": ["u3"], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(split))
    code, out, _ = run("train", *tables, "--split", tmp_path / "split.json", "--json")
    assert code == 0
    assert json.loads(out)["validation"]["best_epoch"] == 1
    assert trained["split"].valid == ("u3",)


def test_train_refuses_what_makes_no_sense(run, trained, tables, tmp_path):
    out = tables[-2:]
    fails(run("train", *out), "no data was given", "--data ml-small, --data movies, or --items")
    fails(run("train", *tables[:2], "--users", "x", *out), "--users without interactions")
    fails(run("train", *tables[2:]), "own tables without --items")
    fails(run("train", "--users", tables[1], *out), "own tables without --items")
    fails(run("train", "--data", "ml-100k", *tables), "--data and own tables (--items, --inter")
    fails(run("train", "--data", "ml-small", "--users", "x", *out), "own tables (--users)")
    fails(run("train", "--data", "netflix", *out), "--data")
    fails(run("train", "--data", "ml-100k", "--like-at", 3, *out), "own tables", "are 4 and 2")
    fails(run("train", *tables, "--dislike-at", 4), "--dislike-at 4 is not below --like-at 4")
    fails(run("train", *tables, "--tau", -1), "tau is -1")
    fails(run("train", *tables[:4]), "--out")
    fails(run("train", *tables, "--split", tmp_path / "none.json"), "none.json is no split file")
    assert not trained


def test_train_never_replaces_a_folder_that_is_no_artifact(run, trained, tables, tmp_path):
    mine = tmp_path / "out" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    fails(run("train", *tables), "exists and is no artifact")
    (tmp_path / "out" / "manifest.json").write_text("{}")
    assert run("train", *tables)[0] == 0
