"""Texts of a session: read as everywhere, obeyed by the lists, the newest first."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.errors import ProfileError
from coldstart.session import OnboardingSession, SessionState
from tests.session.sessions import IDS, NOW, REC, start
from tests.toy import toy_catalog, toy_recommender


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


@pytest.mark.parametrize(
    ("text", "match"),
    [("", "the text is ''"), (None, "the text is None"), ("x" * 2001, "2001 characters")],
)
def test_no_text_and_too_much_of_it_are_refused(text, match):
    with pytest.raises(ProfileError, match=match):
        start().say(text)


def test_what_was_said_is_obeyed_as_by_the_recommender():
    session = start().say("from the 80s, no drama")
    found = session.recommend(30, strategy="prior", now=NOW)
    assert len(found) > 0
    for line in found:
        item = REC.catalog[line.item_id]
        assert 1980 <= item.year < 1990
        assert "Drama" not in item.categories
        assert "rama" not in line.reason
    assert found.dropped_counts["request"] > 0
    assert found.understood.values("category", wanted=False) == ("Drama",)
    other = REC.recommend({"about": "from the 80s, no drama"}, k=30, strategy="prior")
    assert set(found.item_ids) == set(other.item_ids)


def test_the_newest_text_wins():
    session = start().say("from the 80s, no drama").say("dramas after all, from the 70s")
    found = session.recommend(3, strategy="prior", now=NOW)
    for line in found:
        item = REC.catalog[line.item_id]
        assert 1970 <= item.year < 1980
        assert item.categories == ("Drama",)
    assert session.profile.interests == ("Drama",)
    assert found.understood.values("category", wanted=False) == ()


def test_a_text_may_be_a_signal_only():
    session = start().say("from the 80s, no drama")
    loose = session.recommend(30, strategy="prior", now=NOW, strict=False)
    assert any(not 1980 <= line.year < 1990 for line in loose)
    assert "request" not in loose.dropped_counts


def test_the_context_of_one_list_is_read_for_that_list_alone():
    session = start().say("no drama")
    night = session.recommend(30, {"occasion": "from the 80s"}, strategy="prior", now=NOW)
    assert all(1980 <= line.year < 1990 for line in night)
    assert any(not 1980 <= line.year < 1990 for line in session.recommend(30, strategy="prior"))


def test_explored_places_obey_as_well():
    session = OnboardingSession(REC, exploration=0.5).say("science fiction, from the 70s")
    found = session.recommend(4, strategy="prior", now=NOW)
    for line in found:
        item = REC.catalog[line.item_id]
        assert item.year < 1980
        assert item.categories == ("Sci-Fi",)


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
