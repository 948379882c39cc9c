"""One thread that owns the recommenders, and the bounded queue before it.

Nothing else touches a recommender or its catalog, so that neither needs a lock: what changes the
catalog waits in the same queue as what reads it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, cast

from coldstart.serve.batching import Answered, Ask, answer_together
from coldstart.serve.errors import Refusal
from coldstart.serve.metrics import Metrics

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

T = TypeVar("T")
Arms = Mapping[str, "Recommender"]

# Weight of the newest batch in the running means of how long a job and the wait for a turn take.
_REMEMBERED = 0.2
_SHARE = 0.25  # of the deadline, that a batch may take: its users all wait for its end
# Of the deadline, up to which an answer may be expected: estimates err on busy machines.
_ROOM = 0.4


@dataclass
class _Job:
    """Something to do: an ``Ask``, or a function of an arm's recommender (of all, arm ``None``)."""

    work: Ask | Callable[[Any], Any]
    arm: str | None
    deadline: float
    since: float
    future: Future[Any]

    @property
    def joins(self) -> tuple[str | None, int]:
        """Neighbours in the queue of which this is equal are answered together."""
        return (self.arm, 0) if isinstance(self.work, Ask) else (self.arm, id(self))


class Worker:
    """Runs work on the recommenders, oldest first.

    Args:
        arms: recommender by name; one of them, or several in an experiment.
        queue_size: how many jobs may wait.
        batch: how many are taken at a time, at most.
        deadline: seconds a job may take, waiting included.
        metrics: where batches and waits are counted.
        turn: held during each batch; workers that share one take turns.
    """

    def __init__(
        self,
        arms: Arms,
        *,
        queue_size: int,
        batch: int,
        deadline: float,
        metrics: Metrics,
        turn: AbstractContextManager[None] | None = None,
    ) -> None:
        self._arms, self._turn = dict(arms), turn or nullcontext()
        self._queue: queue.Queue[_Job | None] = queue.Queue(queue_size)
        self._batch, self._deadline, self._metrics = batch, deadline, metrics
        self._pace = self._queued = self._free_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="recommender", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Take nothing new, finish what waits; returns whether that took ``timeout`` at most."""
        self._closing = True
        until = time.monotonic() + timeout
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            return False
        self._thread.join(max(0.0, until - time.monotonic()))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether somebody answers."""
        return self._thread.is_alive() and not self._closing

    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._queue.qsize()

    async def ask(self, ask: Ask, arm: str) -> Answered:
        """Have a list made.

        Raises:
            Refusal: there is no room (503) or no time (504).
        """
        return cast(Answered, await self._wait_for(self._submit(ask, arm)))

    async def call(self, work: Callable[[Recommender], T], arm: str) -> T:
        """Run ``work`` on an arm's recommender. Raises as ``ask``, and what ``work`` raises."""
        return cast(T, await self._wait_for(self._submit(work, arm)))

    async def call_all(self, work: Callable[[Arms], T]) -> T:
        """Run ``work`` on all recommenders, between two other jobs.

        Once it has begun it is waited for, so that whoever changes something knows that it is
        changed. Raises as ``call``.
        """
        future = self._submit(work, None)
        done = asyncio.wrap_future(future)
        await asyncio.wait({done}, timeout=self._deadline)
        if not done.done() and future.cancel():
            raise _too_late()
        return cast(T, await done)

    async def replace(self, make: Callable[[Arms], Arms]) -> None:
        """Put other recommenders in the place of these; jobs queued before get the old ones.

        Waits for its turn as long as it takes: nobody is kept waiting by it.
        """

        def swap(arms: Arms) -> None:
            self._arms = dict(make(arms))

        await asyncio.wrap_future(self._submit(swap, None, deadline=float("inf")))

    def _submit(
        self, work: Ask | Callable[[Any], Any], arm: str | None, deadline: float | None = None
    ) -> Future[Any]:
        if self._closing:
            raise Refusal(503, "closing", "the service is going down", "ask another", retry_after=5)
        now = time.monotonic()
        allowed = self._deadline if deadline is None else deadline
        expected = self._expected(now)
        if expected > _ROOM * allowed:
            raise _overloaded(expected)
        future: Future[Any] = Future()
        try:
            self._queue.put_nowait(_Job(work, arm, now + allowed, now, future))
        except queue.Full:
            raise _overloaded(expected) from None
        return future

    def _expected(self, now: float) -> float:
        """Seconds until what is asked now is answered; 0 if nothing comes before it."""
        waiting, busy = self._queue.qsize(), max(0.0, self._free_at - now)
        if not (waiting or busy):
            return 0.0
        most = self._most()
        turns = self._queued * (1 + waiting // most)
        return busy + turns + (waiting + most) * self._pace

    def _most(self) -> int:
        """How many are taken at a time."""
        fitting = _SHARE * self._deadline / self._pace if self._pace else self._batch
        return max(1, min(self._batch, int(fitting)))

    async def _wait_for(self, future: Future[Any]) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._deadline)
        except TimeoutError:
            raise _too_late() from None

    def _loop(self) -> None:
        open_ = True
        while open_:
            taken, start = [self._queue.get()], time.monotonic()
            with self._turn:
                self._queued += _REMEMBERED * (time.monotonic() - start - self._queued)
                most = self._most()
                while len(taken) < most:
                    try:
                        taken.append(self._queue.get_nowait())
                    except queue.Empty:
                        break
                open_ = None not in taken
                self._free_at = time.monotonic() + len(taken) * self._pace
                for _, jobs in groupby((j for j in taken if j is not None), lambda j: j.joins):
                    self._run(list(jobs))
                self._free_at = 0.0
        self._arms = {}  # a service that has ended keeps no model in memory

    def _run(self, jobs: list[_Job]) -> None:
        """Do what goes together: one call, or several asks of one arm."""
        start, arm = time.monotonic(), self._arm(jobs[0].arm)
        begun: list[_Job] = []
        try:
            for n, result in self._results(arm, jobs, begun):
                _settle(begun[n].future, result)
        except BaseException as e:  # must not end the thread: nobody would be answered again
            for job in begun:
                if not job.future.done():
                    _settle(job.future, e)
        if isinstance(jobs[0].work, Ask):
            self._metrics.batch_size.observe(len(begun))
        if begun:
            spent = (time.monotonic() - start) / len(begun)
            self._pace += _REMEMBERED * (spent - self._pace)

    def _results(self, arm: Any, jobs: list[_Job], begun: list[_Job]) -> Iterator[tuple[int, Any]]:
        """What comes of the jobs that somebody still waits for, by their position in ``begun``."""

        def due() -> Iterator[Any]:
            for job in jobs:
                if self._is_due(job):
                    begun.append(job)
                    yield job.work

        if isinstance(jobs[0].work, Ask):
            yield from answer_together(arm, due())
        else:
            for n, work in enumerate(due()):
                yield n, work(arm)

    def _is_due(self, job: _Job) -> bool:
        """Whether somebody still waits for it."""
        now = time.monotonic()
        self._metrics.wait.observe(now - job.since)
        if not job.future.set_running_or_notify_cancel():
            return False
        if now > job.deadline:
            job.future.set_exception(_too_late())
            return False
        return True

    def _arm(self, name: str | None) -> Any:
        """An arm's recommender, or all of them; the first one for an arm there is no more."""
        if name is None:
            return self._arms
        return self._arms.get(name) or next(iter(self._arms.values()))


def _settle(future: Future[Any], result: Any) -> None:
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def _overloaded(seconds: float) -> Refusal:
    return Refusal(
        503, "overloaded", "too many requests wait already", "try again later", retry_after=seconds
    )


def _too_late() -> Refusal:
    return Refusal(
        504,
        "too_late",
        "the answer took longer than allowed",
        "try again, or ask for less",
        retry_after=1,
    )
