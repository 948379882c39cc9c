"""The benchmark's three pictures, drawn by matplotlib as SVG that a page can hold."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coldstart.errors import MissingExtraError
from coldstart.evaluation.summary import MAIN, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = "osD^vP*Xd<>hp8"

FEW = 4
"""With more systems than this, only ours get a band: all at once would hide the lines."""


def pictures(summary: Summary, ours: Sequence[str] = ()) -> dict[str, str]:
    """Draw NDCG@10 by number of picks, against coverage, and against latency.

    Args:
        summary: the tables.
        ours: systems that are drawn to stand out.

    Returns:
        Title → ``data:`` address of an SVG image, the same for the same tables.

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
    names = list(dict.fromkeys(m.system for m in summary.means))
    most = max(m.shots for m in summary.means)
    colours = matplotlib.colormaps["tab20"]
    style = {
        n: {
            "color": "black" if n in ours else colours((2 * at + at // 10) % 20),
            "marker": MARKS[at % len(MARKS)],
            "zorder": 3 if n in ours else 2,
            "label": _plain(n),
        }
        for at, n in enumerate(names)
    }
    whose = "each" if len(names) <= FEW else ", ".join(ours) or "none of so many"
    drawings = {
        f"NDCG@10 by number of picks; band: 95 % interval of {whose}": _by_shots,
        f"Accuracy against coverage, {most} picks": _against_coverage,
        f"Accuracy against latency, {most} picks": _against_latency,
    }
    out = {}
    # A fixed salt and no date: equal tables give equal bytes.
    with matplotlib.rc_context({"svg.hashsalt": "coldstart", "font.size": 9}):
        for title, draw in drawings.items():
            figure = Figure(figsize=(8.5, 4.5), layout="constrained")
            axes = figure.add_subplot()
            draw(axes, summary, style, set(ours))
            axes.set_ylabel("NDCG@10")
            axes.grid(alpha=0.3)
            figure.legend(loc="outside right center", frameon=False)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            coded = base64.b64encode(buffer.getvalue()).decode()
            out[title] = f"data:image/svg+xml;base64,{coded}"
    return out


def _by_shots(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, look in style.items():
        rows = [m for m in summary.means if m.system == name and m.metric == MAIN]
        ks = [m.shots for m in rows]
        wide = 2.5 if name in ours else 1.2
        axes.plot(ks, [m.value for m in rows], linewidth=wide, markersize=4, **look)
        if name in ours or len(style) <= FEW:
            lows, highs = [m.low for m in rows], [m.high for m in rows]
            axes.fill_between(ks, lows, highs, alpha=0.15, color=look["color"], linewidth=0)
    axes.set_xlabel("liked picks, k")


def _against_coverage(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, (coverage, _, value) in _points(summary).items():
        axes.scatter([coverage], [value], s=90 if name in ours else 35, **style[name])
    axes.set_xlabel("share of the catalog that anybody is shown (coverage@10)")


def _against_latency(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, (_, took, value) in _points(summary).items():
        axes.scatter([max(took, 1e-3)], [value], s=90 if name in ours else 35, **style[name])
    axes.set_xscale("log")
    axes.set_xlabel("median time of one call, ms")


def _points(summary: Summary) -> dict[str, tuple[float, float, float]]:
    """Coverage, milliseconds and NDCG@10 of each system at the most picks."""
    most = max(m.shots for m in summary.means)
    value = {m.system: m.value for m in summary.means if (m.shots, m.metric) == (most, MAIN)}
    return {
        x.system: (x.coverage, x.milliseconds, value[x.system])
        for x in summary.lists
        if x.shots == most
    }


def _plain(name: str) -> str:
    """A name that matplotlib takes for no formula, and no label to hide."""
    return name.replace("$", r"\$").replace("\n", " ").lstrip("_") or "system"
