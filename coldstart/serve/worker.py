"""Model worker: a single thread that owns the recommenders, behind a bounded fair queue.

No other thread accesses a recommender or its catalog, so neither needs locks: catalog updates pass
through the same queue as requests.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, cast

from coldstart.serve import costs
from coldstart.serve.admission import CLAIM
from coldstart.serve.batching import QueuedRequest, RecommendationResult, recommend_batch
from coldstart.serve.errors import ApiError
from coldstart.serve.fair_queue import FairQueue
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
# The same for a key of which nothing waits or runs: it is the others that take the time.
_NEWCOMER_SHARE = 0.6
# Latest start of a job as a share of its deadline; later there is too little left to answer it.
_START_SHARE = 0.6
# Maximum expected duration of one job as a share of the deadline: all others wait for its end.
_JOB_SHARE = 0.4
# Time between two attempts to enter a full queue.
_FULL_SECONDS = 0.05


@dataclass
class _Job:
    """Queued work: a recommendation request, or a function of one arm's recommender.

    With arm ``None`` the function gets all arms. ``key_id`` is the API key whose turn it takes,
    ``cost`` is in the units of ``costs``.
    """

    work: QueuedRequest | Callable[[Any], Any]
    arm: str | None
    deadline: float
    since: float
    future: Future[Any]
    key_id: str
    cost: float

    @property
    def droppable(self) -> bool:
        """Whether the job may be refused once queued; work without a deadline must be done."""
        return self.deadline < float("inf")

    @property
    def batch_key(self) -> tuple[str | None, int]:
        """Adjacent jobs with equal keys are answered as one batch."""
        batchable = isinstance(self.work, QueuedRequest)
        return self.arm, 0 if batchable else id(self)


class Worker:
    """Executes jobs on the recommenders, with dynamic batching and load shedding.

    Jobs of one API key are executed in FIFO order, those of different keys take turns by cost. A
    job is rejected when the queue is full, or when its expected latency is too close to the
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
        self._queue: FairQueue[_Job] = FairQueue(queue_size)
        self._batch, self._deadline, self._metrics = batch, deadline, metrics
        self._job_seconds = self._lock_wait = self._free_at = 0.0  # seconds per unit of cost
        self._served: frozenset[str] = frozenset()  # keys of the running batch
        self._thread = threading.Thread(target=self._loop, name="recommender", daemon=True)

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Stop accepting jobs and finish queued ones.

        Returns:
            Whether that took at most ``timeout`` seconds.
        """
        self._queue.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the worker accepts jobs."""
        return self._thread.is_alive() and not self._queue.closed

    def waiting(self) -> int:
        """Number of queued jobs."""
        return len(self._queue)

    async def recommend(self, request: QueuedRequest, arm: str) -> RecommendationResult:
        """Recommend on an arm.

        Raises:
            ApiError: overloaded or shutting down (503), or deadline exceeded (504).
        """
        future = self._submit(request, arm, cost=request.cost)
        return cast(RecommendationResult, await self._wait_for(future))

    async def call(
        self, work: Callable[[Recommender], T], arm: str, *, cost: float = costs.LIGHT
    ) -> T:
        """Run ``work`` on an arm's recommender. Raises as ``recommend``, and as ``work``."""
        return cast(T, await self._wait_for(self._submit(work, arm, cost=cost)))

    async def call_all(self, work: Callable[[Arms], T], *, cost: float = costs.LIGHT) -> T:
        """Run ``work`` on all recommenders, exclusively.

        Once started it is awaited beyond the deadline, so that the caller knows whether an update
        was applied. Raises as ``call``.
        """
        future = self._submit(work, None, cost=cost)
        done = asyncio.wrap_future(future)
        await asyncio.wait({done}, timeout=self._deadline)
        if not done.done() and future.cancel():
            raise _too_late(begun=False)
        return cast(T, await done)

    async def finish(self, work: Callable[[Arms], T]) -> T:
        """Run ``work`` on all recommenders, however long the queue is: it completes a decision.

        Raises:
            ApiError: 503, the worker is shutting down.
        """
        while True:
            try:
                future = self._submit(work, None, deadline=float("inf"))
                return cast(T, await asyncio.wrap_future(future))
            except ApiError:  # the queue is full, or others' jobs took this one's place
                if self._queue.closed:
                    raise
                await asyncio.sleep(_FULL_SECONDS)

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
        cost: float = 1.0,
    ) -> Future[Any]:
        if self._queue.closed:
            raise _closing()
        now, key_id = time.monotonic(), CLAIM.get().key_id
        allowed = self._deadline if deadline is None else deadline
        expected, share = self._expected(now, key_id, cost), _LATENCY_SHARE
        if key_id not in self._served and not self._queue.holds(key_id):
            share = _NEWCOMER_SHARE
        if expected > share * allowed:
            raise _overloaded(expected)
        future: Future[Any] = Future()
        crowded = self._queue.put(_Job(work, arm, now + allowed, now, future, key_id, cost))
        if crowded is not None:
            if crowded.future is future:
                raise _overloaded(expected)
            if crowded.future.set_running_or_notify_cancel():
                crowded.future.set_exception(_overloaded(expected))
        return future

    def largest(self) -> float:
        """Largest cost of one job, so short that others can wait for its end."""
        if not self._job_seconds:
            return float("inf")
        return max(costs.ALWAYS_ALLOWED, _JOB_SHARE * self._deadline / self._job_seconds)

    def _expected(self, now: float, key_id: str, cost: float) -> float:
        """Expected latency of a new job in seconds; 0 if the worker is idle."""
        waiting, busy = len(self._queue), max(0.0, self._free_at - now)
        if not (waiting or busy):
            return 0.0
        batch = min(self._batch_limit(), self._batch * cost)  # it is answered at its batch's end
        lock_wait = self._lock_wait * (1 + waiting // self._batch)
        return busy + lock_wait + (self._queue.ahead(key_id, cost) + batch) * self._job_seconds

    def _batch_limit(self) -> float:
        """Current limit of a batch's cost, adapted to the measured speed."""
        if not self._job_seconds:
            return self._batch
        fitting = _BATCH_SHARE * self._deadline / self._job_seconds
        return max(1.0, min(self._batch, fitting))

    async def _wait_for(self, future: Future[Any]) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._deadline)
        except TimeoutError:
            raise _too_late(begun=not future.cancelled()) from None

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            taken, start = [first], time.monotonic()
            with self._lock:
                self._lock_wait += _SMOOTHING * (time.monotonic() - start - self._lock_wait)
                limit, total = self._batch_limit(), first.cost
                while len(taken) < self._batch and total < limit:
                    if (more := self._queue.get(wait=False)) is None:
                        break
                    taken.append(more)
                    total += more.cost
                self._served = frozenset(job.key_id for job in taken)
                self._free_at = time.monotonic() + total * self._job_seconds
                for _, jobs in groupby(taken, lambda j: j.batch_key):
                    self._run(list(jobs))
                self._free_at, self._served = 0.0, frozenset()
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
            cost = sum(job.cost for job in started)
            spent = (time.monotonic() - start) / cost
            smoothing = 1 - (1 - _SMOOTHING) ** min(cost, len(started))
            self._job_seconds += smoothing * (spent - self._job_seconds)

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
        """Mark a job as running; false if it was cancelled or has too little time left."""
        now = time.monotonic()
        self._metrics.wait.observe(now - job.since)
        if not job.future.set_running_or_notify_cancel():
            return False
        if now > job.since + _START_SHARE * (job.deadline - job.since):
            job.future.set_exception(_too_late(begun=False))
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


def _closing() -> ApiError:
    return ApiError(503, "closing", "the service is going down", "ask another", retry_after=5)


def _overloaded(seconds: float) -> ApiError:
    return ApiError(
        503, "overloaded", "too many requests wait already", "try again later", retry_after=seconds
    )


def _too_late(*, begun: bool) -> ApiError:
    if not begun:
        return _overloaded(1)
    return ApiError(
        504,
        "too_late",
        "the answer took longer than allowed",
        "try again, or ask for less",
        retry_after=1,
    )
