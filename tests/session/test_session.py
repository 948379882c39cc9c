"""Opinions and answers of an onboarding session, and what they do to its lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Catalog, Item, UserProfile
from coldstart.errors import CatalogError, ConfigError, ProfileError
from coldstart.ranking.filters import Categories
from coldstart.session import OnboardingSession
from coldstart.session.history import SNOOZE
from tests.session.sessions import NOW, REC, boost, ranked, start
from tests.toy import toy_catalog, toy_recommender

INDEPENDENT = [
    lambda s: s.feedback("i1", "dislike"),
    lambda s: s.feedback("i2", "seen"),
    lambda s: s.feedback("i5", "skip"),
    lambda s: s.say("no drama"),
    lambda s: s.say("from the 80s"),
    lambda s: s.with_profile({"age": 30, "liked": ["i7"]}),
    lambda s: s.boost(boost()),
]


@settings(max_examples=30)
@given(st.permutations(INDEPENDENT))
def test_the_order_of_independent_events_does_not_matter(actions):
    one, other = start(), start()
    for action in INDEPENDENT:
        one = action(one)
    for action in actions:
        other = action(other)
    assert ranked(one) == ranked(other)


def test_without_events_it_is_the_recommender():
    for strategy in ("prior", "catalog"):
        for profile in (UserProfile(age=24), UserProfile(liked="Alien", disliked="Fargo")):
            mine = start().with_profile(profile).recommend(7, strategy=strategy, diversity=0.3)
            given = REC.resolve(profile).profile
            assert mine == REC.recommend(given, k=7, strategy=strategy, diversity=0.3)


def test_likes_become_picks_latest_last_and_are_no_history():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    session = start().with_profile({"liked": ["Alien", "Heat"], "history": True})
    assert session.profile.history
    session = session.feedback("i0", "like", at=at)
    alien, heat = REC.catalog.find("Alien")[0], REC.catalog.find("Heat")[0]
    assert [p.item for p in session.profile.liked] == [alien, heat, "i0"]
    assert session.profile.liked[-1].at == at
    assert not session.profile.history
    again = session.feedback(alien, "like")
    assert [p.item for p in again.profile.liked] == [heat, "i0", alien]


@pytest.mark.parametrize("then", ["forget", "dislike"])
def test_a_like_that_is_taken_back_leaves_the_history_one(then):
    session = start().with_profile({"liked": ["Alien", "Heat"], "history": True})
    session = session.feedback("i0", "like").feedback("i0", "seen")
    assert not session.profile.history
    session = session.feedback("i0", then)
    assert len(session.profile.liked) == 2
    assert session.profile.history
    question = session.next_question()
    session = session.answer(question.question_id, "a")
    assert not session.profile.history
    assert session.answer(question.question_id, "neither").profile.history


def test_the_last_opinion_counts_and_seen_is_none():
    session = start().feedback("i1", "like").feedback("i1", "dislike").feedback("i1", "seen")
    assert not session.profile.liked
    assert [p.item for p in session.profile.disliked] == ["i1"]
    assert [p.item for p in session.feedback("i1", "like").profile.liked] == ["i1"]
    assert [p.item for p in session.feedback("i1", "like").profile.seen] == ["i1"]


@pytest.mark.parametrize("kind", ["like", "dislike", "seen", "skip"])
def test_what_is_forgotten_is_as_if_it_had_never_been(kind):
    before = start().feedback("i4", "like")
    after = before.feedback("i1", kind).feedback("i1", "forget")
    assert after.profile == before.profile
    assert ranked(after) == ranked(before)
    again = after.feedback("i1", "like")
    assert [p.item for p in again.profile.liked] == ["i4", "i1"]


def test_an_answer_is_forgotten_and_not_asked_again():
    session = start(quiz="popularity_entropy")
    question = session.next_question()
    after = session.answer(question.question_id, "like").feedback(question.items[0], "forget")
    assert not after.profile.liked
    assert after.next_question().question_id != question.question_id


def test_a_dislike_moves_away_what_is_like_it():
    before, after = start(), start().feedback("i1", "dislike")
    scored = [
        {r.item_id: r.score for r in s.recommend(30, strategy="prior", now=NOW)}
        for s in (before, after)
    ]
    close = {
        r.item_id: r.provenance.features["dislikes"] for r in after.recommend(30, strategy="prior")
    }
    lost = {i: scored[0][i] - scored[1][i] for i in scored[1]}
    nearest, farthest = max(close, key=close.get), min(close, key=close.get)
    assert lost[nearest] > lost[farthest] >= 0


@pytest.mark.parametrize("kind", ["skip", "not_now"])
def test_what_is_skipped_comes_back_after_some_lists_and_is_no_dislike(kind):
    first = ranked(start())[0]
    session = start().feedback(first, kind)
    assert not session.profile.disliked
    for _ in range(SNOOZE):
        assert first not in ranked(session)
        session = session.shown(["i0"])
    assert first in ranked(session)
    dropped = start().feedback(first, kind).recommend(3, strategy="prior").dropped
    assert [(d.item_id, d.filter) for d in dropped] == [(first, "session")]


def test_seen_holds_whatever_the_filters():
    session = start().feedback("i1", "seen")
    result = session.recommend(30, filters=[Categories(include=["Sci-Fi"])], strategy="prior")
    assert "i1" not in result.item_ids
    assert len(result) > 3


def test_another_answer_takes_the_place_of_the_first():
    session = start(quiz="popularity_entropy")
    question = session.next_question()
    item = question.items[0]
    session = session.answer(question.question_id, "like")
    assert [p.item for p in session.profile.liked] == [item]
    changed = session.answer(question.question_id, "unknown")
    assert not changed.profile.liked
    assert not changed.profile.disliked
    assert changed.answers == {question.question_id: "unknown"}
    assert item in ranked(changed)
    assert [p.item for p in session.profile.liked] == [item]


def test_a_pair_is_a_pick_two_dislikes_or_nothing():
    question = start(quiz="pairs").next_question()
    a, b = question.items

    def after(answer):
        profile = start(quiz="pairs").answer(question.question_id, answer).profile
        return [p.item for p in profile.liked], [p.item for p in profile.disliked]

    assert after("a") == ([a], [])
    assert after("b") == ([b], [])
    assert after("neither") == ([], [a, b])
    assert after("unknown") == ([], [])


def test_categories_become_interests():
    session = start(quiz="categories")
    question = session.next_question()
    assert {c.value for c in question.choices} == {"Sci-Fi", "Drama"}
    chosen = session.answer("categories", ["Sci-Fi"])
    assert chosen.profile.interests == ("Sci-Fi",)
    assert session.answer("categories", []).profile.interests == ()
    assert chosen.next_question().kind == "item"


def test_a_question_put_can_be_answered_later():
    session = start(quiz="information_gain")
    question = session.next_question()
    with pytest.raises(ConfigError, match="was not asked"):
        session.feedback(question.items[0], "like").answer(question.question_id, "like")
    put = session.ask()
    assert put.ask() is put
    later = put.feedback(question.items[0], "like")
    assert later.next_question() == question
    assert later.answer(question.question_id, "dislike").profile.disliked


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda s: s.answer("item:nope", "like"), ConfigError, "was not asked"),
        (lambda s: s.answer(s.next_question().question_id, "maybe"), ConfigError, "unknown"),
        (lambda s: s.answer(s.next_question().question_id, ["like"]), ConfigError, "no answer"),
        (lambda s: s.answer(s.next_question().question_id, None), ConfigError, "no answer"),
        (lambda s: s.feedback("nope", "like"), ProfileError, "no item 'nope'"),
        (lambda s: s.feedback(["i1"], "like"), ProfileError, "no item"),
        (lambda s: s.feedback("i1", "love"), ConfigError, "not_now"),
        (lambda s: s.shown(["nope"]), ProfileError, "no item 'nope'"),
        (lambda s: s.boost(boost(items=["nope"])), ProfileError, "no item 'nope'"),
        (lambda s: s.shown([1]), ProfileError, "no item 1"),
        (lambda s: s.feedback("Alien", "like"), ProfileError, "such as that of 'Alien'"),
        (lambda s: s.feedback("i1", "like", at="yesterday"), ConfigError, "at: "),
        (lambda s: s.boost({"name": "x"}), ConfigError, "until"),
        (
            lambda s: s.boost({"name": "x", "items": [], "amount": 1, "until": "2026-01-01"}),
            ConfigError,
            "timezone",
        ),
        (lambda s: s.say(" \n"), ProfileError, "say what you like"),
        (lambda s: s.say(7), ProfileError, "the text is 7"),
        (lambda s: s.say("a" * 2001), ProfileError, "2001 characters"),
        (lambda s: s.with_profile({"liked": ["Nope"]}), ProfileError, "neither an id nor a title"),
        (lambda s: s.with_profile({"shoe": 1}), ProfileError, "shoe"),
        (lambda s: s.recommend(0), ConfigError, "k is 0"),
        (lambda s: s.recommend(now=datetime(2026, 1, 1)), ConfigError, "time zone"),
        (lambda s: start(quiz="nope"), ConfigError, "one of information_gain"),
        (lambda s: start(exploration=1.5), ConfigError, "from 0 to 1"),
        (lambda s: start(exploration="a"), ConfigError, "from 0 to 1"),
        (lambda s: start(seed=-1), ConfigError, "whole number"),
        (lambda s: start(state={"version": 9}), ConfigError, "version"),
        (lambda s: start(state={"events": [{"kind": "nope"}]}), ConfigError, "events"),
        (
            lambda s: start(
                state={"events": [{"kind": "answered", "question_id": "x", "answer": "like"}]}
            ),
            ConfigError,
            "before it is asked",
        ),
        (lambda s: OnboardingSession(toy_recommender(Catalog())), CatalogError, "empty"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(action, error, match):
    with pytest.raises(error, match=match):
        action(start())


@pytest.mark.parametrize("first", [*INDEPENDENT, lambda s: s.ask(), lambda s: s.shown(["i1"])])
def test_anything_can_come_first(first):
    session = first(OnboardingSession(toy_recommender()))
    assert session.understood.text == first(start()).understood.text
    assert len(session.state.events) == 1


def test_a_session_follows_a_catalog_that_changes_under_it():
    rec = toy_recommender(toy_catalog())
    session = OnboardingSession(rec, exploration=0.3).say("no drama")
    assert ranked(session)
    rec.catalog.remove(["i0", "i5"])
    rec.catalog.add(Item(item_id="new", title="Brand New", year=1999))
    allowed = {item.item_id for item in rec.catalog if "Drama" not in item.categories}
    assert set(ranked(session)) == allowed >= {"new", "i1"}
    assert not {"i0", "i5"} & set(session.next_question().items)
    assert session.say("Brand New").understood.liked == ("new",)


def test_items_that_left_the_catalog_are_passed_over():
    rec = toy_recommender(toy_catalog())
    session = OnboardingSession(rec).feedback("i1", "like").feedback("i2", "seen")
    session = session.boost(boost(items=["i1"])).shown(["i1", "i2"])
    session = session.answer(session.next_question().question_id, "unknown")
    rec.catalog.remove(["i1", "i2"])
    again = OnboardingSession(rec, session.state)
    assert "i1" not in ranked(again)
    assert again.next_question() is not None
    assert again.exposed == ("i1", "i2")
