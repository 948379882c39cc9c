"""Growing: the service's own likes, fed from its store to the recommenders that count them.

The store is the truth: a person's likes are those that their sessions' states and outcomes hold
now, whichever process wrote them, and who is erased there no longer counts here. Recommenders
whose ranker weighs no observed likes are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool

from coldstart.schema import Understood
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.store.like_log import START, LogPosition
from coldstart.session.history import read_history

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.store import Store
    from coldstart.serve.worker import Arms, Worker

LIKE_KINDS = frozenset({"like", "buy"})
"""Kinds of posted outcome that count as a like; a click does not."""
NO_TEST = "none"
"""Name of experiment and arm of exposures outside of an A/B test."""
CHECKED = 15
"""Turns of ``follow`` after which rows are compared in number, for erasures by other processes."""
Person = tuple[str, str]
"""``session`` or ``subject``, and the id or pseudonym."""


@dataclass
class _Fed:
    """What one generation of recommenders was fed.

    Args:
        last: position in the store's log.
        rows: number of rows by person.
    """

    last: LogPosition = START
    rows: dict[Person, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Change:
    """People whose likes may have changed, with all likes of theirs; none: erased."""

    likes: Mapping[Person, tuple[str, ...]]
    fed: _Fed


class LikeFollower:
    """Keeps the observed likes of one process's recommenders equal to the store's.

    Args:
        store: of the service.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, asyncio.Lock()
        self._fed: WeakKeyDictionary[Recommender, _Fed] = WeakKeyDictionary()
        self._turn = 0

    @property
    def growing(self) -> bool:
        """Whether any recommender counts likes."""
        return bool(self._fed)

    def load(self, arms: Arms) -> None:
        """Feed recommenders that are not served yet with everything that the store holds.

        Likes with which an artifact was trained from this store are in it: they are counted again,
        so that they count once, and those of erased people not at all.
        """
        growing = _growing(arms)
        for recommender in growing:
            trained = recommender.manifest.get("refreshed") or {}
            if trained.get("store") == self._store.identity:
                recommender.evidence.clear()
        if growing:
            change = self._changed(_Fed(), check=False)
            self._apply(growing, change)

    async def follow(self, worker: Worker, *, check: bool | None = None) -> None:
        """Feed what was written since, by any process.

        Args:
            worker: owner of the recommenders.
            check: whether to look for erasures as well; ``None``: every ``CHECKED`` turns.
        """
        if not self.growing:
            return
        async with self._lock:
            self._turn += 1
            looks = self._turn % CHECKED == 0 if check is None else check
            growing = await worker.finish(_growing)
            generations: dict[int, list[Recommender]] = {}
            for recommender in growing:
                fed = self._fed.setdefault(recommender, _Fed())
                generations.setdefault(id(fed), []).append(recommender)
            for some in generations.values():
                change = await run_in_threadpool(self._changed, self._fed[some[0]], looks)
                if change.likes:
                    await worker.finish(partial(self._fed_with, some, change))

    def _changed(self, fed: _Fed, check: bool) -> _Change:
        """Read the store from where the recommenders are."""
        found = self._store.feedback(fed.last)
        fresh = _people(found.sessions, found.subjects)
        rows = fed.rows | {who: fed.rows.get(who, 0) + n for who, n in fresh.items()}
        touched = set(fresh)
        if check and self._store.feedback_total(found.last) != _totals(rows):
            whole = self._store.feedback(START, found.last)
            now = _people(whole.sessions, whole.subjects)
            touched |= {who for who in rows.keys() | now.keys() if rows.get(who) != now.get(who)}
            rows = now
        return _Change(self._likes(sorted(touched)), _Fed(found.last, rows))

    def _likes(self, people: Sequence[Person]) -> dict[Person, tuple[str, ...]]:
        sessions = [key for kind, key in people if kind == "session"]
        subjects = [key for kind, key in people if kind == "subject"]
        states = self._store.session_states(sessions)
        outcomes = self._store.outcomes_of(subjects)
        return {
            ("session", key): _liked_in(states[key]) if key in states else () for key in sessions
        } | {("subject", key): liked_by(outcomes.get(key, ())) for key in subjects}

    def _fed_with(self, recommenders: Sequence[Recommender], change: _Change, _: Arms) -> None:
        self._apply(recommenders, change)

    def _apply(self, recommenders: Sequence[Recommender], change: _Change) -> None:
        """Feed recommenders; in the worker's thread, or before they are served."""
        for recommender in recommenders:
            for (kind, key), items in change.likes.items():
                recommender.evidence.replace(f"{kind} {key}", items)
            self._fed[recommender] = change.fed


def liked_by(outcomes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Items that a subject's outcomes (kind, item), oldest first, end in a like of."""
    liked: dict[str, None] = {}
    for kind, item in outcomes:
        if kind in LIKE_KINDS:
            liked.setdefault(item)
        elif kind == "dislike":
            liked.pop(item, None)
    return tuple(liked)


def _liked_in(state: str) -> tuple[str, ...]:
    """Items that a session's profile, answers and feedback end in a like of."""
    try:
        record = SessionRecord.from_json(state)
    except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
        return ()
    return tuple(read_history(record.state, _nothing).liked)


def _nothing(text: str) -> Understood:
    """Titles that a text names are wishes more often than likes."""
    return Understood()


def _growing(arms: Arms) -> list[Recommender]:
    return [recommender for recommender in arms.values() if recommender.grows]


def _people(sessions: Mapping[str, int], subjects: Mapping[str, int]) -> dict[Person, int]:
    return {("session", key): n for key, n in sessions.items()} | {
        ("subject", key): n for key, n in subjects.items()
    }


def _totals(rows: Mapping[Person, int]) -> tuple[int, int]:
    of_sessions = sum(n for (kind, _), n in rows.items() if kind == "session")
    return of_sessions, sum(rows.values()) - of_sessions
