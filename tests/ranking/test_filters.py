import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.errors import ConfigError
from coldstart.ranking.filters import (
    AgeRating,
    Attributes,
    Available,
    Categories,
    Known,
    NearDuplicates,
    Price,
    Where,
    Years,
    default_filters,
    walk,
)
from coldstart.schema import Context, Item, UserProfile

NOBODY, NOW = UserProfile(), Context()


def film(title="Alien", item_id="1", **more):
    return Item(item_id=item_id, title=title, **more)


def why(f, item=None, profile=NOBODY, **more):
    return f.reject(item or film(**more), profile, NOW)


@pytest.mark.parametrize("what", ["liked", "disliked", "seen"])
def test_known_says_how(what):
    assert why(Known(), profile=UserProfile(**{what: ["2", "1"]})) == f"already {what}"
    assert why(Known(), profile=UserProfile(**{what: ["2", "Alien"]})) is None


def test_available():
    assert why(Available()) is None
    assert why(Available(), available=False) == "not available"


@pytest.mark.parametrize(
    ("assume", "age", "min_age", "allowed"),
    [
        (None, 15, 16, False),
        (None, 16, 16, True),
        (None, None, 16, True),
        (12, None, 16, False),
        (12, 30, 16, True),
        (12, 5, None, True),
        (None, 0, 1, False),
    ],
)
def test_age_rating(assume, age, min_age, allowed):
    reason = why(AgeRating(assume), profile=UserProfile(age=age), min_age=min_age)
    assert reason == (None if allowed else f"suitable from age {min_age}")


@pytest.mark.parametrize(
    ("include", "exclude", "categories", "reason"),
    [
        ((), (), (), None),
        ("sci-fi", (), ["Sci-Fi", "Horror"], None),
        (["Drama", "War"], (), ["Sci-Fi"], "not in Drama, War"),
        (["Drama"], (), (), "not in Drama"),
        ((), "HORROR", ["Sci-Fi", "Horror"], "category 'Horror' is excluded"),
        ("Sci-Fi", "Horror", ["Sci-Fi", "Horror"], "category 'Horror' is excluded"),
    ],
)
def test_categories(include, exclude, categories, reason):
    assert why(Categories(include, exclude), categories=categories) == reason


@pytest.mark.parametrize(
    ("years", "year", "reason"),
    [
        (Years(), None, None),
        (Years(1979), 1979, None),
        (Years(1980), 1979, "from 1979, before 1980"),
        (Years(last=1978), 1979, "from 1979, after 1978"),
        (Years(last=1978), None, "year unknown"),
        (Years(last=1978, keep_unknown=True), None, None),
    ],
)
def test_years(years, year, reason):
    assert why(years, year=year) == reason


@pytest.mark.parametrize(
    ("price", "costs", "reason"),
    [
        (Price(10), 10, None),
        (Price(10), 10.5, "costs 10.5, more than 10"),
        (Price(10), None, "price unknown"),
        (Price(10, keep_unknown=True), None, None),
    ],
)
def test_price(price, costs, reason):
    assert why(price, price=costs) == reason


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({}, None),
        ({"lang": "EN"}, None),
        ({"lang": ["fr", "en"], "discs": 2}, None),
        ({"lang": ["fr", "nl"]}, "lang is 'en', not fr, nl"),
        ({"colour": "red"}, "colour unknown"),
    ],
)
def test_attributes(wanted, reason):
    assert why(Attributes(wanted), attributes={"lang": "en", "discs": 2}) == reason


