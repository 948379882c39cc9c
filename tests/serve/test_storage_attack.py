"""The attack on storage sees what it counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def storage(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from attacks import storage

    return storage


def server(years, events=()):
    """What a restarted service has: bulk items of some years, and events of one session."""
    items = {f"bulk-{n}": {"year": year} for n, year in enumerate(years)}
    body = {"events": [{"key": key} for key in events]}
    return SimpleNamespace(items=lambda: items, ask=lambda *_: SimpleNamespace(json=lambda: body))


def test_half_applied_and_lost_changes_and_events_are_counted(storage):
    def compared(years, acknowledged=3, sent=4, told=(), events=()):
        counts = Counter()
        paths = {"/v1/sessions/s": list(told)} if told else {}
        storage._compare(counts, server(years, events), acknowledged, sent, paths)
        return {what: n for what, n in counts.items() if n}

    n = storage.BULK
    assert compared([3] * n) == compared([4] * n) == {}
    assert compared([], acknowledged=0) == {}
    assert compared([3] * (n - 1)) == {"half-applied changes": 1}
    assert compared([3] * (n - 1) + [4]) == {"half-applied changes": 1}
    assert compared([2] * n) == {"lost changes": 1}
    assert compared([]) == {"lost changes": 1}
    assert compared([3] * n, told=["a", "b"], events=["b", "c"]) == {"lost events": 1}


def test_a_change_on_a_full_disk_is_all_or_nothing(storage):
    def tried(n, status, before, after):
        states = iter((before, after))
        answer = SimpleNamespace(status_code=status)
        counts = Counter()
        one = SimpleNamespace(items=lambda: next(states), ask=lambda *_: answer)
        storage._change_or_nothing(counts, one, n, 1)
        return {what for what in storage.BAD if counts[what]}

    assert tried(0, 503, {"i1": 1}, {"i1": 1}) == set()
    assert tried(0, 503, {"i1": 1}, {"i1": 2}) == {"refused, but applied"}
    new = {f"disk-{m}": 1 for m in "abc"}
    assert tried(2, 200, {}, new) == set()
    assert tried(2, 200, {}, {"disk-a": 1}) == {"half-applied changes"}
