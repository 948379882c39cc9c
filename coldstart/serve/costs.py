"""Cost of each kind of request, in units of a list of strategy ``catalog`` for one user.

One unit is about a quarter of a second of one core with the shipped models. Costs decide whose turn
it is, what is refused as too much at once, and how many requests a call counts towards the rate of
its key (``counts_as``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from coldstart.schema import Strategy

LIGHT = 0.1
"""Anything that needs no language model: a session, an answer, an item, a page of the catalog."""
AUDIENCE = 4.0
ALWAYS_ALLOWED = 4.0
"""Up to this cost a request is never refused as too much at once."""
_LISTS: dict[str, float] = {"prior": LIGHT, "catalog": 1.0, "free": 4.0, "both": 4.0}


def of_list(strategy: Strategy) -> float:
    """A recommendation list."""
    return _LISTS.get(strategy, 1.0)


def of_titles(strategy: Literal["catalog", "free"], n: int) -> float:
    """``n`` generated titles."""
    return 1.0 + n / (50 if strategy == "catalog" else 10)


def of_questions(n: int) -> float:
    """``n`` questions of the quiz."""
    return LIGHT + n / 40


def of_items(n: int) -> float:
    """``n`` items added or replaced."""
    return LIGHT + n / 50


def most_titles(strategy: Literal["catalog", "free"], cost: float) -> int:
    """Largest ``n`` with ``of_titles(strategy, n) <= cost``, at least 1."""
    return max(1, int((cost - 1.0) * (50 if strategy == "catalog" else 10)))


def counts_as(cost: float) -> int:
    """Number of requests that a call counts towards the rate of its key, at least 1."""
    return max(1, math.ceil(cost))
