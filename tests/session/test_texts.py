"""Texts of a session: what is understood by rule, and what that does to the lists."""

from __future__ import annotations

import gc
import weakref

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Catalog, Item, UserProfile
from coldstart.errors import ProfileError
from coldstart.ranking.filters import Categories, Years
from coldstart.schema import Context, Piece, Understood
from coldstart.session import OnboardingSession, SessionState
from coldstart.session.adjustments import UNWANTED_WORTH, YEARS_WORTH, session_adjustments
from coldstart.session.history import History
from tests.session.sessions import IDS, NOW, REC, ranked_lines, start
from tests.toy import toy_catalog, toy_recommender


def pieces(understood) -> list[tuple[str, str, bool]]:
    return [(p.kind, p.value, p.wanted) for p in understood.pieces]


def test_a_text_is_read_in_the_vocabulary_of_the_catalog():
    understood = start().say("science fiction like Fargo, but no dramas").understood
    fargo = next(i for i in IDS if REC.catalog[i].title == "Fargo")
    assert pieces(understood) == [
        ("category", "Sci-Fi", True),
        ("title", fargo, True),
        ("category", "Drama", False),
    ]
    assert start().say("asdf qwer").understood.nothing


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        session = start().say(text)
    except ProfileError:
        assert not text.strip() or not text.isprintable()
        return
    assert set(session.understood.liked) | set(session.understood.disliked) <= set(IDS)
    assert SessionState.model_validate_json(session.state.model_dump_json()) == session.state


def test_a_title_with_the_name_of_a_category_in_it_is_a_title():
    rec = toy_recommender(
        Catalog.from_items(
            Item(item_id=n, title=t, categories=("War",))
            for n, t in enumerate(("Star Wars", "War", "Brazil"))
        )
    )
    read = OnboardingSession(rec).say
    assert pieces(read("a fan of Star Wars").understood) == [("title", "0", True)]
    assert pieces(read("I like War films").understood) == [("category", "War", True)]


def test_what_was_said_moves_the_list_and_says_so():
    session = start().say("from the 80s, no drama")
    result = session.recommend(30, strategy="prior", now=NOW)
    plain = {r.item_id: r for r in start().recommend(30, strategy="prior", now=NOW)}
    for r in result:
        item, parts = REC.catalog[r.item_id], r.provenance.contributions
        assert parts.get("years", 0.0) == (YEARS_WORTH if 1980 <= item.year < 1990 else 0.0)
        assert parts.get("unwanted", 0.0) == (UNWANTED_WORTH if "Drama" in item.categories else 0.0)
        assert ("you named" in r.reason) == ("years" in parts)
        assert ("do not want Drama" in r.reason) == ("unwanted" in parts)
    assert result.item_ids != list(plain)
    wanted = session.say("drama after all")
    assert all("unwanted" not in r.provenance.contributions for r in ranked_lines(wanted))
    assert wanted.profile.interests == ("Drama",)


YEARS = st.none() | st.integers(1890, 2030)
NAMES = ("Drama", "Sci-Fi", "War", "drama", "Film Noir")


def read_as(spans, unwanted) -> Understood:
    where = {"words": "x", "start": 0, "end": 1}
    found = [Piece(kind="category", value=n, wanted=False, **where) for n in unwanted]
    if spans:
        found.append(Piece(kind="years", value="", first=spans[0], last=spans[1], **where))
    return Understood(text="x", pieces=tuple(found))


@given(
    items=st.lists(st.tuples(YEARS, st.lists(st.sampled_from(NAMES), max_size=3)), max_size=12),
    spans=st.none() | st.tuples(YEARS, YEARS).filter(lambda x: x != (None, None)),
    unwanted=st.lists(st.sampled_from((*NAMES, "Unheard of")), max_size=3),
)
def test_years_and_categories_are_found_as_by_filters(items, spans, unwanted):
    made = [
        Item(item_id=str(n), title=f"Film {n}", year=year, categories=categories)
        for n, (year, categories) in enumerate(items)
    ]
    item_store = toy_recommender(Catalog(made)).item_store
    item_store.sync()
    if spans and None not in spans:
        spans = tuple(sorted(spans))
    said = read_as(spans, unwanted)
    found = {a.name: a for a in session_adjustments(History(texts=[said]), item_store, NOW)}
    who = UserProfile(), Context()
    years, categories = Years(*(spans or ())), Categories(exclude=unwanted)
    expected = {
        "years": {i.item_id for i in made if spans and years.reject(i, *who) is None},
        "unwanted": {i.item_id for i in made if categories.reject(i, *who)},
    }
    assert {name: set(a.items) for name, a in found.items()} == {
        name: ids for name, ids in expected.items() if ids
    }
    part = item_store.part(np.arange(0, len(made), 2), ())
    for one in found.values():
        assert one.items == expected[one.name]
        assert len(one.items) == len(expected[one.name])
        for known in (item_store, part):
            rows = known.rows_of(one.items)
            assert sorted(rows) == [n for n, i in enumerate(known.ids) if i in expected[one.name]]
            assert sorted(known.rows_of(frozenset(one.items))) == sorted(rows)
            assert sorted(known.rows_of(list(one.items))) == sorted(rows)


def test_reading_texts_does_not_keep_what_it_knows_alive():
    rec = toy_recommender(toy_catalog())
    OnboardingSession(rec).say("no drama").recommend(3, strategy="prior", now=NOW)
    left = weakref.ref(rec.item_store)
    del rec
    gc.collect()
    assert left() is None


def test_rejections_are_not_put_into_the_profile_as_wishes():
    session = start().with_profile({"about": "I watch a lot"}).say("dark films but no horror")
    assert session.profile.about == "I watch a lot. dark films"
