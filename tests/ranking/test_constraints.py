"""Constraints of a text: what excludes, what comes first, and that all items are judged at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.ranking.constraints import Constraints
from coldstart.schema import Piece, Understood
from tests.ten_films import film, make_item_store

FILMS = [
    film("cartoon", "Bunny", 1940, ("Children's", "Animation"), min_age=0),
    film("scary", "Ghost", 1982, ("Horror",), min_age=18, attributes={"stars": "A. Bee|C. Dee"}),
    film("western", "Dust", 1955, ("Western",), attributes={"stars": "C. Dee", "language": "it"}),
    film("funny", "Laughter", 1985, ("Comedy", "Western")),
    film("kids", "Holiday", 1984, ("Children's", "Comedy")),
    film("dateless", "Sometime", None, ("Comedy", "Drama")),
]


@pytest.fixture(scope="module")
def store():
    return make_item_store(Catalog(FILMS))


def piece(kind, value="", **more):
    return Piece(kind=kind, value=value, words=value or kind, start=0, end=1, **more)


def judged(store, *pieces, age=None):
    """Ids in the order of their tiers, without the excluded ones; and what excluded these."""
    constraints = Constraints(Understood(text="x", pieces=pieces), age)
    verdicts = constraints.verdicts(store)
    order = np.argsort(verdicts.tier, kind="stable")
    kept = [store.ids[row] for row in order if not verdicts.excluded[row]]
    why = {store.ids[row]: constraints.why(store, row) for row in np.flatnonzero(verdicts.excluded)}
    return kept, why, {i for i, f in zip(store.ids, verdicts.fulfilled, strict=True) if f}


def test_rejected_categories_people_and_values_exclude(store):
    _, why, _ = judged(
        store,
        piece("category", "Horror", wanted=False),
        piece("attribute", "it", attribute="language", wanted=False),
    )
    assert why == {
        "scary": "Horror: rejected by “Horror”",
        "western": "language it: rejected by “it”",
    }
    _, why, _ = judged(store, piece("person", "c. dee", attribute="stars", wanted=False))
    assert set(why) == {"scary", "western"}


def test_wanted_years_exclude_what_is_outside_or_unknown(store):
    kept, why, _ = judged(store, piece("years", "1980s", first=1980, last=1989))
    assert kept == ["scary", "funny", "kids"]
    assert why["dateless"] == "year unknown: not “1980s”"
    assert why["western"] == "from 1955: not “1980s”"
    two = (piece("years", f, first=a, last=b) for f, a, b in (("a", None, 1945), ("b", 1985, None)))
    assert judged(store, *two)[0] == ["cartoon", "funny"]


def test_rejected_years_exclude_what_is_inside(store):
    kept, _, _ = judged(store, piece("years", "old", last=1960, wanted=False))
    assert kept == ["scary", "funny", "kids", "dateless"]


def test_wishes_order_by_how_many_are_fulfilled(store):
    kept, why, fulfilled = judged(
        store, piece("category", "Western", group=1), piece("category", "Comedy", group=2)
    )
    assert kept == ["funny", "western", "kids", "dateless", "cartoon", "scary"]
    assert not why
    assert fulfilled == {"funny"}


def test_alternatives_count_once(store):
    _, _, fulfilled = judged(
        store, piece("category", "Western", group=1), piece("category", "Horror", group=1)
    )
    assert fulfilled == {"western", "funny", "scary"}


def test_inferred_pieces_order_within_explicit_ones(store):
    kept, why, _ = judged(
        store,
        piece("category", "Comedy", group=1),
        piece("category", "Children's", group=2, strict=False),
        piece("category", "Drama", strict=False, wanted=False),
    )
    assert kept[:3] == ["kids", "funny", "dateless"]
    assert not why


def test_an_explicit_piece_wins_over_an_inferred_one(store):
    pieces = (
        piece("category", "Horror", group=1, strict=False),
        piece("category", "Horror", wanted=False),
    )
    kept, why, _ = judged(store, *pieces)
    assert kept == [i for i in store.ids if i != "scary"]
    assert set(why) == {"scary"}
    assert Constraints(Understood(pieces=pieces)).ignored == [pieces[0]]
    later = piece("years", "old", last=1950, strict=False)
    now = piece("years", "80s", first=1980, last=1989)
    assert Constraints(Understood(pieces=(later, now))).ignored == [later]


def test_for_a_child_comes_first_what_is_known_to_suit_it(store):
    kept, why, fulfilled = judged(store, piece("audience", "5", age=5))
    assert kept == ["cartoon", "kids", "western", "funny", "dateless"]
    assert why == {"scary": "suitable from age 18"}
    assert fulfilled == {"cartoon", "kids"}


def test_a_young_user_is_the_audience_without_any_text(store):
    assert judged(store, age=5)[0][:2] == ["cartoon", "kids"]
    assert not Constraints(Understood(), 13).any
    assert not Constraints(Understood()).any


def test_a_grown_audience_excludes_by_age_only(store):
    kept, why, _ = judged(store, piece("audience", "16", age=16))
    assert kept == ["cartoon", "western", "funny", "kids", "dateless"]
    assert set(why) == {"scary"}


KINDS = ["category", "years", "audience", "person", "attribute", "title", "tone"]
pieces_of_any_kind = st.builds(
    Piece,
    kind=st.sampled_from(KINDS),
    value=st.sampled_from(["Horror", "Comedy", "C. Dee", "kids", "unheard of", ""]),
    words=st.just("w"),
    start=st.just(0),
    end=st.just(1),
    wanted=st.booleans(),
    strict=st.booleans(),
    group=st.integers(0, 2),
    attribute=st.sampled_from([None, "stars", "nothing"]),
    first=st.none() | st.integers(1930, 2000),
    last=st.none() | st.integers(1930, 2000),
    age=st.none() | st.integers(0, 20),
)


@given(st.lists(pieces_of_any_kind, max_size=6), st.none() | st.integers(0, 20))
def test_a_part_of_a_store_is_judged_as_the_whole(store, pieces, age):
    constraints = Constraints(Understood(text="x", pieces=tuple(pieces)), age)
    whole = constraints.verdicts(store)
    rows = np.array([0, 2, 5])
    part = constraints.verdicts(store.part(rows, ()))
    assert (part.tier == whole.tier[rows]).all()
    assert (part.excluded == whole.excluded[rows]).all()
    assert (part.fulfilled == whole.fulfilled[rows]).all()
    for row in np.flatnonzero(whole.excluded):
        assert constraints.why(store, row)


def test_stated_interests_count_as_much_as_what_was_inferred():
    night = Piece(
        kind="category", value="Romance", words="date night", start=0, end=10, strict=False
    )
    understood = Understood(text="date night", pieces=(night,))
    alone, both = Constraints(understood), Constraints(understood, interests=("Comedy",))
    nothing = Constraints(Understood(), interests=("Comedy",))
    assert not nothing.any  # interests by themselves are taste
    assert len(both._inferred) == len(alone._inferred) + 1


@pytest.mark.parametrize(
    ("beside", "first"),
    [
        ((), "funny"),
        ((piece("phrase", "jokes"),), "western"),  # "a film about jokes"
        ((piece("phrase", "jokes", strict=False),), "funny"),  # "jokes"
        ((piece("title", "scary"), piece("tone", "funny", strict=False)), "western"),
        ((piece("title", "scary", wanted=False), piece("tone", "funny", strict=False)), "funny"),
        ((piece("title", "scary"),), "funny"),  # stands for itself, not for a mood
    ],
)
def test_a_guess_only_orders_beside_a_topic_and_a_mood_beside_a_title(store, beside, first):
    kept, why, _ = judged(store, *beside, piece("category", "Comedy", group=1, strict=False))
    kept = [item for item in kept if item in ("funny", "western")]
    assert kept == sorted(kept, key=lambda item: item != first)
    assert not why
