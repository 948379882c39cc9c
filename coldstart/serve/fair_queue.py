"""Bounded queue in which the jobs of different keys take turns, by cost."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, Protocol, TypeVar


class Costly(Protocol):
    """What can be queued."""

    @property
    def key_id(self) -> str:
        """Key whose turn it takes."""

    @property
    def cost(self) -> float:
        """Cost of the job, > 0."""

    @property
    def droppable(self) -> bool:
        """Whether it may be given back after it was taken."""


Q = TypeVar("Q", bound=Costly)


class FairQueue(Generic[Q]):
    """Start-time fair queue (Goyal, Vin and Cheng, 1996): first in, first out within one key.

    A full queue takes a job of a key that has fewer waiting than another in exchange for the
    newest job of the one with most.

    Args:
        size: maximum number of jobs.
    """

    def __init__(self, size: int) -> None:
        self._size, self._count, self._now = size, 0, 0.0
        self._jobs: dict[str, deque[tuple[float, Q]]] = {}
        self._finished: dict[str, float] = {}  # virtual time at which a key's last job ends
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def put(self, job: Q) -> Q | None:
        """Add a job.

        Returns:
            The job that does not fit: ``None``, another key's, or ``job`` itself.
        """
        with self._changed:
            crowded = None
            if self._count >= self._size and (crowded := self._make_room(job)) is None:
                return job
            start = max(self._now, self._finished.get(job.key_id, 0.0))
            self._jobs.setdefault(job.key_id, deque()).append((start, job))
            self._finished[job.key_id] = start + job.cost
            self._count += 1
            self._changed.notify()
            return crowded

    def _make_room(self, job: Q) -> Q | None:
        """Drop the newest droppable job of the key with most, if ``job``'s key has fewer."""
        longest = max(self._jobs, key=lambda key: len(self._jobs[key]))
        jobs = self._jobs[longest]
        if len(jobs) <= len(self._jobs.get(job.key_id, ())) + 1:
            return None
        for at in reversed(range(len(jobs))):
            if (dropped := jobs[at][1]).droppable:
                del jobs[at]
                self._finished[longest] -= dropped.cost
                self._count -= 1
                return dropped
        return None

    def get(self, *, wait: bool = True) -> Q | None:
        """Take the job whose turn it is.

        Args:
            wait: wait for a job until the queue is closed.

        Returns:
            The job; ``None`` if there is none.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._count or self._closed)
            if not self._count:
                return None
            key = min(self._jobs, key=lambda key: self._jobs[key][0][0])
            self._now, job = self._jobs[key].popleft()
            self._count -= 1
            if not self._jobs[key]:
                del self._jobs[key]
                self._finished = {k: t for k, t in self._finished.items() if t > self._now}
            return job

    def close(self) -> None:
        """Let ``get`` return ``None`` once the queue is empty."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the queue has been closed."""
        return self._closed

    def ahead(self, key_id: str, cost: float) -> float:
        """Cost of the waiting jobs that have their turn before the end of a new one.

        Args:
            key_id: key of the new job.
            cost: cost of the new job.
        """
        with self._changed:
            waiting = {key: sum(j.cost for _, j in jobs) for key, jobs in self._jobs.items()}
        own = waiting.pop(key_id, 0.0)
        return own + sum(min(other, own + cost) for other in waiting.values())

    def holds(self, key_id: str) -> bool:
        """Whether a job of a key waits."""
        return key_id in self._jobs
