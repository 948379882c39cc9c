"""How much, how often and how deep: what one request and one key may ask for."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Receive

from coldstart.serve.errors import Refusal, invalid

_BODY_SECONDS = 15.0
_MOST_BUCKETS = 100_000
# Possessive, and content with an unclosed string: linear whatever comes.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


class RateLimit:
    """A token bucket per key: ten seconds' worth at once, so much per minute in the long run.

    Args:
        clock: seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_minute: float | None) -> float:
        """Take one token; returns 0, or the seconds until there is one.

        Args:
            key: whose bucket.
            per_minute: tokens that come back in a minute, > 0; ``None`` for no limit.
        """
        if per_minute is None:
            return 0.0
        rate, full = per_minute / 60, max(1.0, per_minute / 6)
        now = self._clock()
        tokens, last = self._buckets.pop(key, (full, now))
        tokens = min(full, tokens + (now - last) * rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / rate
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)  # longest unused
        return wait


async def read_body(receive: Receive, length: str | None, most: int) -> bytes:
    """Read a request's body.

    Args:
        receive: of ASGI.
        length: what Content-Length says, if anything.
        most: bytes.

    Raises:
        Refusal: it is longer (413), or does not come within 15 seconds (408).
    """
    if length is not None and (not length.isdecimal() or len(length) > 18 or int(length) > most):
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return bytes(body)  # gone: nobody will read the answer
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, "slow_body", "the body did not come in time", "send it again") from None


def check_depth(body: bytes, most: int) -> None:
    """Refuse JSON nested deeper than ``most``; what is no JSON is left to the parser.

    Raises:
        Refusal: 422.
    """
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", _STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            raise invalid(f"the JSON is nested more than {most} deep", "send it flatter")


def _too_large(most: int) -> Refusal:
    return Refusal(413, "too_large", f"the body is longer than {most} bytes", "send it in parts")
