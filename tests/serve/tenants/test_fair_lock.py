"""Turns: in the order of asking, one at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from coldstart.serve.fair_lock import FairLock
from tests.serve.tenants.helpers import ASKED, ids, in_line, load, serving
from tests.waiting import PATIENCE, until


def test_turns_are_given_in_the_order_of_asking():
    turns, order = FairLock(), []

    def take(n):
        with turns:
            order.append(n)

    with turns:
        threads = []
        for n in range(20):
            threads.append(threading.Thread(target=take, args=(n,)))
            threads[-1].start()
            until(lambda n=n: in_line(turns) == n + 2, f"thread {n} to stand in line")
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(20))


def test_a_turn_ends_with_an_error_too():
    turns = FairLock()
    with pytest.raises(KeyError, match="x"), turns:
        raise KeyError("x")
    with turns:
        pass


def test_tenants_work_one_at_a_time_and_a_busy_one_starves_nobody(tmp_path):
    at_work, most_at_work, order = [], [], []
    begun, go = threading.Event(), threading.Event()
    go.set()

    def watched(name):
        rec = load(name)
        real = rec.resolve

        def resolve(*args, **more):
            at_work.append(name)
            most_at_work.append(len(at_work))
            order.append(name)
            begun.set()
            assert name == "b" or go.wait(PATIENCE)
            at_work.remove(name)
            return real(*args, **more)

        rec.resolve = resolve
        return rec

    with serving(tmp_path, watched, batch=2) as client, ThreadPoolExecutor(24) as pool:
        for name in "ab":
            assert ids(client.post(f"/t/{name}/v1/recommend", json=ASKED))
        order.clear()
        begun.clear()
        go.clear()
        busy = [pool.submit(client.post, "/t/a/v1/recommend", json=ASKED) for _ in range(20)]
        assert begun.wait(PATIENCE)
        worker = client.services._running["a"].service.worker
        until(lambda: worker.waiting() >= 18, "all of a but those at work")
        other = pool.submit(client.post, "/t/b/v1/recommend", json=ASKED)
        until(lambda: in_line(client.services._lock) == 2, "b behind a")
        go.set()
        assert ids(other.result(PATIENCE))
        assert all(ids(one.result(PATIENCE)) for one in busy)
    assert max(most_at_work) == 1
    assert order.count("a") == 20
    assert order.index("b") <= 2  # behind one batch, before all others of a