def test_where():
    short = Where(lambda item: len(item.title) < 6, name="short", why="title too long")
    assert why(short) is None
    assert why(short, title="Aliens") == "title too long"
    cheap = Where(lambda item: item.price < 5)
    with pytest.raises(ConfigError, match="filter 'custom' failed on item '1': TypeError: .*None"):
        why(cheap)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AgeRating(-1), "assume_age is -1 .give a number from 0 to 130"),
        (lambda: AgeRating("12"), "assume_age is '12'"),
        (lambda: Categories("a", ["A"]), "categories both included and excluded: a"),
        (lambda: Categories(3.5, None), "exclude is None"),
        (lambda: Years(2000, 1999), "first year 2000 is after last year 1999"),
        (lambda: Years("1999"), "first is '1999'"),
        (lambda: Price(-1), "max is -1 .give a number of at least 0"),
        (lambda: Price(float("nan")), "max is nan"),
        (lambda: Attributes({"lang": []}), "no value is wanted for attribute 'lang'"),
        (lambda: Where("title"), "expected a function of an item, got str"),
        (lambda: NearDuplicates(0), "threshold is 0 "),
        (lambda: NearDuplicates(92), "threshold is 92 "),
        (lambda: walk([], (), NOBODY, NOW, -1), "want is -1"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Star Wars", "Star Wars!"),
        ("The Empire Strikes Back", "The Empire Strike Back"),
        ("Harry Potter and the Goblet of Fire", "Goblet of Fire, Harry Potter and the"),
        ("Rocky II", "Rocky 2"),
        ("One Hundred and One Dalmatians", "101 Dalmatians"),
        ("The Amazing Spider-Man Returns to the City", "The Amazing Spiderman Returns to the City"),
        ("Color of the Long Night", "Colour of the Long Night"),
        ("霸王别姬", "霸王别姬"),
    ],
)
def test_near_duplicates(one, other):
    assert NearDuplicates().twin(film(one), [film(other)])
    assert NearDuplicates().twin(film(other), [film(one)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Toy Story", "Toy Story 2"),
        ("Rocky II", "Rocky III"),
        ("Rocky V", "Rocky X"),
        ("Scream", "Scream 2"),
        ("The Lord of the Rings: Part One", "The Lord of the Rings: Part Two"),
        ("Nail Polish Remover, 500ml", "Nail Polish Remover, 550ml"),
        ("Vitamin B Complex Tablets", "Vitamin C Complex Tablets"),
        ("Alien", "Aliens"),
        ("Alien", "Alien Resurrection"),
        ("Before Sunrise", "Before Sunset"),
        ("Heavy Duty Nitrile Gloves, Powder Free, Black", "Heavy Duty Nitrile Gloves, Powder Free"),
        (
            "PLA Filament for Printers, Dimensional Accuracy, Red",
            "PLA Filament for Printers, Dimensional Accuracy, Blue",
        ),
        ("!!!", "???"),
    ],
)
def test_sequels_and_sizes_are_no_duplicates(one, other):
    for threshold in (0.8, 0.92, 1):
        near = NearDuplicates(threshold)
        if threshold > 0.9 or any(c in "IVX0123456789" for c in one + other):
            assert near.twin(film(one), [film(other)]) is None
            assert near.twin(film(other), [film(one)]) is None


def test_a_remake_is_no_duplicate():
    old, new = film("Sabrina", "1", year=1954), film("Sabrina", "2", year=1995)
    assert NearDuplicates().twin(old, [new]) is None
    assert NearDuplicates().twin(old, [film("Sabrina", "3"), new]).item_id == "3"
    assert NearDuplicates().twin(old, [film("Sabrina", "4", year=1955)])


def test_a_walk_drops_duplicates_of_what_it_kept_and_of_likes():
    titles = ["Alien, The", "Toy Story", "Toy Story 2", "Toy  story", "the alien"]
    ranked = [film(title, str(n)) for n, title in enumerate(titles)]
    result = walk(
        ranked, (), NOBODY, NOW, 9, NearDuplicates(), liked=[film("Toy Story 2", item_id="x")]
    )
    assert [item.item_id for item in result.kept] == ["0", "1"]
    assert [(d.item_id, d.filter, d.detail) for d in result.dropped] == [
        ("2", "near-duplicate", "nearly the same title as 'Toy Story 2'"),
        ("3", "near-duplicate", "nearly the same title as 'Toy Story'"),
        ("4", "near-duplicate", "nearly the same title as 'Alien, The'"),
    ]
    assert result.counts == {"near-duplicate": 3}


def test_a_walk_reads_no_further_than_needed():
    ranking = (film(item_id=str(n), available=n % 2 == 0) for n in itertools.count())
    result = walk(ranking, default_filters(), NOBODY, NOW, 3)
    assert [item.item_id for item in result.kept] == ["0", "2", "4"]
    assert next(ranking).item_id == "5"
    assert walk(ranking, (), NOBODY, NOW, 0).kept == ()
    assert next(ranking).item_id == "6"


def test_counts_are_complete_where_dropped_is_cut():
    ranked = [film(item_id=str(n), available=False) for n in range(9)]
    result = walk(ranked, default_filters(), NOBODY, NOW, 3, most_dropped=2)
    assert [d.item_id for d in result.dropped] == ["0", "1"]
    assert result.counts == {"available": 9}


