"""Model worker: a single thread that owns the recommenders, behind a bounded request queue.

No other thread accesses a recommender or its catalog, so neither needs locks: catalog updates pass
through the same queue as requests.
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

from coldstart.serve.batching import QueuedRequest, RecommendationResult, recommend_batch
from coldstart.serve.errors import ApiError
from coldstart.serve.metrics import Metrics

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

T = TypeVar("T")
Arms = Mapping[str, "Recommender"]

# Smoothing factor of the exponential moving averages of job duration and lock wait.
_SMOOTHING = 0.2
# Maximum duration of a batch as a share of the deadline: its requests finish together.
_BATCH_SHARE = 0.25
# Maximum expected latency as a share of the deadline: estimates are noisy on busy machines.
_LATENCY_SHARE = 0.4
# Time between two attempts to enter a full queue.
_FULL_SECONDS = 0.05


@dataclass
class _Job:
    """Queued work: a recommendation request, or a function of one arm's recommender.

    With arm ``None`` the function gets all arms.
    """

    work: QueuedRequest | Callable[[Any], Any]
    arm: str | None
    deadline: float
    since: float
    future: Future[Any]

    @property
    def batch_key(self) -> tuple[str | None, int]:
        """Adjacent jobs with equal keys are answered as one batch."""
        batchable = isinstance(self.work, QueuedRequest)
        return self.arm, 0 if batchable else id(self)


class Worker:
    """Executes jobs on the recommenders in FIFO order, with dynamic batching and load shedding.

    A job is rejected when the queue is full, or when its expected latency is too close to the
    deadline.

    Args:
        arms: recommenders by arm; several in an A/B test, else one.
        queue_size: capacity of the queue.
        batch: maximum batch size.
        deadline: maximum latency of a job in seconds, queueing included.
        metrics: metrics of batch sizes and queueing times.
        lock: held during each batch; workers that share one compute one at a time.
    """

    def __init__(
        self,
        arms: Arms,
        *,
        queue_size: int,
        batch: int,
        deadline: float,
        metrics: Metrics,
        lock: AbstractContextManager[None] | None = None,
    ) -> None:
        self._arms, self._lock = dict(arms), lock or nullcontext()
        self._queue: queue.Queue[_Job | None] = queue.Queue(queue_size)
        self._batch, self._deadline, self._metrics = batch, deadline, metrics
        self._job_seconds = self._lock_wait = self._free_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="recommender", daemon=True)

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Stop accepting jobs and finish queued ones.

        Returns:
            Whether that took at most ``timeout`` seconds.
        """
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
        """Whether the worker accepts jobs."""
        return self._thread.is_alive() and not self._closing

    def waiting(self) -> int:
        """Number of queued jobs."""
        return self._queue.qsize()

    async def recommend(self, request: QueuedRequest, arm: str) -> RecommendationResult:
        """Recommend on an arm.

        Raises:
            ApiError: overloaded or shutting down (503), or deadline exceeded (504).
        """
        return cast(RecommendationResult, await self._wait_for(self._submit(request, arm)))

    async def call(self, work: Callable[[Recommender], T], arm: str) -> T:
        """Run ``work`` on an arm's recommender. Raises as ``recommend``, and as ``work``."""
        return cast(T, await self._wait_for(self._submit(work, arm)))

    async def call_all(self, work: Callable[[Arms], T]) -> T:
        """Run ``work`` on all recommenders, exclusively.

        Once started it is awaited beyond the deadline, so that the caller knows whether an update
        was applied. Raises as ``call``.
        """
        future = self._submit(work, None)
        done = asyncio.wrap_future(future)
        await asyncio.wait({done}, timeout=self._deadline)
        if not done.done() and future.cancel():
            raise _too_late()
        return cast(T, await done)

    async def finish(self, work: Callable[[Arms], T]) -> T:
        """Run ``work`` on all recommenders, however long the queue is: it completes a decision.

        Raises:
            ApiError: 503, the worker is shutting down.
        """
        while True:
            try:
                future = self._submit(work, None, deadline=float("inf"))
            except ApiError:
                if self._closing:
                    raise
                await asyncio.sleep(_FULL_SECONDS)  # the queue is full
            else:
                return cast(T, await asyncio.wrap_future(future))

    async def replace(self, make: Callable[[Arms], Arms]) -> None:
        """Replace the recommenders; jobs queued earlier use the old ones.

        Has no deadline.
        """

        def swap(arms: Arms) -> None:
            self._arms = dict(make(arms))

        await asyncio.wrap_future(self._submit(swap, None, deadline=float("inf")))

    def _submit(
        self,
        work: QueuedRequest | Callable[[Any], Any],
        arm: str | None,
        deadline: float | None = None,
    ) -> Future[Any]:
        if self._closing:
            raise ApiError(
                503, "closing", "the service is going down", "ask another", retry_after=5
            )
        now = time.monotonic()
        allowed = self._deadline if deadline is None else deadline
        expected = self._expected(now)
        if expected > _LATENCY_SHARE * allowed:
            raise _overloaded(expected)
        future: Future[Any] = Future()
        try:
            self._queue.put_nowait(_Job(work, arm, now + allowed, now, future))
        except queue.Full:
            raise _overloaded(expected) from None
        return future

    def _expected(self, now: float) -> float:
        """Expected latency of a new job in seconds; 0 if the worker is idle."""
        waiting, busy = self._queue.qsize(), max(0.0, self._free_at - now)
        if not (waiting or busy):
            return 0.0
        limit = self._batch_limit()
        lock_wait = self._lock_wait * (1 + waiting // limit)
        return busy + lock_wait + (waiting + limit) * self._job_seconds

    def _batch_limit(self) -> int:
        """Current batch size limit, adapted to the measured speed."""
        if not self._job_seconds:
            return self._batch
        fitting = int(_BATCH_SHARE * self._deadline / self._job_seconds)
        return max(1, min(self._batch, fitting))

    async def _wait_for(self, future: Future[Any]) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._deadline)
        except TimeoutError:
            raise _too_late() from None

    def _loop(self) -> None:
        open_ = True
        while open_:
            taken, start = [self._queue.get()], time.monotonic()
            with self._lock:
                self._lock_wait += _SMOOTHING * (time.monotonic() - start - self._lock_wait)
                limit = self._batch_limit()
                while len(taken) < limit:
                    try:
                        taken.append(self._queue.get_nowait())
                    except queue.Empty:
                        break
                open_ = None not in taken
                self._free_at = time.monotonic() + len(taken) * self._job_seconds
                for _, jobs in groupby((j for j in taken if j is not None), lambda j: j.batch_key):
                    self._run(list(jobs))
                self._free_at = 0.0
        self._arms = {}  # release the models

    def _run(self, jobs: list[_Job]) -> None:
        """Run one function, or one batch of requests of an arm."""
        start, arm = time.monotonic(), self._arm(jobs[0].arm)
        started: list[_Job] = []
        try:
            for n, result in self._results(arm, jobs, started):
                _settle(started[n].future, result)
        except BaseException as e:  # must not terminate the worker thread
            for job in started:
                if not job.future.done():
                    _settle(job.future, e)
        if isinstance(jobs[0].work, QueuedRequest):
            self._metrics.batch_size.observe(len(started))
        if started:
            spent = (time.monotonic() - start) / len(started)
            self._job_seconds += _SMOOTHING * (spent - self._job_seconds)

    def _results(
        self, arm: Any, jobs: list[_Job], started: list[_Job]
    ) -> Iterator[tuple[int, Any]]:
        """Results of the jobs still awaited, by their position in ``started``."""

        def awaited() -> Iterator[Any]:
            for job in jobs:
                if self._claim(job):
                    started.append(job)
                    yield job.work

        if isinstance(jobs[0].work, QueuedRequest):
            yield from recommend_batch(arm, awaited())
        else:
            for n, work in enumerate(awaited()):
                yield n, work(arm)

    def _claim(self, job: _Job) -> bool:
        """Mark a job as running; false if it was cancelled or has exceeded its deadline."""
        now = time.monotonic()
        self._metrics.wait.observe(now - job.since)
        if not job.future.set_running_or_notify_cancel():
            return False
        if now > job.deadline:
            job.future.set_exception(_too_late())
            return False
        return True

    def _arm(self, name: str | None) -> Any:
        """Recommender of an arm, or all arms; the first one for an arm that no longer exists."""
        if name is None:
            return self._arms
        return self._arms.get(name) or next(iter(self._arms.values()))


def _settle(future: Future[Any], result: Any) -> None:
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def _overloaded(seconds: float) -> ApiError:
    return ApiError(
        503, "overloaded", "too many requests wait already", "try again later", retry_after=seconds
    )


def _too_late() -> ApiError:
    return ApiError(
        504,
        "too_late",
        "the answer took longer than allowed",
        "try again, or ask for less",
        retry_after=1,
    )
