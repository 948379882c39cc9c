"""All sessions and outcomes at once, to train from: none that was erased, none that expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from coldstart.serve.store import NewEvent, Store, StoreError, WrongKey
from coldstart.testing.contracts.store_world import CANARY, Clock, begin, show


def test_every_session_comes_once_with_its_events(store):
    made = {begin(store).id: n for n in range(7)}
    for session_id, n in made.items():
        for at in range(n):
            store.append(session_id, NewEvent(f"k{at}", "like", str(at), CANARY))
    for batch in (1, 2, 7, 500):
        found = {v.session.id: [e.item for e in v.events] for v in store.visits(batch=batch)}
        assert found == {i: [str(at) for at in range(n)] for i, n in made.items()}
    assert len(list(store.visits(batch=3))) == 7
    with pytest.raises(StoreError, match="batch: expected 1"):
        next(store.visits(batch=0))


def test_what_was_erased_or_expired_is_not_there(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        gone, short, kept = begin(store), begin(store, ttl=timedelta(days=1)), begin(store)
        for session in (gone, short, kept):
            store.append(session.id, NewEvent("k", "like", "50"))
        for subject, days in (("gone", 30), ("short", 1), ("kept", 30)):
            shown = show(store, subject, ttl=timedelta(days=days))
            store.record(shown, "k", "like", "50")
            store.record(shown, "k2", "buy", "181")
        store.erase(gone.id)
        store.erase_subject("gone")
        clock.now += timedelta(days=2)
        assert [v.session.id for v in store.visits()] == [kept.id]
        (one,) = store.all_subject_outcomes()
        assert [(kind, item) for kind, item, _ in one.outcomes] == [("like", "50"), ("buy", "181")]
        assert one.subject not in repr(one)
        assert kept.id not in repr(list(store.visits()))


def test_outcomes_of_one_subject_stay_together(store):
    for n in range(3):
        for subject in ("a", "b"):
            store.record(show(store, subject), "k", "like", ("50", "181")[n % 2])
    found = [[item for _, item, _ in s.outcomes] for s in store.all_subject_outcomes()]
    assert found == [["50", "181", "50"]] * 2


def test_an_encrypted_store_is_read_with_its_key_only(url):
    key, other = (Fernet.generate_key().decode() for _ in range(2))
    with Store.open(url, secret_key=key) as store:
        begin(store)
        assert [CANARY in v.session.state for v in store.visits()] == [True]
    for wrong in (other, ""):
        with pytest.raises(WrongKey, match="key"):
            Store.open(url, secret_key=wrong)
