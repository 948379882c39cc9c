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

    def take(self, key: str, per_minute: float | None) -> float:
        """Take one token; return 0, or the seconds until one is available.

        Args:
            key: id of the bucket.
            per_minute: refill rate in tokens per minute, > 0; ``None`` for no limit.
        """
        if per_minute is None:
            return 0.0
        rate, full = per_minute / 60, max(1.0, per_minute / 6)
        now = self._clock()
        tokens, last = self._buckets.pop(key, (full, now))
        tokens = min(full, tokens + (now - last) * rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / rate
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)  # least recently used
        return wait


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
