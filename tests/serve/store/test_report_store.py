"""Newest rows for reports: none that was erased, none that expired, none that is too old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from coldstart.serve.store import NewEvent, Store, StoreError
from coldstart.testing.contracts.store_world import CANARY, Clock, begin, show

MOST = 1000


def test_sessions_come_newest_first_and_at_most_so_many(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        made = []
        for _ in range(7):
            made.append(begin(store).id)
            clock.now += timedelta(hours=1)
        for batch in (1, 3, 500):
            assert [s.id for s in store.newest_sessions(5, batch=batch)] == made[:1:-1]
        store.erase(made[6])
        clock.now += timedelta(days=30) - timedelta(hours=5)  # the first three have expired
        assert [s.id for s in store.newest_sessions(MOST)] == made[5:2:-1]
    with pytest.raises(StoreError, match="batch: expected 1"):
        next(store.newest_sessions(5, batch=0))


def test_lists_and_reactions_are_those_since_a_time_whoever_saw_them(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        session, start = begin(store, experiment="e", arm="A"), clock.now
        for n in range(6):
            store.expose(session.id, f"r{n}", [f"i{n}", "x"])
            store.append(session.id, NewEvent(f"k{n}", "like", f"i{n}"))
            store.append(session.id, NewEvent(f"t{n}", "text", None, CANARY))
            shown = store.show("ann", [f"i{n}"], experiment="e", arm="B", artifact="toy")
            store.record(shown, "k", "buy", f"i{n}")
            clock.now += timedelta(hours=1)
        since = start + timedelta(hours=3)
        for batch in (1, 2, 500):
            found = store.newest_lists(since, MOST, batch=batch)
            assert found.complete
            lists = found.rows
            assert [x.item_ids for x in lists] == [
                ("i5", "x"), ("i4", "x"), ("i3", "x"), ("i5",), ("i4",), ("i3",),
            ]  # fmt: skip
            events = store.newest_reactions(since, MOST, batch=batch).rows
            assert [(e.kind, e.item) for e in events] == [
                *(("like", f"i{n}") for n in (5, 4, 3)),
                *(("buy", f"i{n}") for n in (5, 4, 3)),
            ]
        people = {x.person for x in lists}
        assert {e.person for e in events} == people
        assert len(people) == 2
        assert "ann" not in repr(people)
        assert not any(person in repr([*lists, *events]) for person in people)
        assert [(x.experiment, x.arm) for x in lists] == [("e", "A")] * 3 + [("e", "B")] * 3
        for most, complete in ((2, False), (6, True), (MOST, True)):
            for batch in (1, 2, 3, 500):
                found = store.newest_lists(start, most, batch=batch)
                assert (len(found.rows), found.complete) == (2 * min(6, most), complete)
        some = store.newest_reactions(start, 6)  # a text is an event, of which no item comes
        assert ([e.kind for e in some.rows], some.complete) == (["like"] * 3 + ["buy"] * 6, False)


def test_what_was_erased_or_expired_is_not_counted(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        start = clock.now
        gone, short, kept = begin(store), begin(store, ttl=timedelta(days=1)), begin(store)
        for session in (gone, short, kept):
            store.expose(session.id, "r", [session.id[:4]])
            store.append(session.id, NewEvent("k", "like", session.id[:4]))
        for subject, days in (("gone", 30), ("short", 1), ("kept", 30)):
            shown = show(store, subject, ttl=timedelta(days=days))
            store.record(shown, "k", "like", "50")
        store.erase(gone.id)
        store.erase_subject("gone")
        clock.now += timedelta(days=2)
        lists = store.newest_lists(start, MOST).rows
        assert [x.item_ids[0] for x in lists[:1]] == [kept.id[:4]]
        assert len(lists) == 2
        assert len(store.newest_reactions(start, MOST).rows) == 2


def test_an_encrypted_store_is_read_with_its_key(url):
    with Store.open(url, secret_key=Fernet.generate_key().decode()) as store:
        begin(store)
        assert [CANARY in s.state for s in store.newest_sessions(MOST)] == [True]
