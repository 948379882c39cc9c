"""Feedback by position: what is new, and what was erased."""

from __future__ import annotations

from coldstart.serve.store import NewEvent
from coldstart.serve.store.like_log import START
from coldstart.serve.store.subjects import pseudonym
from coldstart.testing.contracts.store_world import begin


def like(store, session, key, item="50"):
    store.append(session.id, NewEvent(key, "like", item))


def react(store, subject, kind="like", item="50", key="k"):
    shown = store.show(subject, [item], experiment="e", arm="A", artifact="x")
    store.record(shown, key, kind, item)


def test_rows_are_counted_by_person_from_a_position_on(store):
    one, two = begin(store), begin(store)
    like(store, one, "1"), like(store, one, "2", "181"), like(store, two, "1")
    react(store, "customer 7"), react(store, "customer 7", "buy")
    first = store.feedback()
    assert first.sessions == {one.id: 2, two.id: 1}
    assert first.subjects == {pseudonym(store._secret, "customer 7"): 2}
    assert first.total == store.feedback_total(first.last) == (3, 2)
    assert store.feedback(first.last).total == (0, 0)
    assert store.feedback(first.last).last == first.last
    like(store, two, "2")
    assert store.feedback(first.last).sessions == {two.id: 1}
    assert store.feedback(START, first.last).sessions == first.sessions


def test_an_erased_person_lowers_the_total(store):
    one, two = begin(store), begin(store)
    like(store, one, "1"), like(store, two, "1")
    react(store, "customer 7")
    found = store.feedback()
    store.erase(one.id)
    store.erase_subject("customer 7")
    assert store.feedback_total(found.last) == (1, 0)
    assert store.feedback(START, found.last).sessions == {two.id: 1}


def test_states_and_outcomes_of_people(store):
    one = begin(store)
    react(store, "a", "click"), react(store, "a", "buy", "181"), react(store, "b", "dislike")
    store.erase_subject("b")
    assert set(store.session_states([one.id, "gone"])) == {one.id}
    name = pseudonym(store._secret, "a")
    assert store.outcomes_of([name, "gone"]) == {name: [("click", "50"), ("buy", "181")]}
    assert store.session_states([]) == store.outcomes_of([]) == {}
