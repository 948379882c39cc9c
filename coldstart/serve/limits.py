"""Request limits: rate per key, body size, and JSON nesting depth."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Receive

from coldstart.serve.errors import ApiError, invalid

_BODY_SECONDS = 15.0
_MAX_BUCKETS = 100_000
# Possessive, and accepts an unclosed string: linear time for any input.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


class RateLimiter:
    """Token bucket per key: bursts of ten seconds' worth, a fixed rate per minute on average.

    Args:
        clock: monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_minute: float | None, tokens: float = 1.0) -> float:
        """Take tokens; return 0, or the seconds until they are available.

        More tokens than a bucket holds are given once it is full, and refilled before the next.

        Args:
            key: id of the bucket.
            per_minute: refill rate in tokens per minute, > 0; ``None`` for no limit.
            tokens: number of tokens, > 0.
        """
        if per_minute is None:
            return 0.0
        held, wait = self._look(key, per_minute, tokens)
        self._buckets[key] = (held if wait else held - tokens, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)  # least recently used
        return wait

    def wait(self, key: str, per_minute: float) -> float:
        """Seconds until a token is available, without taking it."""
        return self._look(key, per_minute, 1.0)[1]

    def _look(self, key: str, per_minute: float, tokens: float) -> tuple[float, float]:
        """Tokens in a bucket, and the seconds until ``tokens`` can be taken."""
        rate, full = per_minute / 60, max(1.0, per_minute / 6)
        now = self._clock()
        held, last = self._buckets.get(key, (full, now))
        held, needed = min(full, held + (now - last) * rate), min(tokens, full)
        return held, 0.0 if held >= needed else (needed - held) / rate


async def read_body(receive: Receive, length: str | None, most: int) -> bytes:
    """Read the body of a request.

    Args:
        receive: ASGI ``receive``.
        length: value of the Content-Length header, if any.
        most: maximum size in bytes.

    Raises:
        ApiError: the body is too large (413), or does not arrive within 15 seconds (408).
    """
    if length is not None and (not length.isdecimal() or len(length) > 18 or int(length) > most):
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return bytes(body)  # client disconnected
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise ApiError(408, "slow_body", "the body did not come in time", "send it again") from None


def check_depth(body: bytes, most: int) -> None:
    """Reject JSON nested deeper than ``most``; invalid JSON is left to the parser.

    Raises:
        ApiError: 422, nested too deeply.
    """
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", _STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            raise invalid(f"the JSON is nested more than {most} deep", "send it flatter")


def _too_large(most: int) -> ApiError:
    return ApiError(413, "too_large", f"the body is longer than {most} bytes", "send it in parts")
