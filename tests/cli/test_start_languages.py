"""``coldstart start`` and ``info`` on a Chinese table: English models, and multilingual ones."""

import json
from pathlib import Path

import pytest

from coldstart.artifacts.language_advice import HUB_ENCODER, HUB_LM, advise, encoder_for
from coldstart.catalog.catalog import Catalog
from coldstart.recommender import Recommender
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.schema import Item
from tests.tiny_bert import save_tiny_bert
from tests.tiny_qwen import save_tiny_qwen
from tests.toy import save_tiny_base

TABLE = Path("tests/data/shop-zh.csv")


@pytest.fixture(scope="module")
def texts():
    return TABLE.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def english_base(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base"))


def test_english_models_do_not_count_and_hub_models_are_named(run, tmp_path, english_base):
    out = tmp_path / "shop"
    code, _, said = run("start", TABLE, "--out", out, "--base", english_base)
    said = " ".join(said.split())
    assert code == 0, said
    assert "letters: Han" in said
    assert "contents are compared by words and characters, without a model" in said
    assert "knows 0% of them: it does not count" in said
    models = f"--encoder {HUB_ENCODER} --base {HUB_LM}"
    assert f"coldstart start {TABLE} {models} --out {out}" in said
    code, shown, said = run("info", out)
    assert code == 0
    assert models in " ".join(f"{shown} {said}".split())
    assert Recommender.from_pretrained(out).template.name == "catalog-zh"
    code, shown, _ = run(
        *("recommend", "--artifact", out, "--about", "我想要適合跑步的輕便鞋"),
        *("--reasons-in", "zh", "--json", "-k", "5"),
    )
    assert code == 0
    found = json.loads(shown)
    assert all("跑" in line["title"] for line in found["items"])
    assert not any(c.isascii() and c.isalpha() for c in "".join(found["notes"]))


def test_models_that_know_the_script_count(run, texts, tmp_path):
    encoder = save_tiny_bert(tmp_path / "multilingual", texts)
    base = save_tiny_qwen(tmp_path / "qwen", texts)
    out = tmp_path / "shop"
    code, _, said = run("start", TABLE, "--out", out, "--encoder", encoder, "--base", base)
    said = " ".join(said.split())
    assert code == 0, said
    assert "it does not count" not in said
    assert "models of the Hugging Face hub" not in said
    made = Recommender.from_pretrained(out)
    assert made.pipeline.score.known_scripts.unknown(made.resolve({"about": "跑步鞋"})) == set()


def test_an_english_catalog_keeps_the_packaged_models(english_base):
    catalog = Catalog([Item(item_id="1", title="Café chair"), Item(item_id="2", title="Tea")])
    assert encoder_for(catalog) == DEFAULT_ENCODER
    found = advise(catalog, DEFAULT_ENCODER, english_base)
    assert found.encoder_serves
    assert found.base_serves
    assert found.sentences("items.csv", "shop") == ["letters: Latin 100%"]
