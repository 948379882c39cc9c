from __future__ import annotations

import json

import pytest

from coldstart.cli import main
from tests.toy import toy_dataset


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)

    def call(*args):
        code = main(["benchmark", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (
            [],
            [
                "no data was given",
                "--data ml-100k, --data ml-small, --data movies, or --items FILE",
            ],
        ),
        (["--data", "ml-100k", "--items", "x.csv"], ["--data and own tables"]),
        (["--data", "ml-small", "--items", "x.csv"], ["--data and own tables"]),
        (["--data", "ml-small", "--like-at", 3], ["are for own tables"]),
        (["--items", "x.csv"], ["own tables without --interactions", "--data ml-small"]),
        (["--data", "ml-1b"], ["--data"]),
        (["--data", "ml-100k", "--systems", "magic"], ["no system 'magic'", "hint: all, or some"]),
        (["--data", "ml-100k", "--systems", ","], ["no system to run"]),
        (["--data", "ml-100k", "--shots", "a"], ["--shots 'a'", "whole numbers"]),
        (["--data", "ml-100k", "--shots=-1"], ["--shots '-1'"]),
        (["--data", "ml-100k", "--only", ""], ["--only ''"]),
        (["--data", "ml-100k", "--only", "7"], ["no fold 7", "folds are 0 to 4"]),
        (["--data", "ml-100k", "--shots", "11"], ["shots (11,), support 10"]),
        (["--data", "ml-100k", "--folds", "1"], ["--folds"]),
        (["--data", "ml-100k", "--folds", "5000"], ["942 users make no 5000 folds"]),
        (["--data", "ml-100k", "--support", "5000"], ["none of the", "lower --support or --min-t"]),
        (["--data", "ml-100k", "--regime", "mood"], ["--regime"]),
        (["--data", "ml-100k", "--systems", "ease", "--against", "x"], ["--against 'x'", "ease"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(run, args, parts, tmp_path):
    code, out, err = run(*args, "--work", tmp_path)
    assert (code, out) == (2, "")
    (line,) = [x for x in err.splitlines() if " is left out: needs " not in x]
    assert "(hint: " in line
    assert all(part in line for part in parts), err


def test_help_has_examples(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "coldstart benchmark --data ml-100k --only 0 --systems popularity,later_lift" in out


def test_own_tables(run, tmp_path, data):
    items, likes = tmp_path / "items.csv", tmp_path / "likes.csv"
    titles = [f'{i.item_id},"{i.title}"' for i in data.catalog]
    items.write_text("\n".join(["item_id,title", *titles]))
    rows = [f"{u},{i},{n}" for u, x in data.likes.items() for n, i in enumerate(x)]
    likes.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    code, out, _ = run(
        "--items", items, "--interactions", likes, "--systems", "popularity,ease", "--folds", 3,
        "--support", 3, "--shots", "0,3", "--work", tmp_path / "work", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert found["about"]["test users"] == "60"
    assert found["served"] == []


def test_a_slice_of_movielens(run, tmp_path):
    args = ["--data", "ml-100k", "--only", 0, "--systems", "popularity,later_lift",
            "--shots", "0,5", "--work", tmp_path / "work", "--out", tmp_path / "bm"]  # fmt: skip
    code, out, err = run(*args)
    assert code == 0, err
    assert "later_lift" in out
    assert (tmp_path / "bm.html").read_text().startswith("<!DOCTYPE html>")
    found = json.loads((tmp_path / "bm.json").read_text())
    assert found["about"]["command"].startswith("coldstart benchmark --data ml-100k --systems pop")
    value = {(m["system"], m["shots"]): m for m in found["means"] if m["metric"] == "ndcg@10"}
    assert {m["users"] for m in value.values()} == {162}
    assert 0.25 < value["popularity", 0]["value"] < 0.45
    assert value["later_lift", 5]["value"] > value["popularity", 5]["value"]
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "work").iterdir()}
    assert run(*args)[1] == out
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "work").iterdir()} == files
