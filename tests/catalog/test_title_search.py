"""Items are found while their title is typed: by words begun, initials, slips, other scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.title_search import TitleSearch
from coldstart.schema import Item

TITLES = (
    "The Lord of the Rings: The Two Towers",
    "Lost in Translation",
    "The Godfather",
    "Rocky II",
    "Seven Samurai (Shichinin no samurai)",
    "七武士",
    "Amélie",
    "E.T. the Extra-Terrestrial",
    "Toy Story",
    "Toy Story 2",
    "Pulp Fiction",
    "Star Wars",
    "Война и мир",
)


def films(titles=TITLES):
    return Catalog(Item(item_id=t, title=t) for t in titles)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lotr", 0), ("lotrtt", 0), ("two tow", 0), ("towers lord", 0), ("transl", 1),
        ("LOST IN TRANSLATION", 1), ("tranlsation", 1), ("godfahter", 2), ("godfat", 2),
        ("rocky 2", 3), ("rocky ii", 3), ("shichinin", 4), ("samurai", 4), ("武士", 5),
        ("七", 5), ("amelie", 6), ("AMÉL", 6), ("e.t.", 7), ("et", 7), ("pulpfiction", 10),
        ("plup fiction", 10), ("starwars", 11), ("война", 12), ("войн", 12),
    ],
)  # fmt: skip
def test_what_people_type_is_found(typed, found):
    assert TitleSearch(films()).find(typed, 3)[:1] == [TITLES[found]]


@pytest.mark.parametrize("typed", ["", "  ", "!?", "zzzzqqqq", "xyl"])
def test_nothing_is_found_for_nothing(typed):
    assert TitleSearch(films()).find(typed, 5) == []


def test_the_whole_title_comes_before_longer_ones_and_then_the_weight_decides():
    search, weight = TitleSearch(films()), {"Toy Story 2": 5.0, "Toy Story": 1.0}
    assert search.find("toy story", 5, weight.__getitem__) == ["Toy Story", "Toy Story 2"]
    assert search.find("toy", 5, weight.__getitem__) == ["Toy Story 2", "Toy Story"]
    assert search.find("toy", 1, weight.__getitem__) == ["Toy Story 2"]


def test_it_follows_the_catalog():
    catalog = films()
    search = TitleSearch(catalog)
    assert search.find("moon", 3) == []
    catalog.add(Item(item_id="m", title="Moonrise Kingdom"))
    assert search.find("moon", 3) == ["m"]
    catalog.update(Item(item_id="m", title="Kingdom"))
    assert (search.find("moon", 3), search.find("king", 3)) == ([], ["m"])
    catalog.remove("m")
    assert search.find("kingdom", 3) == []


def test_items_of_one_title_are_all_found():
    two = Catalog(Item(item_id=str(year), title="Emma", year=year) for year in (1996, 2020))
    assert sorted(TitleSearch(two).find("emm", 5)) == ["1996", "2020"]


@given(st.lists(st.sampled_from(TITLES), unique=True), st.lists(st.sampled_from(TITLES)))
def test_after_any_changes_it_is_the_search_of_the_catalog_as_it_is(kept, asked):
    catalog = films()
    search = TitleSearch(catalog)
    search.find("toy", 1)
    catalog.remove([t for t in TITLES if t not in kept])
    catalog.add(Item(item_id=t, title=t) for t in TITLES if t not in kept[::2] and t not in kept)
    fresh = TitleSearch(Catalog(catalog.items))
    for text in (*asked, "t", "the"):
        assert search.find(text[:4], 20) == fresh.find(text[:4], 20)
        assert search.find(text, 20) == fresh.find(text, 20)


@given(st.text(max_size=60))
def test_any_text_is_accepted(text):
    found = TitleSearch(films()).find(text, 4)
    assert len(found) <= 4
    assert len(set(found)) == len(found)
