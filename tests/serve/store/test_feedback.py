"""Feedback, lists shown and outcomes: each key counts once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldstart.serve.store import ArmOutcome, Conflict, KeyReused, NewEvent
from tests.serve.store.helpers import CANARY, begin


def test_a_repeated_key_returns_the_first_event(store):
    session = begin(store)
    like = NewEvent("k", "like", "50", "because")
    first = store.append(session.id, like)
    again = store.append(session.id, like)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.event == first.event
    assert store.events(session.id) == [first.event]
    for other in (
        replace(like, kind="dislike"),
        replace(like, item="51"),
        replace(like, item=None),
        replace(like, detail=CANARY),
    ):
        with pytest.raises(KeyReused, match="other feedback") as caught:
            store.append(session.id, other)
        assert CANARY not in str(caught.value)
    assert store.events(session.id) == [first.event]
    assert not store.append(begin(store).id, like).repeated  # keys are a session's own


def test_feedback_and_the_state_it_leads_to_are_stored_together(store):
    session = begin(store)
    like = NewEvent("k", "like", "50")
    done = store.append(session.id, like, replace(session, state="1"), 1)
    assert done.session == store.load(session.id)
    assert (done.session.state, done.session.version) == ("1", 2)
    again = store.append(session.id, like, replace(session, state="2"), 1)  # stale, but a repeat
    assert again.repeated
    assert again.session == done.session
    with pytest.raises(Conflict, match="version 2, expected 1"):
        store.append(session.id, replace(like, key="new"), replace(session, state="2"), 1)
    assert [e.key for e in store.events(session.id)] == ["k"]
    assert store.load(session.id).state == "1"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_of_feedback_is_kept_as_a_dictionary_would(store, data):
    short = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
    feedback = st.builds(
        NewEvent,
        st.sampled_from("abc"),
        st.sampled_from(["like", "dislike"]),
        st.none() | short.filter(bool),
        short,
    )
    session = begin(store, json.dumps(data.draw(short)))
    assert store.load(session.id) == session
    known = {}
    for said in data.draw(st.lists(feedback, max_size=8)):
        if known.setdefault(said.key, said) == said:
            store.append(session.id, said)
        else:
            with pytest.raises(KeyReused, match="other feedback"):
                store.append(session.id, said)
    stored = [NewEvent(e.key, e.kind, e.item, e.detail) for e in store.events(session.id)]
    assert stored == list(known.values())


def test_a_shown_list_is_recorded_once(store):
    session = begin(store, experiment="e", arm="B")
    first = store.expose(session.id, "r", ["50", "181"])
    assert (first.item_ids, first.ranks) == (("50", "181"), (1, 2))
    assert (first.artifact, first.arm) == ("ml-100k", "B")
    assert store.expose(session.id, "r", ["50", "181"]) == first
    with pytest.raises(KeyReused, match="another list"):
        store.expose(session.id, "r", ["181", "50"])
    other = store.expose(session.id, "r2", ["7", "8"], ranks=[3, 9], artifact="fallback")
    empty = store.expose(session.id, "r3", [])
    assert store.exposures(session.id) == [first, other, empty]
    assert (other.ranks, other.artifact) == ((3, 9), "fallback")


def test_outcomes_count_by_arm(store):
    a1, a2, a3 = (begin(store, experiment="e", arm="A") for _ in range(3))
    b = begin(store, experiment="e", arm="B")
    others = [begin(store, experiment="f", arm="A"), begin(store)]
    for n, (session, kind, item) in enumerate(
        [
            (a1, "like", "1"),
            (a1, "like", "2"),
            (a1, "like", "2"),  # liked twice: one like
            (a1, "dislike", "3"),
            (a2, "like", "1"),
            (a3, "like", None),  # of nothing: no like
            (b, "dislike", "1"),
            *((o, "like", "1") for o in others),
        ]
    ):
        store.append(session.id, NewEvent(str(n), kind, item))
    for session, n in ((a1, 3), (a3, 1), (b, 2), (others[0], 5)):
        for request in range(n):
            store.expose(session.id, str(request), ["1"])
    assert store.outcomes("e") == [ArmOutcome("A", 3, 4, 3, 2), ArmOutcome("B", 1, 2, 0, 0)]
    assert store.outcomes("f") == [ArmOutcome("A", 1, 5, 1, 1)]
    assert store.outcomes("nobody's") == []
    store.erase(a1.id)
    assert store.outcomes("e")[0] == ArmOutcome("A", 2, 1, 1, 1)
