"""``coldstart train --requests``: what it passes on, refuses and reports; a tiny run."""

from __future__ import annotations

import json
import shutil

import pytest

from coldstart.training.requests import artifact
from tests.cli.helpers import fails
from tests.conftest import ROOT
from tests.tiny_bert import save_tiny_bert

START = ROOT / "tests" / "data" / "small" / "artifact"
REQUESTS = (
    ("scary battles", "i8", "train"),
    ("a gangster adventure please", "i19", "train"),
    ("a film about toys", "i0", "train"),
    ("toys that come alive", "i0", "valid"),
    ("scary battles tonight", "i8", "valid"),
    ("toys", "i2", "test"),
)


@pytest.fixture
def requests(tmp_path):
    """One's own requests beside their table of items."""
    folder = tmp_path / "own"
    folder.mkdir()
    items = (START / "catalog.jsonl").read_text(encoding="utf-8")
    (folder / "items.jsonl").write_text(items, encoding="utf-8")
    lines = [json.dumps({"text": t, "chosen": [i], "split": s}) for t, i, s in REQUESTS]
    (folder / "requests.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def given(monkeypatch):
    """Replace the training by one that reports a little; returns what it was given."""
    found = {}

    def train(log, start, out, config, **options):
        found.update(log=log, start=start, out=out, config=config, **options)
        for row in (
            {"stage": "encoder", "epoch": 1, "epochs": 1, "step": 1, "steps": 2, "loss": 1.0},
            {"stage": "encoder", "epoch": 1, "epochs": 1, "step": 2, "steps": 2, "loss": 2.0},
            {"stage": "head", "epoch": 1, "epochs": 1, "step": 1, "steps": 1, "loss": 1.0},
            {"stage": "blend", "step": 1, "steps": 1},
            {"stage": "reading", "epoch": 1.0, "epochs": 2, "valid_loss": 1.0, "best_epoch": 1},
        ):
            options["report"](row)
        out.mkdir(exist_ok=True)
        validation = {"cases": 2, "ndcg@10": 0.5, "popularity_ndcg@10": 0.25}
        requests = {"train": 3, "valid": 2, "blend_cases": 2, "validation": validation}
        return {"name": out.name, "requests": requests}

    monkeypatch.setattr(artifact, "train_requests", train)
    return found


@pytest.mark.parametrize(
    "option",
    [("--encoder-epochs", 1), ("--head-epochs", 9), ("--reading-epochs", 2), ("--no-final",)],
)
def test_options_without_requests_are_refused(run, tmp_path, option):
    err = fails(run("train", "--data", "ml-100k", "--out", tmp_path / "out", *option))
    assert f"{option[0]} without --requests (hint: give --requests PATH)" in err


def test_a_start_is_needed(run, requests, tmp_path, given):
    fails(
        run("train", "--requests", requests, "--out", tmp_path / "out"),
        "--requests without --start",
        "--start adapters/ml-100k",
    )
    assert not given


def test_what_is_no_log_of_requests_is_refused(run, tmp_path, given):
    more = ("--start", START, "--out", tmp_path / "out")
    fails(run("train", "--requests", tmp_path / "none", *more), "none: no such file or folder")
    (tmp_path / "empty").mkdir()
    fails(run("train", "--requests", tmp_path / "empty", *more), "no requests in this folder")
    assert not given


def test_a_folder_that_is_no_artifact_is_not_replaced(run, requests, tmp_path, given):
    mine = tmp_path / "out" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    out = ("--start", START, "--out", tmp_path / "out")
    fails(run("train", "--requests", requests, *out), "exists and is no artifact")
    assert not given


def test_everything_is_passed_on(run, requests, tmp_path, given):
    code, out, err = run(
        "train", "--requests", requests, "--start", START, "--out", tmp_path / "out",
        "--encoder-epochs", 0, "--head-epochs", 5, "--reading-epochs", 2, "--no-final",
        "--seed", 7, "--runs", tmp_path / "runs", "--dtype", "float32",
    )  # fmt: skip
    assert code == 0, err
    assert "requests: 24 items; requests: 3 train, 2 valid, 1 test" in err
    told = " ".join(out.split())
    assert "learned what people ask for from 3 requests, its weights from 2 others" in told
    assert "NDCG@10 0.500 on the 2 requests that set the weights; the most popular items" in told
    assert "coldstart recommend --artifact" in told
    assert f"coldstart benchmark --requests {requests} --artifact {tmp_path / 'out'}" in told
    for line in (
        "request encoder, epoch 1 of 1: loss 1.500",
        "reading sentences, epoch 1 of 2: loss 1.000 on held-out ones; the best so far",
    ):
        assert line in err.splitlines()
    tower = given["config"].tower
    assert (tower.epochs, tower.head_epochs, tower.seed, tower.bfloat16) == (0, 5, 7, False)
    config = given["config"]
    assert (config.reading_epochs, config.final, config.seed) == (2, False, 7)
    assert (given["start"], given["out"]) == (START, tmp_path / "out")
    assert (given["runs"], given["data"]) == (tmp_path / "runs", None)


def test_interactions_may_be_added(run, requests, tmp_path, given):
    table = tmp_path / "ratings.csv"
    rows = [f"u{n},i{n % 24},5" for n in range(30)]
    table.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    code, _, err = run(
        "train", "--requests", requests, "--start", START, "--out", tmp_path / "out",
        "--items", requests / "items.jsonl", "--interactions", table,
    )  # fmt: skip
    assert code == 0, err
    data, split = given["data"]
    assert len(data.likes) == 30
    assert {*split.train, *split.valid, *split.test} == set(data.likes)


def test_a_tiny_run(run, requests, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    start = tmp_path / "start"
    shutil.copytree(START, start)
    manifest = json.loads((start / "manifest.json").read_text())
    manifest["encoder"]["name"] = str(save_tiny_bert(tmp_path / "tiny"))
    (start / "manifest.json").write_text(json.dumps(manifest))
    out = tmp_path / "out"
    code, text, err = run(
        "train", "--requests", requests, "--start", start, "--out", out, "--runs",
        tmp_path / "runs", "--encoder-epochs", 1, "--head-epochs", 1, "--json",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(text)
    assert found["requests"]["train"] == 3
    validation = found["requests"]["validation"]
    assert validation["cases"] == found["requests"]["blend_cases"]
    assert 0 <= validation["popularity_ndcg@10"] <= 1
    assert 0 < validation["ndcg@10"] <= 1
    assert found["name"] == "out"
    code, text, err = run(
        "recommend", "--artifact", out, "--about", "scary battles", "--strategy", "prior",
        "-k", 3, "--json",
    )  # fmt: skip
    assert code == 0, err
    assert len(json.loads(text)["items"]) == 3
