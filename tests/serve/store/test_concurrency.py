"""Many threads and processes at once, and processes that are killed."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from coldstart.serve.store import Conflict, NewEvent, SessionNotFound, new_session_id, tables
from coldstart.testing.contracts.store_world import begin
from tests.serve.store.helpers import rows, until_patience_is_over
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[3]


def add(store, session_id, key):
    """Count up, again and again until nobody was faster; the service does the same."""
    while True:
        session = store.load(session_id)
        after = replace(session, state=str(int(session.state) + 1))
        try:
            return store.append(session_id, NewEvent(key, "like"), after, session.version)
        except Conflict:
            continue


def test_threads_lose_no_update(store):
    session = begin(store, "0")
    keys = [f"{n % 40}" for n in range(80)]  # every key twice, at about the same time
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda key: add(store, session.id, key), keys))
    assert store.load(session.id).state == "40"
    assert sum(not r.repeated for r in done) == 40
    assert sorted(e.key for e in store.events(session.id)) == sorted(set(keys))


def test_processes_lose_no_update(store, url):
    session = begin(store, "0")
    script = f"""
import sys
from dataclasses import replace
from coldstart.serve.store import Conflict, NewEvent, Store
{inspect.getsource(add)}
with Store.open(sys.argv[1]) as store:
    for n in range(20):
        add(store, sys.argv[2], sys.argv[3] + str(n))
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", script, url, session.id, name], cwd=ROOT)
        for name in "abc"
    ]
    assert [p.wait(PATIENCE) for p in processes] == [0, 0, 0]
    assert store.load(session.id).state == "60"
    assert len({e.key for e in store.events(session.id)}) == 60


def test_erasing_while_feedback_comes_in_leaves_no_orphans(store):
    sessions = [begin(store) for _ in range(8)]

    def feed(session):
        for n in until_patience_is_over():
            try:
                store.append(session.id, NewEvent(str(n), "like"))
                store.expose(session.id, str(n), ["1"])
            except SessionNotFound:
                return n
        return None

    with ThreadPoolExecutor(6) as pool:
        for batch in (sessions[:4], sessions[4:]):
            feeding = [pool.submit(feed, s) for s in batch]
            erasing = [pool.submit(store.erase, s.id) for s in batch]
            assert all(e.result() for e in erasing)
            assert all(f.result() is not None for f in feeding)
    for table in (tables.sessions, tables.events, tables.exposures):
        assert rows(store, table) == []


def test_acknowledged_events_survive_kills(url):
    which = [] if url.startswith("sqlite") else ["--url", url]
    script = [sys.executable, ROOT / "benchmarks" / "store_crash.py", "--kills", "3", *which]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["processes_killed"] == 6
    assert report["acknowledged_events"] > 0
    assert report["faults"] == []


def test_the_crash_check_sees_what_is_lost_doubled_or_apart(store, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from store_crash import Account, faults, said

    def writer(n, state):
        session = begin(store, state)
        for i in range(n):
            store.append(session.id, said(i))
        return session.id

    assert faults(store, Account(writer(3, '{"n": 3}'), ["0", "1", "2"])) == []
    assert faults(store, Account(writer(4, '{"n": 4}'), ["0", "1", "2"])) == []  # in flight
    assert "lost" in faults(store, Account(writer(2, '{"n": 2}'), ["0", "1", "2"]))[0]
    assert "disagree" in faults(store, Account(writer(3, '{"n": 2}'), ["0", "1", "2"]))[0]
    assert "never sent" in faults(store, Account(writer(5, '{"n": 5}'), ["0", "1", "2"]))[0]
    assert faults(store, Account(new_session_id(), [])) == ["an acknowledged session is lost"]
