"""The shops of this repository, and the sentences that are tried on them."""

from __future__ import annotations

from collections import Counter

import pytest

from coldstart import Recommender, UserProfile
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


@pytest.fixture(scope="module")
def started(shop):
    """The recommender that starts from the table of a shop."""
    return Recommender.from_catalog(shop[1])


@pytest.mark.parametrize("language", SHOPS)
def test_the_unseen_sentences_are_others(language):
    table, known = SHOPS[language]
    unseen = read_sentences(known.with_name(known.name.replace("dev", "unseen")))
    catalog, _ = load_catalog(table)
    check_categories(unseen, catalog)
    assert judgeable(unseen, catalog) == (unseen, ())
    assert not {s.sentence for s in unseen} & {s.sentence for s in read_sentences(known)}
    assert len(unseen) >= {"en": 40, "zh": 15}[language]


@pytest.mark.parametrize("language", SHOPS)
def test_the_sentences_of_every_file_can_be_obeyed_and_are_in_one_file_only(language):
    table, known = SHOPS[language]
    catalog, _ = load_catalog(table)
    stem = known.name.removesuffix("-dev.jsonl")
    files = sorted(known.parent.glob(f"{stem}-*.jsonl"))
    files = [f for f in files if language == "zh" or "-zh-" not in f.name]
    assert len(files) >= 5
    seen = Counter[str]()
    for file in files:
        sentences = read_sentences(file)
        check_categories(sentences, catalog)
        assert judgeable(sentences, catalog) == (sentences, ()), file.name
        seen.update(s.sentence for s in sentences if "indirect" not in file.name)
    assert {text for text, n in seen.items() if n > 1} <= {"toys that don't need batteries"}


@pytest.fixture(scope="module")
def english(shop_from_nothing):
    """The recommender that starts from the English shop; of the Chinese one meaning is unknown."""
    return shop_from_nothing


def shown(recommender, text, k=10):
    return recommender.recommend(UserProfile(about=text), k=k, strategy="prior")


def test_meaning_alone_is_a_reason_and_the_notes_say_so(english):
    found = shown(english, "my plants die whenever we go on holiday")
    assert {r.code for line in found for r in line.reasons} == {"meaning", "mentions_words"}
    assert found.items[0].reason.startswith("Close in meaning to “my plants")
    assert not any("no item resembles it" in note for note in found.notes)
    found = shown(english, "an umbrella", k=3)
    assert all("Rain" in line.title for line in found)
    assert any("the list follows its meaning" in note for note in found.notes)


def test_of_what_nothing_resembles_the_opening_is_shown(english):
    found = shown(english, "zzgrph")
    assert any("no item resembles it" in note for note in found.notes)
    assert {r.code for line in found for r in line.reasons} == {"opening"}


def test_a_misspelt_word_is_corrected_and_a_note_says_so(english):
    found = shown(english, "somthing to make coffe with", k=5)
    assert "“coffe” was read as “coffee”" in found.notes
    assert shown(english, "something to make coffee with", k=5).item_ids == found.item_ids


def test_pets_come_last_for_a_person_and_the_note_says_so(english):
    found = shown(english, "a present for my neighbour")
    assert "guessed from “for my neighbour”: for an adult, “Pets” last" in found.notes


def test_what_is_not_of_the_type_is_close_to_it_and_no_match(shop, started):
    text, first = {"en": ("a kettle", "Kettle"), "zh": ("想买个电热水壶", "水壶")}[shop[0]]
    found = started.recommend(UserProfile(about=text), k=8, strategy="prior")
    assert first in found.items[0].title
    kitchen = {"en": "Kitchen", "zh": "厨房"}[shop[0]]
    assert all(kitchen in started.catalog[i].categories for i in found.item_ids)
    codes = [[r.code for r in line.reasons] for line in found]
    assert codes[0][0] == "wishes"
    assert all("words" not in own for own in codes[3:])


def test_a_shop_that_starts_from_its_table_obeys(shop, started):
    sentences = shop[-1]
    run = judge({"start": about_sentence(started)}, sentences, started.catalog)
    assert run.left_out == ()
    worst = [(s.sentence.sentence, s.obedience) for s in run.worst("start", 5)]
    assert run.mean("start") >= 0.8, worst


def test_what_many_like_does_not_drown_what_is_like_the_pick(shop, started):
    department, loved, pick = {
        "en": ("Pets", "Wooden Toys", "Scratching Post"),
        "zh": ("母婴宠物", "木制玩具", "逗猫棒"),
    }[shop[0]]
    toys = [i.item_id for i in started.catalog if loved in i.categories]
    mine = next(i.item_id for i in started.catalog if i.title == pick)
    for n, item in enumerate(started.catalog):
        started.observe(f"visitor {n}", item.item_id)
    for n in range(60):
        started.observe(f"parent {n}", *toys[:3])
    for n in range(8):
        started.observe(f"reader {n}", mine, (novel := _novel(started, shop[0])))
    shown = started.recommend(UserProfile(liked=[mine]), k=10, strategy="prior").item_ids
    same = [department in started.catalog[i].categories for i in shown[:5]]
    assert sum(same) >= 3
    assert novel in shown  # which no text connects with the pick


def _novel(recommender, language):
    title = {"en": "Murder in the Rose Garden", "zh": "末班渡轮"}[language]
    return next(i.item_id for i in recommender.catalog if i.title == title)
