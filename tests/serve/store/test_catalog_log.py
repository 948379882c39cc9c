"""The log of changes of the catalog."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from coldstart.serve.store import NewChange, StaleCatalog, Store, StoreError


def test_who_follows_the_catalog_log_misses_nothing(url):
    """Numbers must appear in the order of commits, or a follower skips the one that was slow."""
    seen, after, done = [], 0, threading.Event()

    def log(writer):
        with Store.open(url) as store:
            for n in range(40):
                store.log_change("add", f"{writer}-{n}", "{}")

    def follow():
        nonlocal after
        with Store.open(url) as store:
            while True:
                last_round = done.is_set()
                new = store.changes(after)
                seen.extend(c.item_id for c in new)
                after = new[-1].seq if new else after
                if last_round:
                    return

    with Store.open(url), ThreadPoolExecutor(4) as pool:
        follower = pool.submit(follow)
        list(pool.map(log, range(3)))
        done.set()
        follower.result()
    assert Counter(seen) == Counter(f"{w}-{n}" for w in range(3) for n in range(40))


def test_a_log_that_was_compacted_is_followed_as_before(url):
    with Store.open(url) as one, Store.open(url) as other:
        one.log_change("add", "a", "{}")
        seen = other.changes()[-1].seq
        last = [one.log_change("update", "a", "{}") for _ in range(5)][-1]
        kept = one.log_change("add", "c", "{}")
        unknown = one.log_change("update", "c", "{}")
        assert one.compact_changes(kept.seq, batch=2) == 5
        assert [c.seq for c in other.changes(seen)] == [last.seq, kept.seq, unknown.seq]
        assert one.compact_changes(unknown.seq, bad=[unknown.seq]) == 0
        assert one.compact_changes(unknown.seq) == 1
        assert one.log_change("add", "b", "{}").seq > unknown.seq


def test_changes_are_logged_together_or_not_at_all(url):
    with Store.open(url) as store:
        first = store.log_change("add", "a", "{}")
        both = [NewChange("update", "a", "{}"), NewChange("remove", "b")]
        logged = store.log_changes(both, after=first.seq)
        assert [c.batch for c in logged] == [logged[0].seq] * 2
        assert store.changes() == [first, *logged]
        with pytest.raises(StaleCatalog, match=f"is at {logged[1].seq}, .* for {first.seq}"):
            store.log_changes(both, after=first.seq)
        with pytest.raises(StoreError, match="NUL"):
            store.log_changes([*both, NewChange("remove", "\0")])
        assert store.changes() == [first, *logged]


def test_of_writers_at_once_one_is_first(url):
    def log(store):
        try:
            return store.log_changes([NewChange("remove", "a")], after=0)
        except StaleCatalog:
            return []

    with Store.open(url) as one, Store.open(url) as other, ThreadPoolExecutor(2) as pool:
        assert sorted(map(len, pool.map(log, [one, other]))) == [0, 1]
        assert len(one.changes()) == 1
