"""The log of changes of the catalog."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from coldstart.serve.store import Store


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
