"""``coldstart start``: a table in, a list or an artifact out, and tables that make no catalog."""

from __future__ import annotations

import json

import pytest

from coldstart.recommender import Recommender
from tests.cli.helpers import fails
from tests.toy import save_tiny_base

ROWS = "sku,name,category,price,stock,sold,description\n" + "".join(
    f"{n},{what} {n},{kind},€{n}.50,{n % 5},{n * 10},A fine {what.lower()} for every single day.\n"
    for n, (what, kind) in enumerate([("Oak chair", "Chairs"), ("Green tea", "Tea")] * 10, start=1)
)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    base = save_tiny_base(tmp_path_factory.mktemp("base"))
    return ("--encoder", "ngrams", "--base", base, "--dtype", "float32")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_table_becomes_an_artifact_that_other_commands_take(run, table, tmp_path, models):
    out = tmp_path / "shop"
    code, shown, said = run("start", table, "--out", out, *models)
    assert code == 0, said
    assert "item_id ← sku, title ← name" in said
    assert "popularity ← sold" in said
    assert "prices in EUR" in said
    assert "20 items, all with descriptions, categories, sales or votes and prices" in said
    assert "the language model is left out" in said
    assert "Shown to a new person" in shown
    assert f"coldstart recommend --artifact {out}" in shown
    code, shown, _ = run("recommend", "--artifact", out, "--about", "green tea", "--json")
    assert code == 0
    assert all("tea" in line["title"] for line in json.loads(shown)["items"][:5])
    code, shown, _ = run("info", out)
    assert (code, "Chairs, Tea" in shown) == (0, True)
    fails(run("evaluate", out), "has no held-out users", "--sentences FILE")
    assert "nothing trained" in (out / "README.md").read_text(encoding="utf-8")
    assert Recommender.from_pretrained(out).manifest["name"] == "shop"


def test_without_a_folder_nothing_is_saved_and_the_way_on_is_told(run, table, models, tmp_path):
    code, shown, _ = run("start", table, *models)
    assert code == 0
    assert "nothing was saved; try: coldstart start" in shown
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shop.csv"]


def test_as_json(run, table, models):
    code, shown, _ = run("start", table, "--json", *models)
    found = json.loads(shown)
    assert code == 0
    assert found["survey"]["items"] == 20
    assert found["model"]["weight"] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,title\n", "no items"),
        ("id,title\n1,Chair\n", "the catalog has one item, expected at least 2"),
        ("id,title\n1,11\n2,22\n", "the catalog has no text"),
        ("id,title,stock\n1,Chair,0\n2,Table,0\n", "none of the 2 items is available"),
        ("id,what\n1,Chair\n", "no column for title among: id, what"),
        ("", "empty"),
    ],
    ids=["header-only", "one-item", "text-less", "sold-out", "no-title", "empty-file"],
)
def test_tables_that_make_no_catalog(run, tmp_path, models, text, why):
    path = tmp_path / "items.csv"
    path.write_text(text)
    code, _, said = run("start", path, *models)
    assert code == 2
    assert why in said.splitlines()[-1]
    assert "hint" in said.splitlines()[-1]


def test_a_folder_that_is_no_artifact_is_refused_before_any_work(run, table, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    fails(run("start", table, "--out", tmp_path / "mine"), "exists and is no artifact")
    fails(run("start", table, "--db", "visits.db"), "--db without --open")
    fails(run("start", tmp_path / "none.csv"), "none.csv")
