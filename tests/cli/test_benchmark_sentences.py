"""``coldstart benchmark --sentences``: options, output and exit codes."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from tests.cli.helpers import fails
from tests.fakes import FakeEncoder

FILMS = [
    Item(item_id=str(n), title=f"Film {n}", categories=("Comedy" if n % 4 else "Horror",))
    for n in range(40)
]


class Ordered:
    """Shows the catalog in its order."""

    catalog = Catalog(FILMS)
    encoder = FakeEncoder()

    @classmethod
    def from_pretrained(cls, path, catalog=None):
        return cls()

    @classmethod
    def from_catalog(cls, items):
        return cls()

    def recommend(self, profile, *, k, **options):
        return SimpleNamespace(item_ids=list(self.catalog.ids[:k]))


@pytest.fixture
def ordered(monkeypatch):
    module = ModuleType("coldstart.recommender")
    module.Recommender = Ordered
    monkeypatch.setitem(sys.modules, "coldstart.recommender", module)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def sentences(tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [
        {"sentence": "make me laugh", "kind": "indirect", "predicate": {"all_of": ["Comedy"]}},
        {"sentence": "horror", "kind": "positive", "predicate": {"all_of": ["Horror"]}},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_table_and_worst_sentences(run, ordered, sentences):
    code, out, _ = run("benchmark", "--sentences", sentences, "--artifact", "x", "--show", 1)
    assert code == 0
    assert "Obedience@10" in out
    assert "nothing said" in out
    assert "“horror”: 0.30" in out
    assert "“make me laugh”" not in out
    assert "Film 0" in out


def test_a_start_from_a_catalog_alone_is_judged(run, ordered, sentences):
    code, out, _ = run("benchmark", "--sentences", sentences, "--items", "shop.csv")
    assert code == 0
    assert "Obedience@10" in out


def test_json_and_files(run, ordered, sentences, tmp_path):
    options = ("--sentences", sentences, "--artifact", "x", "--out", tmp_path / "out", "--json")
    code, out, _ = run("benchmark", *options)
    data = json.loads(out)
    assert code == 0
    assert {s["obedience"] for s in data["shown"] if s["system"] == "coldstart"} == {0.7, 0.3}
    assert data == json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (tmp_path / "out.md").is_file()


@pytest.mark.parametrize(("least", "expected"), [(0.5, 0), (0.51, 1)])
def test_exit_code_below_a_share(run, ordered, sentences, least, expected):
    options = ("--sentences", sentences, "--artifact", "x", "--fail-below", least)
    code, out, err = run("benchmark", *options)
    assert code == expected
    assert "Obedience@10" in out
    assert ("error: obedience is 0.500, below --fail-below 0.51" in err) == bool(expected)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--sentences", "builtin"], "--sentences without --artifact"),
        (["--sentences", "builtin", "--artifact", "x", "--fail-below", 85], "a share from 0 to 1"),
        (["--sentences", "none.jsonl", "--artifact", "x"], "cannot read the sentences in none"),
        (["--fail-below", 0.5], "--fail-below without --sentences"),
        (["--show", 3, "--data", "ml-100k"], "--show without --sentences"),
        (["--sentences", "builtin", "--artifact", "x"], "no item has the category"),
    ],
)
def test_invalid_options(run, ordered, args, says):
    fails(run("benchmark", *args), says)
