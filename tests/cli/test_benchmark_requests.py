from __future__ import annotations

import json

import pytest

from coldstart.cli import main
from tests.evaluation.requests.made_up import made_log


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)

    def call(*args):
        code = main(["benchmark", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def folder(tmp_path):
    log = made_log()
    items = [f'{i.item_id},"{i.title}",{i.year},"{i.description}"' for i in log.catalog]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,title,year,description", *items]))
    lines = [
        {
            "text": r.text,
            "chosen": [c.item_id for c in r.chosen],
            "mentioned": [{"item": m.item_id, "liked": True} for m in r.mentioned],
            "dialogue": r.dialogue,
            "first": r.first,
            "split": part,
        }
        for part in ("train", "valid", "test")
        for r in getattr(log, part)
    ]
    (tmp_path / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


SYSTEMS = "popularity,bm25,memory_words+popularity"


def test_own_requests(run, folder, tmp_path):
    out = tmp_path / "out" / "made"
    code, text, err = run("--requests", folder, "--systems", SYSTEMS, "--out", out)
    assert code == 0, err
    assert "wrote" in err
    assert "All requests" in text
    assert "R@10 less that of" in text
    data = json.loads((out.parent / "made.json").read_text())
    assert list(data["systems"]) == SYSTEMS.split(",")
    assert data["about"]["requests judged"] == "40"
    assert f"--requests {folder}" in data["about"]["command"]


def test_json_limit_and_a_reference(run, folder):
    args = ("--requests", folder / "requests.jsonl", "--items", folder / "items.csv", "--json")
    code, text, err = run(*args, "--systems", SYSTEMS, "--limit", 7, "--against", "popularity")
    assert code == 0, err
    data = json.loads(text)
    assert data["about"]["requests judged"] == "7"
    assert {p["reference"] for p in data["test"]["paired"]} == {"popularity"}
    assert run(*args, "--systems", SYSTEMS, "--limit", 7, "--against", "popularity")[1] == text


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--requests", "nowhere"], ["nowhere: no such file or folder", "requests.jsonl"]),
        (["--limit", 5], ["--limit without --requests"]),
        (["--against-published", "he2023"], ["--against-published without --requests"]),
        (["--requests", "x", "--data", "ml-100k"], ["--data with --requests"]),
        (["--requests", "FOLDER", "--systems", "magic"], ["no system 'magic'", "ablations"]),
        (["--requests", "FOLDER", "--systems", ","], ["no system to run"]),
        (["--requests", "FOLDER", "--systems", "bm25", "--against", "x"], ["--against 'x'"]),
        (["--requests", "FOLDER", "--artifact", "gone", "--systems", "trained:prior"], ["gone"]),
        (["--requests", "FOLDER", "--systems", "trained:prior"], ["no system 'trained:prior'"]),
        (["--requests", "FOLDER", "--against-published", "he2023"], ["cases.parquet: No such"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(run, folder, args, parts):
    args = [folder if a == "FOLDER" else a for a in args]
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert "(hint: " in line
    assert all(part in line for part in parts), err


def test_help_teaches_both_ways(run):
    out = run("--help")[1]
    assert "coldstart benchmark --requests redial --systems popularity,bm25,blend" in out
    assert "--against-published" in out
