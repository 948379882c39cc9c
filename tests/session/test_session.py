"""The onboarding session: what it promises at every point of any history."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coldstart import Catalog, Item, UserProfile
from coldstart.errors import CatalogError, ConfigError, ProfileError
from coldstart.profile.understanding import _MOST_WORDS, _WORD, Understanding, Understood
from coldstart.ranking.filters import Categories, Years
from coldstart.schema import Context
from coldstart.session import QUIZZES, Boost, OnboardingSession, SessionState
from coldstart.session.adjustments import UNWANTED_WORTH, YEARS_WORTH, session_adjustments
from coldstart.session.history import SNOOZE, History
from tests.toy import toy_catalog, toy_recommender

NOW = datetime(2026, 5, 1, tzinfo=UTC)
REC, AGAIN = toy_recommender(), toy_recommender()
IDS = list(toy_catalog().ids)


def start(**options) -> OnboardingSession:
    return OnboardingSession(REC, **options)


def ranked(session: OnboardingSession, k: int = 30) -> list[str]:
    return session.recommend(k, strategy="prior", now=NOW).item_ids


def boost(name: str = "summer", items=("i3",), amount=5.0, days=1) -> Boost:
    return Boost(name=name, items=tuple(items), amount=amount, until=NOW + timedelta(days=days))


# -- any history --------------------------------------------------------------------------------


@settings(
    max_examples=15, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
class AnyHistory(RuleBasedStateMachine):
    """Whatever happens, in whatever order: promises of the session that comes out."""

    @initialize(quiz=st.sampled_from(sorted(QUIZZES)), share=st.sampled_from([0.0, 0.3]))
    def begin(self, quiz, share):
        self.options = {"quiz": quiz, "exploration": share, "seed": 3}
        self.session = start(**self.options)
        self.before = [(self.session, self.session.state.model_dump_json())]
        self.seen: set[str] = set()

    def go(self, session):
        assert session.state.events[: len(self.session.state.events)] == self.session.state.events
        self.session = session
        self.before.append((session, session.state.model_dump_json()))

    @rule(age=st.integers(0, 99), liked=st.lists(st.sampled_from(IDS), max_size=3))
    def profile(self, age, liked):
        self.go(self.session.with_profile({"age": age, "liked": liked}))

    @precondition(lambda self: self.session.next_question() is not None)
    @rule(data=st.data(), put=st.booleans())
    def answer(self, data, put):
        question = self.session.next_question()
        values = [c.value for c in question.choices]
        one = st.sampled_from(values)
        many = st.lists(one, unique=True)
        answer = data.draw(many if question.kind == "categories" else one)
        asked = self.session.ask() if put else self.session
        self.go(asked.answer(question.question_id, answer))
        assert self.session.answers[question.question_id] == question.read(answer)
        assert self.session.answer(question.question_id, answer).state == self.session.state

    @rule(item=st.sampled_from(IDS), kind=st.sampled_from(["like", "dislike", "skip", "not_now"]))
    def feedback(self, item, kind):
        self.go(self.session.feedback(item, kind))

    @rule(item=st.sampled_from(IDS))
    def see(self, item):
        self.seen.add(item)
        self.go(self.session.feedback(item, "seen"))

    @rule(text=st.sampled_from(["no drama", "Sci-Fi from the 80s", "I loved Alien", "zzz", "dark"]))
    def say(self, text):
        self.go(self.session.say(text))

    @rule(items=st.lists(st.sampled_from(IDS), min_size=1, max_size=3), amount=st.floats(-9, 9))
    def put_boost(self, items, amount):
        self.go(self.session.boost(boost("b", items, amount)))

    @rule(k=st.integers(1, 8))
    def show(self, k):
        result = self.session.recommend(k, strategy="prior", now=NOW)
        self.go(self.session.shown(result))
        assert set(result.item_ids) <= set(self.session.exposed)

    @invariant()
    def resuming_gives_the_same_question_and_list(self):
        read = SessionState.model_validate_json(self.session.state.model_dump_json())
        assert read == self.session.state
        again = OnboardingSession(AGAIN, read, **self.options)
        assert again.next_question() == self.session.next_question()
        assert again.profile == self.session.profile
        ask = {"k": 6, "strategy": "prior", "now": NOW}
        assert again.recommend(**ask) == self.session.recommend(**ask)

    @invariant()
    def a_list_holds_nothing_known(self):
        result = self.session.recommend(30, strategy="prior", now=NOW)
        profile = self.session.profile
        known = {p.item for p in (*profile.liked, *profile.disliked)} | self.seen
        assert not known & set(result.item_ids)
        assert not {p.item for p in profile.liked} & {p.item for p in profile.disliked}
        assert len(result.item_ids) == len(set(result.item_ids))
        assert [r.rank for r in result] == list(range(1, len(result) + 1))
        for r in result:
            assert sum(r.provenance.contributions.values()) == pytest.approx(r.score)

    @invariant()
    def a_question_is_new_and_about_something_open(self):
        question = self.session.next_question()
        if question is None:
            return
        assert question.question_id not in self.session.answers
        assert not self.seen & set(question.items)

    def teardown(self):
        for session, dump in getattr(self, "before", ()):
            assert session.state.model_dump_json() == dump


TestAnyHistory = AnyHistory.TestCase


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


# -- opinions -----------------------------------------------------------------------------------


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


def test_the_last_opinion_counts_and_seen_is_none():
    session = start().feedback("i1", "like").feedback("i1", "dislike").feedback("i1", "seen")
    assert not session.profile.liked
    assert [p.item for p in session.profile.disliked] == ["i1"]
    assert [p.item for p in session.feedback("i1", "like").profile.liked] == ["i1"]
    assert [p.item for p in session.feedback("i1", "like").profile.seen] == ["i1"]


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


# -- answers ------------------------------------------------------------------------------------


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
    assert set(ranked(session)) == set(rec.catalog.ids)
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


# -- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I love sci fi", {"categories": ("Sci-Fi",)}),
        ("science fiction, but no dramas", {"categories": ("Sci-Fi",), "unwanted": ("Drama",)}),
        ("dark and funny", {"tone": ("dark", "funny")}),
        ("a slow burn", {"tone": ("slow", "slow-burn")}),
        ("not gory", {}),
        ("something like Toy Story 2", {"liked": ("Toy Story 2",)}),
        ("I hated Pulp Fiction", {"disliked": ("Pulp Fiction",)}),
        ("Pulp Fiction! hate Fargo", {"liked": ("Pulp Fiction",), "disliked": ("Fargo",)}),
        ("I loved Alien and Heat", {"liked": ("Alien", "Heat")}),
        ("no contact, please: I feel the heat and scream", {}),
        ("Heat", {"liked": ("Heat",)}),
        ("The Matrix was not bad", {"liked": ("The Matrix",)}),
        ("a big fan of Aliens, Star Wars", {"liked": ("Aliens", "Star Wars")}),
        ("films from the 90s", {"years": (1990, 1999)}),
        ("the seventies or 1980s", {"years": (1970, 1989)}),
        ("after 1980", {"years": (1981, None)}),
        ("between 1975 and 1979", {"years": (1975, 1979)}),
        ("after 1990 but before 1980", {}),
        ("I am in my 40s", {}),
        ("nothing from the 90s", {}),
        ("not only drama", {"categories": ("Drama",)}),
        ("霸王别姬", {"liked": ("霸王别姬",)}),
        ("asdf qwer", {}),
    ],
)  # fmt: skip
def test_texts_are_read_by_rule(text, found):
    understood = start().say(text).understood
    titles = {i: REC.catalog[i].title for i in IDS}
    read = {
        "categories": understood.categories,
        "unwanted": understood.unwanted,
        "tone": understood.tone,
        "liked": tuple(titles[i] for i in understood.liked),
        "disliked": tuple(titles[i] for i in understood.disliked),
        "years": understood.years,
    }
    assert {k: v for k, v in read.items() if v} == found
    assert understood.titles == {i: titles[i] for i in (*understood.liked, *understood.disliked)}
    assert all(t in understood.message for t in understood.titles.values())
    assert understood.nothing == (not found)
    assert understood.message.startswith("None of these" if not found else "Understood: ")


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
    "piece", ["!", "A ", "No ", "The Toy Story ", "90s ", "from 1990 to ", "'"]
)
def test_a_long_text_is_looked_up_a_few_times_a_word(piece, monkeypatch):
    """benchmarks/steps.py says how long that takes."""
    once, spans = Understanding._is_title, []
    monkeypatch.setattr(
        Understanding, "_is_title", lambda self, *span: spans.append(span) or once(self, *span)
    )
    text = (piece * 2000)[:1990] + "I like it"
    assert len(start().say(text).recommend(3, strategy="prior", now=NOW)) == 3
    words = len(_WORD.findall(text))
    assert words <= len(spans) <= _MOST_WORDS * words


def test_a_title_with_the_name_of_a_category_in_it_is_a_title():
    rec = toy_recommender(
        Catalog.from_items(
            Item(item_id=n, title=t, categories=("War",))
            for n, t in enumerate(("Star Wars", "War", "Brazil"))
        )
    )
    read = OnboardingSession(rec).say
    assert read("a fan of Star Wars").understood.categories == ()
    assert read("a fan of Star Wars").understood.liked == ("0",)
    assert read("I like War films").understood.categories == ("War",)
    assert read("I like War films").understood.liked == ()


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


def ranked_lines(session):
    return session.recommend(30, strategy="prior", now=NOW).items


YEARS = st.none() | st.integers(1890, 2030)
NAMES = ("Drama", "Sci-Fi", "War", "drama", "Film Noir")


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
    said = Understood(text="x", years=spans, unwanted=tuple(unwanted))
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


# -- boosts and exploration ---------------------------------------------------------------------


def test_a_boost_is_seen_in_score_reason_and_notes_until_it_expires():
    last = ranked(start())[-1]
    session = start().boost(boost(items=[last], amount=50.0))
    before = {r.item_id: r.score for r in ranked_lines(start())}
    result = session.recommend(3, strategy="prior", now=NOW)
    assert result[0].item_id == last
    assert result[0].score == pytest.approx(before[last] + 50)
    assert result[0].provenance.contributions["boost:summer"] == 50
    assert "'summer' (+50.00 points)" in result[0].reason
    assert any("'summer' adds +50.00" in n for n in result.notes)
    late = NOW + timedelta(days=1)
    assert session.recommend(3, strategy="prior", now=late) == start().recommend(
        3, strategy="prior", now=late
    )
    replaced = session.boost(boost(items=[last], amount=0.0))
    assert ranked(replaced) == ranked(start())
    assert session.boost(boost("winter", [last], -99.0)).recommend(
        30, strategy="prior", now=NOW
    )[-1].provenance.contributions["boost:winter"] == -99  # fmt: skip


@pytest.mark.parametrize("small", [{"pool_from": 2}, {"shortlist": 1}, {}])
def test_what_is_boosted_enough_is_shown_from_a_catalog_of_any_size(small):
    rec = toy_recommender(**small)
    everything = rec.recommend({}, k=len(rec.catalog), strategy="prior")
    last = everything[-1].item_id
    session = OnboardingSession(rec).boost(boost(items=[last], amount=50.0))
    for strategy in ("catalog", "prior", "both"):
        top = session.recommend(1, strategy=strategy, now=NOW)[0]
        assert top.item_id == last
        if strategy != "prior":  # the model was asked about it
            assert "model" in top.provenance.contributions or top.provenance.logprob is not None


def test_a_boost_shows_nothing_that_may_not_be_shown():
    session = start().feedback("i3", "seen").boost(boost(items=["i3"], amount=99.0))
    assert "i3" not in ranked(session)


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_a_share_of_the_places_explores_and_says_so(share):
    best = start().recommend(10, strategy="prior", now=NOW)
    session = start(exploration=share, quiz="random").shown(best.item_ids[:1])
    result = session.recommend(10, strategy="prior", now=NOW)
    places = round(10 * share)
    exploring = [r for r in result if "Shown to learn your taste" in r.reason]
    assert len(result) == 10
    assert [r.rank for r in exploring] == list(range(11 - places, 11))
    assert result.item_ids[: 10 - places] == best.item_ids[: 10 - places]
    assert not set(session.exposed) & {r.item_id for r in exploring}
    assert any(f"{places} of 10 places explore" in n for n in result.notes)


def test_too_little_exploration_for_a_place_is_none():
    assert start(exploration=0.04).recommend(10, strategy="prior", now=NOW) == start().recommend(
        10, strategy="prior", now=NOW
    )


def test_an_item_unsuitable_for_the_age_is_not_asked_about():
    items = [Item(item_id=i, title=f"Film {i}", min_age=18) for i in IDS[:3]]
    rec = toy_recommender(Catalog.from_items([*items, Item(item_id="x", title="Any")]))
    session = OnboardingSession(rec, quiz="random").with_profile({"age": 12})
    question = session.next_question()
    assert question.items == ("x",)
    assert session.answer(question.question_id, "unknown").next_question() is None
