"""What a plot shows, as plain data; see ``draw`` for how it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float, float, float]
"""x, y, and the lower and upper end of the interval of y."""

Interval = tuple[float, float, float]
"""A value, and the lower and upper end of its interval."""


@dataclass(frozen=True)
class LineChart:
    """Lines with bands over one axis.

    Args:
        name: of its file; letters and hyphens.
        title: above it.
        x: what the horizontal axis means, with its unit.
        y: what the vertical axis means.
        lines: points by name, by rising x.
        strong: names that stand out.
        scale: of the horizontal axis; ``log1p`` is logarithmic and has a place for 0.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[Point]]
    strong: Sequence[str] = ()
    scale: Literal["linear", "log", "log1p"] = "linear"


@dataclass(frozen=True)
class BarChart:
    """Values with intervals, of several systems in each of several groups.

    Args:
        name: of its file; letters and hyphens.
        title: above it.
        x: what the length of a bar means.
        groups: labels, from top to bottom.
        bars: one interval per group, by name of the system.
        strong: names that stand out.
        kinds: what a system is ("published"), if that matters.
    """

    name: str
    title: str
    x: str
    groups: Sequence[str]
    bars: Mapping[str, Sequence[Interval]]
    strong: Sequence[str] = ()
    kinds: Mapping[str, str] | None = None


@dataclass(frozen=True)
class PointChart:
    """Labelled points in a plane.

    Args:
        name: of its file; letters and hyphens.
        title: above it.
        x: what the horizontal axis means, with its unit.
        y: what the vertical axis means.
        points: place by name.
        strong: names that stand out.
        log: whether the horizontal axis is logarithmic.
    """

    name: str
    title: str
    x: str
    y: str
    points: Mapping[str, tuple[float, float]]
    strong: Sequence[str] = ()
    log: bool = False


Chart = LineChart | BarChart | PointChart
