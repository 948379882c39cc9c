"""Line charts as SVG that a page can hold, drawn by matplotlib."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coldstart.errors import MissingExtraError
from coldstart.evaluation.plots import MARKS

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
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as e:
        raise MissingExtraError(
            "plots need matplotlib, which cannot be imported", hint="pip install matplotlib"
        ) from e
    colours, out = matplotlib.colormaps["tab10"], {}
    # A fixed salt and no date: equal charts give equal bytes.
    with matplotlib.rc_context({"svg.hashsalt": "coldstart", "font.size": 9}):
        for chart in charts:
            figure = Figure(figsize=(8.5, 4.5), layout="constrained")
            axes = figure.add_subplot()
            for n, (name, points) in enumerate(chart.lines.items()):
                x, y, low, high = zip(*points, strict=True)
                look: dict[str, Any] = {"color": colours(n % 10), "marker": MARKS[n % len(MARKS)]}
                label = name.replace("$", r"\$").lstrip("_") or "system"
                axes.plot(x, y, label=label, markersize=4, linewidth=1.4, **look)
                axes.fill_between(x, low, high, alpha=0.1, color=look["color"], linewidth=0)
            if chart.level is not None:
                axes.axhline(chart.level, linestyle="--", color="grey", linewidth=1)
            axes.set_xlabel(chart.x)
            axes.set_ylabel(chart.y)
            axes.grid(alpha=0.3)
            figure.legend(loc="outside right center", frameon=False)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            coded = base64.b64encode(buffer.getvalue()).decode()
            out[chart.title] = f"data:image/svg+xml;base64,{coded}"
    return out
