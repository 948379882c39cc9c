"""The benchmark's three pictures, drawn by matplotlib as SVG that a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from coldstart.evaluation.benchmark_summary import Summary
from coldstart.evaluation.case_metrics import MAIN
from coldstart.evaluation.svg import MARKS, as_svg, label_of, matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    names = list(dict.fromkeys(m.system for m in summary.means))
    most = max(m.n_picks for m in summary.means)
    colours = matplotlib().colormaps["tab20"]
    style = {
        n: {
            "color": "black" if n in ours else colours((2 * at + at // 10) % 20),
            "marker": MARKS[at % len(MARKS)],
            "zorder": 3 if n in ours else 2,
            "label": label_of(n),
        }
        for at, n in enumerate(names)
    }
    whose = "each" if len(names) <= FEW else ", ".join(ours) or "none of so many"
    drawings = {
        f"NDCG@10 by number of picks; band: 95 % interval of {whose}": _by_n_picks,
        f"Accuracy against coverage, {most} picks": _against_coverage,
        f"Accuracy against latency, {most} picks": _against_latency,
    }
    return as_svg(
        {
            title: partial(draw, summary=summary, style=style, ours=set(ours))
            for title, draw in drawings.items()
        }
    )


def _by_n_picks(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, look in style.items():
        rows = [m for m in summary.means if m.system == name and m.metric == MAIN]
        ks = [m.n_picks for m in rows]
        wide = 2.5 if name in ours else 1.2
        axes.plot(ks, [m.value for m in rows], linewidth=wide, markersize=4, **look)
        if name in ours or len(style) <= FEW:
            lows, highs = [m.low for m in rows], [m.high for m in rows]
            axes.fill_between(ks, lows, highs, alpha=0.15, color=look["color"], linewidth=0)
    axes.set_xlabel("liked picks, k")
    axes.set_ylabel("NDCG@10")


def _against_coverage(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, (coverage, _, value) in _points(summary).items():
        axes.scatter([coverage], [value], s=90 if name in ours else 35, **style[name])
    axes.set_xlabel("share of the catalog that anybody is shown (coverage@10)")
    axes.set_ylabel("NDCG@10")


def _against_latency(
    axes: Axes, summary: Summary, style: dict[str, dict[str, Any]], ours: set[str]
) -> None:
    for name, (_, took, value) in _points(summary).items():
        axes.scatter([max(took, 1e-3)], [value], s=90 if name in ours else 35, **style[name])
    axes.set_xscale("log")
    axes.set_xlabel("median time of one call, ms")
    axes.set_ylabel("NDCG@10")


def _points(summary: Summary) -> dict[str, tuple[float, float, float]]:
    """Coverage, milliseconds and NDCG@10 of each system at the most picks."""
    most = max(m.n_picks for m in summary.means)
    value = {m.system: m.value for m in summary.means if (m.n_picks, m.metric) == (most, MAIN)}
    return {
        x.system: (x.coverage, x.milliseconds, value[x.system])
        for x in summary.lists
        if x.n_picks == most
    }
