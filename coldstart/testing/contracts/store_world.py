"""Sessions, lists and a clock for tests of the service's store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from coldstart.serve.store import NewEvent, Session, Store

CANARY = "likes-slow-burn-canary-7c1f"
"""Private text that must not come up in errors and representations."""
STATE = json.dumps({"about": CANARY})


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it is set to."""
        return self.now


def begin(store: Store, state: str = STATE, **more: Any) -> Session:
    """A new session."""
    return store.create(state, **{"artifact": "ml-100k", **more})


def show(store: Store, subject: str, items: Sequence[str] = ("50", "181"), **more: Any) -> str:
    """A list shown to a subject, by the id of the exposure."""
    return store.show(subject, items, **{"experiment": "e", "arm": "A", "artifact": "x"} | more)


def fill(store: Store, session: Session) -> None:
    """Two events and a list."""
    store.append(session.id, NewEvent("k1", "like", "50", CANARY))
    store.append(session.id, NewEvent("k2", "click"))
    store.expose(session.id, "r", ["50", "181"])
