"""``coldstart benchmark --regime nothing|growing``."""

from __future__ import annotations

import json

import pytest

from coldstart.cli import main
from coldstart.evaluation.zero_shot import cloze, model
from tests.fakes_lm import tiny_llama
from tests.toy import toy_dataset


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")

    def call(*args):
        code = main(["benchmark", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def tables(tmp_path):
    """Options of the toy data as tables of one's own."""
    data = toy_dataset()
    items, likes = tmp_path / "items.csv", tmp_path / "likes.csv"
    titles = [f'{i.item_id},"{i.title}","{"; ".join(i.categories)}"' for i in data.catalog]
    items.write_text("\n".join(["item_id,title,categories", *titles]))
    rows = [f"{u},{i},{n}" for u, own in data.likes.items() for n, i in enumerate(own)]
    likes.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    return "--items", items, "--interactions", likes, "--support", 3, "--min-targets", 1


def test_a_curve_from_nothing(run, tables, tmp_path):
    out = tmp_path / "growing"
    code, text, err = run(
        *tables, "--regime", "growing", "--events", "0,20", "--shots", "1", "--out", out, "--json"
    )
    assert code == 0, err
    found = json.loads(text)
    assert found["steps"][:2] == [0, 20]
    named = {point["system"] for point in found["curves"]}
    assert named == {"popularity", "item_knn", "item_knn_prior", "content_alone", "from_nothing"}
    assert "--regime growing" in found["about"]["command"]
    assert "--events 0,20" in found["about"]["command"]
    assert (tmp_path / "growing.md").read_text().startswith("# From nothing: likes")


def test_before_the_first_like(run, tables, monkeypatch, tmp_path):
    monkeypatch.setattr(model, "packaged_model", lambda: model.UntunedModel(tiny_llama(), "tiny"))
    monkeypatch.setattr(model, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(cloze, "VERBALIZER", (("good",), ("bad",)))
    code, text, err = run(*tables, "--regime", "nothing", "--shots", "1", "--limit", 3, "--json")
    assert code == 0, err
    found = json.loads(text)
    assert found["steps"] == [0]
    ours = {g["other"] for g in found["gains"]}
    assert ours == {
        "random_items",
        "catalog_order",
        "catalog_popularity",
        "bm25",
        "text_retrieval",
        "promptrec",
        "untuned_lm",
        "untuned_lm_lift",
    }
    assert {p["users"] for p in found["curves"]} == {3}
    assert "--limit 3" in found["about"]["command"]
    assert found["about"]["users who ask"].endswith("; 3 drawn of those who have")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--regime", "picks", "--events", "0"], ["--events without --regime growing"]),
        (["--regime", "nothing", "--events", "0"], ["--events without --regime growing"]),
        (["--regime", "growing", "--events", "x"], ["--events 'x'", "whole numbers"]),
        (["--regime", "growing", "--tune"], ["--tune with --regime growing"]),
        (["--regime", "growing", "--only", "9"], ["no fold 9", "folds are 0 to 4"]),
        (["--regime", "growing", "--shots", "9"], ["shots (9,), support 3"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(run, tables, args, parts):
    code, out, err = run(*tables, *args)
    assert (code, out) == (2, "")
    line = err.splitlines()[-1]
    assert "(hint: " in line
    assert all(part in line for part in parts), err
