"""What tests of the store put in and look for: sessions, lists shown, rows and files."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime

from sqlalchemy import select

from coldstart.serve.store import NewEvent
from tests.waiting import PATIENCE

CANARY = "likes-slow-burn-canary-7c1f"
STATE = json.dumps({"about": CANARY})


class Clock:
    def __init__(self):
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def begin(store, state=STATE, **more):
    return store.create(state, **{"artifact": "ml-100k", **more})


def rows(store, table):
    with store._engine.begin() as connection:
        return connection.execute(select(table)).mappings().all()


BAD_TEXTS = {"nul": "a\0", "surrogate": "\ud800", "long": "x" * 201, "empty": "", "number": 7}


def show(store, subject, items=("50", "181"), **more):
    return store.show(subject, items, **{"experiment": "e", "arm": "A", "artifact": "x"} | more)


def until_patience_is_over():
    """Numbers from 0: writers come before an eraser for as long as the machine likes."""
    end = time.monotonic() + PATIENCE
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def fill(store, session):
    store.append(session.id, NewEvent("k1", "like", "50", CANARY))
    store.append(session.id, NewEvent("k2", "click"))
    store.expose(session.id, "r", ["50", "181"])


def contents(folder):
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
