"""Languages of films: named, alternatives, any but English, and what only looks like one."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import FOREIGN, FOREIGN_VALUE, LANGUAGE
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.reader import RequestReader

SPOKEN = ("French", "Japanese", "Korean", "Mandarin", "Cantonese", "Swedish", "Danish")


@pytest.fixture(scope="module")
def spotter() -> RequestReader:
    films = [
        Item(
            item_id=str(n),
            title=f"Zzyzx {n}",
            categories=("Thriller", "Comedy", "Animation")[n % 3 : n % 3 + 1],
            attributes={LANGUAGE: name, FOREIGN: FOREIGN_VALUE},
        )
        for n, name in enumerate(SPOKEN)
    ]
    films.append(Item(item_id="en", title="The French Connection", categories=("Thriller",)))
    return RequestReader(Catalog(films), Counts.fit([f.item_id for f in films], {}, {}))


def languages(reader, text):
    """Values with a sign: "+" wanted, "-" rejected."""
    pieces = [p for p in reader.read(text).pieces if p.attribute in (LANGUAGE, FOREIGN)]
    assert all(p.strict for p in pieces)
    return {("+" if p.wanted else "-") + p.value for p in pieces}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a French film", {"+French"}),
        ("french films with subtitles", {"+French"}),
        ("Korean thrillers", {"+Korean"}),
        ("something Japanese", {"+Japanese"}),
        ("a comedy in French", {"+French"}),
        ("chinese cinema", {"+Mandarin", "+Cantonese"}),
        ("a Scandinavian thriller", {"+Swedish", "+Danish"}),
        ("French or Japanese films", {"+French", "+Japanese"}),
        ("a foreign film", {"+foreign language"}),
        ("foreign-language comedies", {"+foreign language"}),
        ("no subtitles please", {"-foreign language"}),
        ("nothing French", {"-French"}),
        ("a thriller, but not Korean", {"-Korean"}),
        ("in English please", {"-foreign language"}),
        ("anime", {"+Japanese"}),
        ("法国片", {"+French"}),
        ("想看韩国恐怖片", {"+Korean"}),
        ("港片", {"+Cantonese"}),
        ("不要日本动画", {"-Japanese"}),
        ("外语片", {"+foreign language"}),
        ("只看英语片", {"-foreign language"}),
        ("韓國電影", {"+Korean"}),
        # no languages of films
        ("关于法国大革命的故事", set()),
        ("关于日本的战争片", set()),
        ("类似珍珠港的电影", set()),
        ("印度尼西亚电影", set()),
        ("a thriller set in French Guiana", set()),
        ("a film about a Korean and his dog", set()),
        ("a film about the French Revolution", set()),
        ("like The French Connection", set()),
        ("a Danish pastry shop story", set()),
        ("French mafia movies", set()),
        ("a comedy", set()),
    ],
)
def test_languages_are_read(spotter, text, expected):
    assert languages(spotter, text) == expected


def test_alternatives_are_one_group(spotter):
    read = spotter.read("a chinese film")
    assert len({p.group for p in read.pieces if p.attribute == LANGUAGE}) == 1


def test_without_known_languages_nothing_is_read(reader):
    assert not [p for p in reader.read("a Korean film").pieces if p.attribute == LANGUAGE]