films = st.lists(
    st.builds(
        Item,
        item_id=st.integers(0, 99),
        title=st.sampled_from(["Alien", "Aliens", "Alien 3", "Alien III", "Brazil", "The Alien"]),
        year=st.none() | st.integers(1978, 1986),
        categories=st.lists(st.sampled_from(["Horror", "Sci-Fi", "Satire"]), max_size=2),
        price=st.none() | st.integers(0, 20),
        available=st.booleans(),
        min_age=st.none() | st.integers(0, 18),
        attributes=st.dictionaries(st.just("lang"), st.sampled_from(["en", "fr"])),
    ),
    max_size=12,
    unique_by=lambda item: item.item_id,
)
people = st.builds(
    UserProfile,
    age=st.none() | st.integers(0, 20),
    liked=st.lists(st.integers(0, 99), max_size=5),
    seen=st.lists(st.integers(0, 99), max_size=5),
)
filters = st.lists(
    st.sampled_from(
        [
            *default_filters(),
            Categories(exclude="horror"),
            Categories(include="sci-fi"),
            Years(1979, 1985),
            Attributes({"lang": "en"}),
            Price(10, keep_unknown=True),
            Where(lambda item: int(item.item_id) % 3),
        ]
    ),
    max_size=5,
)


@settings(deadline=None)
@given(films, filters, people, st.integers(0, 12), st.randoms(use_true_random=False))
def test_a_walk_keeps_the_first_allowed_items_whatever_the_order_of_filters(
    ranked, chosen, profile, want, random
):
    allowed = [x for x in ranked if all(f.reject(x, profile, NOW) is None for f in chosen)]
    result = walk(ranked, chosen, profile, NOW, want)
    assert list(result.kept) == allowed[:want]
    assert sum(result.counts.values()) == len(result.dropped)
    again = walk(result.kept, chosen, profile, NOW, want)
    assert (again.kept, again.dropped, again.counts) == (result.kept, (), {})
    shuffled = random.sample(chosen, len(chosen))
    other = walk(ranked, shuffled, profile, NOW, want)
    assert other.kept == result.kept
    assert [d.item_id for d in other.dropped] == [d.item_id for d in result.dropped]


@settings(deadline=None)
@given(films, st.integers(0, 12))
def test_dropping_near_duplicates_is_idempotent(ranked, want):
    near = NearDuplicates()
    kept = walk(ranked, (), NOBODY, NOW, want, near).kept
    assert walk(kept, (), NOBODY, NOW, want, near).kept == kept
    for n, item in enumerate(kept):
        assert near.twin(item, kept[:n]) is None


def test_an_added_duplicate_gives_way_to_the_item_that_was_there():
    first, late, twin, other = (
        Item(item_id=i, title=t)
        for i, t in (("a", "Alien"), ("n1", "Aliens"), ("n2", "ALIEN"), ("b", "Heat"))
    )
    added = {"n1": 7, "n2": 8, "n3": 9}
    near = NearDuplicates()

    def kept(ranked, want=3):
        found = walk(
            ranked, (), NOBODY, NOW, want, near, added=lambda item: added.get(item.item_id)
        )
        return [item.item_id for item in found.kept], found.counts

    assert kept([twin, late, first, other]) == (["n1", "a", "b"], {"near-duplicate": 1})
    assert kept([twin, other]) == (["n2", "b"], {})
    again = Item(item_id="n3", title="alien!")
    assert kept([again, twin, other]) == (["n2", "b"], {"near-duplicate": 1})
    assert kept([twin, other, first], want=1) == (["n2"], {})


@given(films, st.integers(0, 8), st.sets(st.sampled_from(range(12))))
def test_added_items_drop_no_other(ranked, want, new):
    near = NearDuplicates()
    ids = {item.item_id: n for n, item in enumerate(ranked)}
    added = {i: n for i, n in ids.items() if n in new}
    known = [item for item in ranked if item.item_id not in added]
    alone = walk(known, (), NOBODY, NOW, want, near).kept
    found = walk(
        ranked, (), NOBODY, NOW, want, near, added=lambda item: added.get(item.item_id)
    ).kept
    kept = [item for item in found if item.item_id not in added]
    assert kept == list(alone[: len(kept)])
    for n, item in enumerate(found):
        assert near.twin(item, found[:n]) is None
