"""Admission: concurrent requests, and what the requests of one key may take from the others."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.serve import costs
from coldstart.serve.errors import ApiError
from coldstart.serve.limits import RateLimiter
from coldstart.serve.metrics import Metrics

if TYPE_CHECKING:
    from coldstart.serve.store import ApiKey

_MAX_KNOWN = 10_000


@dataclass(frozen=True)
class Claim:
    """Claim of the current request on the service.

    Args:
        key_id: public id of the API key; requests of different keys take turns.
        rate: requests per minute of the key, ``None`` for no limit.
        rates: buckets of the keys.
    """

    key_id: str = ""
    rate: int | None = None
    rates: RateLimiter | None = None

    def charge(self, requests: int) -> None:
        """Count requests towards the rate of the key.

        Raises:
            ApiError: 429, beyond the rate.
        """
        wait = self.rates.take(self.key_id, self.rate, requests) if self.rates else 0.0
        if wait:
            raise ApiError(
                429,
                "rate_limited",
                "too many requests with this key",
                "wait as long as Retry-After says",
                retry_after=wait,
            )


CLAIM: ContextVar[Claim] = ContextVar("coldstart_claim", default=Claim())  # noqa: B039 - frozen


def charge(cost: float) -> None:
    """Count the current request as several, if it costs as much; the middleware counted one.

    Args:
        cost: see ``costs``.

    Raises:
        ApiError: 429, beyond the rate of the key.
    """
    if (more := costs.counts_as(cost) - 1) > 0:
        CLAIM.get().charge(more)


class InFlight:
    """Concurrent requests: one key gets at most as many as are still free for everybody else.

    One key alone ends at half of them, two at a third each, so that there is always room for
    another (dynamic threshold, Choudhury and Hahne, 1998).

    Args:
        most: over all keys.
        metrics: holds the number of requests in flight.
    """

    def __init__(self, most: int, metrics: Metrics) -> None:
        self._most, self._metrics = most, metrics
        self._by_key: Counter[str] = Counter()

    @contextmanager
    def enter(self, key_id: str) -> Iterator[None]:
        """Count a request while it is handled.

        Raises:
            ApiError: 503, too many in flight.
        """
        if self._by_key[key_id] >= self._most - self._metrics.in_flight_now:
            raise ApiError(
                503, "overloaded", "too many requests at once", "try again later", retry_after=1
            )
        self._by_key[key_id] += 1
        self._metrics.in_flight_now += 1
        try:
            yield
        finally:
            self._metrics.in_flight_now -= 1
            self._by_key[key_id] -= 1
            if not self._by_key[key_id]:
                del self._by_key[key_id]


class KeyGuesses:
    """Limits wrong API keys per address. Keys that were valid before are not affected.

    Args:
        per_minute: wrong keys that one address may send.
        rates: buckets of the addresses.
    """

    def __init__(self, per_minute: int, rates: RateLimiter | None = None) -> None:
        self._per_minute, self._rates = per_minute, rates or RateLimiter()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def check(self, address: str, secret: str) -> None:
        """Refuse a key that is not known, before it is looked up, from an address with too many.

        Raises:
            ApiError: 429, too many wrong keys.
        """
        wait = self._rates.wait(address, self._per_minute)
        if wait and _digest(secret) not in self._known:
            raise ApiError(
                429,
                "wrong_keys",
                "too many wrong keys from this address",
                "wait as long as Retry-After says, and check the key",
                retry_after=wait,
            )

    def note(self, address: str, secret: str, *, valid: bool) -> None:
        """Remember the result of a lookup."""
        digest = _digest(secret)
        if not valid:
            self._known.pop(digest, None)
            self._rates.take(address, self._per_minute)
            return
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)


class KeyLookups:
    """Looks API keys up; requests that come with the same key meanwhile share one lookup.

    Otherwise many requests of one key would fill the threads that look up the keys of others.

    Args:
        check: ``Store.check_key``.
    """

    def __init__(self, check: Callable[[str], ApiKey | None]) -> None:
        self._check = check
        self._pending: dict[str, asyncio.Task[ApiKey | None]] = {}

    async def find(self, secret: str) -> ApiKey | None:
        """The key of a secret; ``None`` if it is wrong or revoked. Raises as ``check``."""
        task = self._pending.get(secret)
        if task is None:
            task = asyncio.create_task(run_in_threadpool(self._check, secret))
            self._pending[secret] = task
            task.add_done_callback(lambda done: self._forget(secret, done))
        return await asyncio.shield(task)  # a client that goes away ends nobody else's lookup

    def _forget(self, secret: str, done: asyncio.Task[ApiKey | None]) -> None:
        del self._pending[secret]
        if not done.cancelled():
            done.exception()  # every waiting request has it


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
