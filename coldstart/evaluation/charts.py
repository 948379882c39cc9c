"""Line charts as SVG that a page can hold, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from coldstart.evaluation.svg import MARKS, as_svg, label_of, matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float, float, float]
"""x, y, and the lower and upper end of the interval of y."""


@dataclass(frozen=True)
class Chart:
    """Lines over one axis.

    Args:
        title: above it.
        x: what the axis to the right means, with its unit.
        y: what the axis up means.
        lines: points by name, by rising x.
        level: a dashed line across, if any.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[Point]]
    level: float | None = None


def draw(charts: Sequence[Chart]) -> dict[str, str]:
    """Draw charts.

    Returns:
        Title → ``data:`` address of an SVG image, the same for the same charts.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return as_svg({chart.title: partial(_lines, chart=chart) for chart in charts})


def _lines(axes: Axes, chart: Chart) -> None:
    colours = matplotlib().colormaps["tab10"]
    for n, (name, points) in enumerate(chart.lines.items()):
        x, y, low, high = zip(*points, strict=True)
        colour, mark = colours(n % 10), MARKS[n % len(MARKS)]
        axes.plot(
            x, y, label=label_of(name), markersize=4, linewidth=1.4, color=colour, marker=mark
        )
        axes.fill_between(x, low, high, alpha=0.1, color=colour, linewidth=0)
    if chart.level is not None:
        axes.axhline(chart.level, linestyle="--", color="grey", linewidth=1)
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
