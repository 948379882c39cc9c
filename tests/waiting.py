"""Waiting for states, not for seconds: no test may depend on how fast the machine is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds after which what is waited for will never come.

No estimate of how long anything takes: a machine of one core that others use as well stays far
below. It is less than pytest's own timeout, so that the error says what was waited for.
"""
_MOMENT = 0.02  # seconds


def until(condition: Callable[[], T], what: str = "the condition", patience: float = PATIENCE) -> T:
    """Wait until a condition holds.

    Args:
        condition: asked again and again; what it raises is raised.
        what: is waited for, for the error.
        patience: seconds; more for what is many processes' work.

    Returns:
        What made the condition true.

    Raises:
        AssertionError: it did not hold within ``patience``.
    """
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {patience:g} s in vain for {what}"
        time.sleep(_MOMENT)
    return found


async def until_then(condition: Callable[[], T], what: str = "the condition") -> T:
    """``until`` that lets the event loop go on meanwhile."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {PATIENCE:g} s in vain for {what}"
        await asyncio.sleep(_MOMENT)
    return found


def no_error(call: Callable[[], object], *errors: type[Exception]) -> Callable[[], bool]:
    """A condition: a call raises none of some errors."""

    def condition() -> bool:
        try:
            call()
        except errors:
            return False
        return True

    return condition
