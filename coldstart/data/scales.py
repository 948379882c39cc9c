"""Recognise the scale of numeric ratings, and the numbers on it that mean "unrated"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from coldstart.tabular.rows import counted

LIKE_SHARE, DISLIKE_SHARE = 0.8, 0.4
"""Thresholds as shares of the top of a scale: 4 and 2 of 5, 8 and 4 of 10."""
SENTINELS = (-1.0, 0.0, 99.0, -99.0, 999.0, -999.0, 9999.0, -9999.0)
"""Numbers that stand for "unrated" where they lie off the scale."""
_TOPS = (1.0, 5.0, 10.0, 20.0, 100.0)
_MANY = 100  # ratings after which a scale's top is likely among them


@dataclass(frozen=True)
class Scale:
    """A scale of ratings.

    Args:
        text: for people.
        like_at: minimum rating of a like; ``None``: every rating is one.
        dislike_at: maximum rating of a dislike; ``None``: there are none.
        unrated: numbers that are no ratings.
        warnings: whatever looks like a mistake.
    """

    text: str
    like_at: float | None
    dislike_at: float | None
    unrated: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def recognise(
    counts: Mapping[float, int], *, unrated: Collection[float] | None = None, opinion: bool = True
) -> Scale:
    """Recognise the scale of ratings.

    Args:
        counts: number of rows by rating.
        unrated: numbers that are no ratings; ``None``: recognised.
        opinion: whether a 0 among zeros and ones is a dislike, rather than no answer.

    >>> recognise({1: 3, 2: 1, 4: 2, 8: 3, 9: 4, 10: 1}).like_at
    8.0
    """
    if set(counts) <= {0.0, 1.0} and len(counts) == 2 and unrated is None:
        low = 0.0 if opinion else None
        return Scale("0 and 1", 1.0, low, () if opinion else (0.0,))
    if unrated is None and set(counts) <= {-1.0, 0.0, 1.0} and {-1.0, 1.0} <= set(counts):
        return Scale("1 and -1", 1.0, -1.0, (0.0,) if 0.0 in counts else ())
    off = tuple(sorted(set(counts) & (_detached(counts) if unrated is None else set(unrated))))
    kept = {v: n for v, n in counts.items() if v not in off}
    warnings = tuple(
        f"{counted(counts[v])} with {v:g} {'is' if counts[v] == 1 else 'are'} taken for unrated; "
        "if it is a rating, say unrated=()"
        for v in off
        if unrated is None
    )
    if not kept:
        return Scale("no rating but those that mean unrated", None, None, off, warnings)
    if len(kept) == 1:
        (only,) = kept
        if only <= 0:
            return Scale(f"always {only:g}", None, None, (only,), warnings)
        return Scale(f"always {only:g}, so every rated row is a like", None, None, off, warnings)
    return _graded(kept, off, warnings)


def _detached(counts: Mapping[float, int]) -> set[float]:
    """Numbers of ``SENTINELS`` that lie off the scale of the others."""
    found: set[float] = set()
    for value in sorted(SENTINELS, key=abs, reverse=True):
        rest = [v for v in counts if v != value and v not in found]
        if value not in counts or not rest:
            continue
        low, high = min(rest), max(rest)
        if value == 0.0:
            apart = low > 0 and _zero_is_apart(counts, sorted(rest))
        elif value == -1.0:
            apart = low >= 0 and (high > 1 or len(rest) > 2)
        else:
            apart = not low - (high - low) <= value <= high + (high - low) and high - low > 0
        if apart:
            found.add(value)
    return found


def _zero_is_apart(counts: Mapping[float, int], rest: list[float]) -> bool:
    """Whether 0 is no rating: not in a fine scale, but in whole or half steps, or after a gap."""
    low, high = rest[0], rest[-1]
    if len(rest) == 1:
        return high > 1
    coarse = all(v * 2 == int(v * 2) for v in rest)
    if high <= 1:
        return False
    if high <= 10:
        return coarse
    return low >= high / 10 or counts[0.0] > 3 * max(counts[v] for v in rest)


def _graded(kept: Mapping[float, int], off: tuple[float, ...], warnings: tuple[str, ...]) -> Scale:
    low, high = min(kept), max(kept)
    if low < 0:
        top = max(high, -low)
        return Scale(_range(kept, -top, top), top / 2, -top / 2, off, warnings)
    if set(kept) == {1.0, 2.0}:
        return Scale("1 and 2", 2.0, 1.0, off, warnings)
    top = next((t for t in _TOPS if high <= t and LIKE_SHARE * t <= high), high)
    if top > high and top <= 10 and sum(kept.values()) >= _MANY and len(kept) > 2:
        top = high if top == 10 and all(v == int(v) for v in kept) else top
    if high > _TOPS[-1]:
        warnings += (f"ratings go up to {high:g}, which looks like no rating but like a count",)
    like, dislike = round(LIKE_SHARE * top, 6), round(DISLIKE_SHARE * top, 6)
    step = _step(kept)
    if step == 1.0:
        like, dislike = float(-(-like // 1)), max(float(dislike // 1), min(low, 1.0))
    bottom = step if low >= step > 0 else 0.0
    return Scale(_range(kept, bottom, top), like, dislike, off, warnings)


def _step(kept: Mapping[float, int]) -> float:
    """Step of the scale: 1, 0.5, or 0 for anything finer."""
    if all(v == int(v) for v in kept):
        return 1.0
    return 0.5 if all(v * 2 == int(v * 2) for v in kept) else 0.0


def _range(kept: Mapping[float, int], low: float, top: float) -> str:
    steps = {1.0: "whole steps", 0.5: "half steps", 0.0: "fine steps"}[_step(kept)]
    seen, scale = f"{min(kept):g} to {max(kept):g}", f"{low:g} to {top:g}"
    return f"{scale} in {steps}" + ("" if seen == scale else f" (there are {seen})")
