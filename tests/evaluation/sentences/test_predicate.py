"""Predicates over metadata: each field alone, together, and nested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldstart.evaluation.sentences.predicate import ItemPredicate, category_key
from coldstart.schema import Item

GENRES = ["Comedy", "Drama", "Horror", "Children", "Sci-Fi"]
some_genres = st.lists(st.sampled_from(GENRES), unique=True)
years = st.none() | st.integers(1900, 2020)
ages = st.none() | st.integers(0, 18)
items = st.builds(
    Item,
    item_id=st.just("1"),
    title=st.sampled_from(["Alien", "The Thing", "Amélie (Le Fabuleux destin)"]),
    year=years,
    categories=some_genres.map(tuple),
    min_age=ages,
    attributes=st.dictionaries(
        st.sampled_from(["director", "stars"]), st.sampled_from(["Jane Campion", "Tilda Swinton"])
    ),
)
simple = st.one_of(
    st.builds(ItemPredicate, any_of=st.lists(st.sampled_from(GENRES), min_size=1).map(tuple)),
    st.builds(ItemPredicate, none_of=st.lists(st.sampled_from(GENRES), min_size=1).map(tuple)),
    st.builds(ItemPredicate, suitable_for=st.integers(0, 18)),
    st.builds(ItemPredicate, first=st.integers(1900, 2020)),
    st.builds(ItemPredicate, last=st.integers(1900, 2020)),
)


def item(**more):
    return Item(**{"item_id": "1", "title": "Alien", "year": 1979} | more)


@given(items, some_genres.filter(bool))
def test_categories(item, genres):
    has = [g in item.categories for g in genres]
    assert ItemPredicate(all_of=genres).holds(item) == all(has)
    assert ItemPredicate(any_of=genres).holds(item) == any(has)
    assert ItemPredicate(none_of=genres).holds(item) == (not any(has))


@given(items, st.integers(1900, 2020), st.integers(0, 50))
def test_years_are_inclusive_and_an_unknown_year_fulfils_none(item, first, span):
    inside = ItemPredicate(first=first, last=first + span)
    assert inside.holds(item) == (item.year in range(first, first + span + 1))
    halves = (ItemPredicate(first=first), ItemPredicate(last=first + span))
    assert inside.holds(item) == all(half.holds(item) for half in halves)


@given(items, st.integers(0, 18))
def test_suitable_for_an_age(item, age):
    child = ItemPredicate(suitable_for=age)
    unknown = "Children" in item.categories
    expected = item.min_age <= age if item.min_age is not None else unknown
    assert child.holds(item) == expected
    assert not child.holds(item) or ItemPredicate(suitable_for=age + 1).holds(item)


@given(items, simple, simple)
def test_nested_predicates_are_boolean_logic(item, a, b):
    mine, other = a.holds(item), b.holds(item)
    assert ItemPredicate(every=(a, b)).holds(item) == (mine and other)
    assert ItemPredicate(some=(a, b)).holds(item) == (mine or other)
    assert ItemPredicate(unless=a).holds(item) == (not mine)
    either = ItemPredicate(unless=ItemPredicate(some=(a, b)))
    assert either.holds(item) == (not mine and not other)


@given(items, simple)
def test_a_predicate_survives_its_own_json(item, predicate):
    again = ItemPredicate.model_validate_json(predicate.model_dump_json(exclude_defaults=True))
    assert again == predicate
    assert again.holds(item) == predicate.holds(item)


def test_attributes_are_compared_without_case():
    film = item(attributes={"director": "Ridley Scott", "stars": "Sigourney Weaver|Tom Skerritt"})
    assert ItemPredicate(equals={"director": "ridley scott"}).holds(film)
    assert not ItemPredicate(equals={"director": "Ridley"}).holds(film)
    assert ItemPredicate(contains={"stars": "weaver"}).holds(film)
    assert not ItemPredicate(contains={"stars": "weaver", "writer": "Dan"}).holds(film)


@pytest.mark.parametrize(
    ("ages", "fits", "too_young", "too_old"),
    [
        ({"min_age": 3, "max_age": 8}, (3, 8), (2,), (9,)),
        ({"min_age": 8}, (8, 40), (7,), ()),
        ({"max_age": 4}, (0, 4), (), (5,)),
        ({}, (), (0, 10), (40,)),
    ],
)
def test_an_audience_of_an_age(ages, fits, too_young, too_old):
    toy = item(**ages)
    assert all(ItemPredicate(for_age=age).holds(toy) for age in fits)
    assert not any(ItemPredicate(for_age=age).holds(toy) for age in (*too_young, *too_old))


def test_prices_are_inclusive_and_an_unknown_price_fulfils_none():
    for price, good in ((20, True), (20.01, False), (9.99, False), (10, True), (None, False)):
        assert ItemPredicate(price_from=10, price_to=20).holds(item(price=price)) == good
    assert ItemPredicate(price_to=0).holds(item(price=0))
    assert ItemPredicate(price_from=20).holds(item(price=99))


def test_words_are_whole_except_in_scripts_without_spaces():
    scope = item(title="Telescope, 70 mm", description="Shows the moon.", categories=["Science"])
    assert ItemPredicate(words=["MOON"]).holds(scope)
    assert ItemPredicate(words=["sun", "science"]).holds(scope)
    assert not ItemPredicate(words=["scope", "moons", "mo"]).holds(scope)
    assert ItemPredicate(titled=["70 mm"]).holds(scope)
    assert not ItemPredicate(titled=["moon"]).holds(scope)
    assert ItemPredicate(titled=["跑步鞋"]).holds(item(title="男款跑步鞋轻便"))
    assert not ItemPredicate(words=["跑步鞋"]).holds(item(title="登山鞋"))


def test_titles_are_compared_in_any_spelling():
    assert not ItemPredicate(not_titled=["ALIEN!"]).holds(item())
    assert not ItemPredicate(not_titled=["Alien (1979)"]).holds(item())
    assert ItemPredicate(not_titled=["Alien (1980)", "Aliens"]).holds(item())
    seven = item(title="Seven (a.k.a. Se7en)")
    assert not ItemPredicate(not_titled=["Seven"]).holds(seven)


def test_categories_of_both_movielens_spellings():
    assert category_key("Children's") == category_key(" children") == category_key("Children’s")
    assert ItemPredicate(any_of=["Children"]).holds(item(categories=("Children's",)))
    assert ItemPredicate(suitable_for=5).holds(item(categories=("Children's",)))


def test_every_named_category_is_found():
    nested = ItemPredicate(
        all_of=["A"],
        some=[{"any_of": ["B"]}, {"none_of": ["C"]}],
        every=[{"first": 1990}],
        unless={"unless": {"all_of": ["D"]}},
    )
    assert sorted(nested.categories()) == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "empty: every item fulfils it"),
        ({"some": [{}]}, "empty: every item fulfils it"),
        ({"first": 1990, "last": 1980}, "first year 1990 is after the last, 1980"),
        ({"genre": "Comedy"}, "Extra inputs are not permitted"),
        ({"suitable_for": -1}, "greater than or equal to 0"),
        ({"price_to": "inf"}, "finite number"),
        ({"price_from": 30, "price_to": 20}, "lowest price 30 is above the highest, 20"),
    ],
)
def test_invalid_predicates(fields, says):
    with pytest.raises(ValidationError, match=says):
        ItemPredicate.model_validate(fields)
