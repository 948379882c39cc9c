"""The shops of this repository, and the sentences that are tried on them."""

from __future__ import annotations

from collections import Counter

import pytest

from coldstart import Recommender
from coldstart.data.items import load_catalog
from coldstart.evaluation.sentences.obedience import about_sentence, judge
from coldstart.evaluation.sentences.sentence_file import (
    check_categories,
    judgeable,
    read_sentences,
)
from tests.conftest import ROOT

SHOPS = {
    "en": (ROOT / "examples" / "shop.csv", ROOT / "tests" / "data" / "sentences-shop-dev.jsonl"),
    "zh": (
        ROOT / "tests" / "data" / "shop-zh.csv",
        ROOT / "tests" / "data" / "sentences-shop-zh-dev.jsonl",
    ),
}


@pytest.fixture(scope="module", params=SHOPS)
def shop(request):
    """Language, catalog, what was read, and sentences of one shop."""
    table, sentences = SHOPS[request.param]
    return request.param, *load_catalog(table), read_sentences(sentences)


def test_every_field_of_a_shop_is_read(shop):
    language, catalog, report, _ = shop
    assert len(catalog) == {"en": 300, "zh": 120}[language]
    assert {"price", "available", "min_age", "max_age", "popularity"} <= report.columns.keys()
    assert report.unused == report.warnings == ()
    items = list(catalog)
    assert 1 <= sum(not i.available for i in items) <= 10
    assert all(i.price and i.popularity and i.description and len(i.categories) >= 2 for i in items)
    assert len({i.title for i in items}) == len(items)


def test_items_of_the_english_shop_have_chinese_titles():
    catalog, _ = load_catalog(SHOPS["en"][0])
    titles = [i.attributes["title_zh"] for i in catalog]
    assert len(set(titles)) == len(titles)
    assert all(any("\u4e00" <= c <= "\u9fff" for c in title) for title in titles)


def test_every_sentence_can_be_obeyed_and_is_of_a_kind_with_others(shop):
    language, catalog, _, sentences = shop
    check_categories(sentences, catalog)
    assert judgeable(sentences, catalog) == (sentences, ())
    kinds = Counter(s.kind for s in sentences)
    assert len(sentences) >= {"en": 40, "zh": 15}[language]
    assert len(kinds) >= 5
    combined = kinds["combined"] + kinds["组合"]
    assert combined >= {"en": 10, "zh": 3}[language]


def test_a_shop_that_starts_from_its_table_obeys(shop):
    _, catalog, _, sentences = shop
    recommender = Recommender.from_catalog(catalog)
    run = judge({"start": about_sentence(recommender)}, sentences, recommender.catalog)
    assert run.left_out == ()
    worst = [(s.sentence.sentence, s.obedience) for s in run.worst("start", 5)]
    assert run.mean("start") >= 0.8, worst
