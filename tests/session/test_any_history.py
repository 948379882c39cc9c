"""What a session promises at every point of any history."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coldstart.session import QUIZZES, OnboardingSession, SessionState
from tests.session.sessions import AGAIN, IDS, NOW, boost, start


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

    @rule(item=st.sampled_from(IDS))
    def forget(self, item):
        self.seen.discard(item)
        self.go(self.session.feedback(item, "forget"))
        profile = self.session.profile
        assert item not in {p.item for p in (*profile.liked, *profile.disliked, *profile.seen)}

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
