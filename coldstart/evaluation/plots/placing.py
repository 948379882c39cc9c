"""Where labels and axes of a plot end, so that nothing hides anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.plots.charts import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL = 7
"""Size of labels beside points, in points of type."""


def spread(places: Sequence[float], least: float) -> list[float]:
    """Move places apart until neighbours are ``least`` apart; their order and middle stay."""
    order = sorted(range(len(places)), key=lambda n: places[n])
    groups: list[tuple[list[int], float]] = []  # members from low to high, and their centre
    for n in order:
        members, centre = [n], places[n]
        while groups:
            before, at = groups[-1]
            if centre - at >= least * (len(before) + len(members)) / 2:
                break
            groups.pop()
            size = len(before) + len(members)
            centre = (at * len(before) + centre * len(members)) / size
            members = before + members
        groups.append((members, centre))
    out = list(places)
    for members, centre in groups:
        for rank, n in enumerate(members):
            out[n] = centre + (rank - (len(members) - 1) / 2) * least
    return out


def visible(points: Sequence[Point]) -> tuple[float, float]:
    """Ends of the vertical axis: intervals of the coloured lines, which grey ones may leave."""
    low, high = min(p[2] for p in points), max(p[3] for p in points)
    room = 0.06 * (high - low) or 0.1
    return low - (room if low < 0 or low > room else low), high + room


def clear(
    axes: Axes, points: Mapping[str, tuple[float, float]], moved: int
) -> Iterator[tuple[str, tuple[float, float], float]]:
    """Labels that are clear of one another and of the points, with their shift in points of type.

    Args:
        axes: with their final limits.
        points: places by name, the most important first.
        moved: as many of the first are moved up or down to be clear, and never left out; others
            are left out where they would touch something.
    """
    size = np.asarray(axes.bbox.size, dtype=float) * (72 / axes.figure.dpi)  # points of type
    to_axes = axes.transData - axes.transAxes
    at = {name: to_axes.transform(place) * size for name, place in points.items()}
    taken = [(x - 4, x + 4, y) for x, y in at.values()]
    for n, (name, (x, y)) in enumerate(at.items()):
        left, right = x + 5, x + 12 + len(name) * SMALL * 0.62
        for step in sorted(range(-9, 10), key=abs) if n < moved else (0,):
            shift = step * (SMALL + 1.0) * 0.6
            if all(
                left > there or right < here or abs(y + shift - row) > SMALL
                for here, there, row in taken
            ):
                taken.append((left, right, y + shift))
                yield name, points[name], shift
                break
        else:
            if n < moved:
                yield name, points[name], 0.0


def middle(values: Sequence[float]) -> float:
    """Upper median."""
    return sorted(values)[len(values) // 2]
