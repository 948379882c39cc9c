"""Charts drawn by matplotlib as SVG, PNG or PDF, equal bytes for equal charts."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coldstart.errors import MissingExtraError
from coldstart.evaluation.plots.charts import BarChart, Chart, LineChart, PointChart
from coldstart.evaluation.plots.placing import SMALL, clear, middle, spread, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("svg", "png", "pdf")
COLOURED = 6
"""With more systems than this, the others are grey: all at once would hide the lines."""

_OURS = ("#00796b", "#b71c5c", "#5e35b1")
_OTHERS = ("#e69f00", "#0072b2", "#d55e00", "#56b4e9", "#8a6d3b", "#cc79a7")
_PLAIN = ("#8fa3ad", "#e0a030", "#5c8fc4")
_GREY = "#b4b4b4"
_MARKS = "osD^vP*Xd"
_MOST_TICKS = 12
_STYLE = {
    "svg.hashsalt": "coldstart",  # with no date: equal figures give equal bytes
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777",
    "axes.labelcolor": "#333",
    "xtick.color": "#555",
    "ytick.color": "#555",
    "grid.color": "#e4e4e4",
    "figure.facecolor": "white",
}
_NO_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
}


def matplotlib() -> Any:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import matplotlib as found
    except ImportError as e:
        raise MissingExtraError(
            "plots need matplotlib, which cannot be imported", hint="pip install matplotlib"
        ) from e
    return found


def render(chart: Chart, kind: str = "svg", *, dpi: int = 160) -> bytes:
    """Draw a chart.

    Args:
        chart: what it shows.
        kind: one of ``FORMATS``.
        dpi: resolution of ``png``.

    Returns:
        Content of an image file.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with matplotlib().rc_context(_STYLE):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.5, _height(chart)), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(plain_text(chart.title), loc="left", fontsize=10.5, pad=12, color="#111")
        axes.set_axisbelow(True)
        if isinstance(chart, LineChart):
            _lines(axes, chart)
        elif isinstance(chart, BarChart):
            _bars(axes, chart)
        else:
            _points(axes, chart)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_NO_DATE[kind])
    return buffer.getvalue()


def embedded(charts: Iterable[Chart]) -> dict[str, str]:
    """Draw charts for a page that needs no other file.

    Returns:
        Title → ``data:`` address of an SVG image.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    coded = {c.title: base64.b64encode(render(c)).decode() for c in charts}
    return {title: f"data:image/svg+xml;base64,{text}" for title, text in coded.items()}


def plain_text(name: str) -> str:
    """A name that matplotlib takes for no formula, and no label to hide."""
    return name.replace("$", r"\$").replace("\n", " ").lstrip("_") or "system"


def _height(chart: Chart) -> float:
    if not isinstance(chart, BarChart):
        return 4.6
    bars = len(chart.bars)
    grouped = len(chart.groups) > 1
    return max(2.2, 1.2 + (0.13 * len(chart.groups) * (bars + 1) if grouped else 0.27 * bars))


def _colours(last: Mapping[str, float], strong: Sequence[str]) -> dict[str, str]:
    """Colour by name: ours, then the best others and popularity; the rest is grey."""
    ours = [name for name in last if name in strong][: len(_OURS)]
    others = sorted((n for n in last if n not in ours), key=lambda n: -last[n])
    if len(last) > COLOURED:
        first = [n for n in others if n == "popularity"]
        others = first + [n for n in others if n not in first]
        others = others[: COLOURED - len(ours)]
    others = [n for n in last if n in others]  # colours in the order of the report
    return {
        **dict(zip(ours, _OURS, strict=False)),
        **{n: _OTHERS[at % len(_OTHERS)] for at, n in enumerate(others)},
    }


def _lines(axes: Axes, chart: LineChart) -> None:
    last = {name: points[-1][1] for name, points in chart.lines.items() if points}
    colours = _colours(last, chart.strong)
    if grey := [name for name in last if name not in colours]:
        for name in grey:
            x, y, _, _ = zip(*chart.lines[name], strict=True)
            axes.plot(x, y, color=_GREY, linewidth=0.8, zorder=1)
    for n, (name, colour) in enumerate(colours.items()):
        x, y, low, high = zip(*chart.lines[name], strict=True)
        ours = name in chart.strong
        mark = _MARKS[n % len(_MARKS)]
        axes.plot(
            x, y, color=colour, linewidth=2.4 if ours else 1.3, marker=mark, markersize=4,
            zorder=4 if ours else 3,
        )  # fmt: skip
        alpha = 0.22 if ours else 0.09
        axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0, zorder=2)
    _scale(axes, chart)
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
    axes.grid(axis="y")
    bottom, top = visible([p for name in colours for p in chart.lines[name]])
    axes.set_ylim(bottom, top)
    below = sum(last[name] < bottom for name in grey)
    labels = [*colours, *grey[:1]]
    more = f"{len(grey)} other{'s' * (len(grey) > 1)}" + f", {below} of them below" * (below > 0)
    grey_at = middle([last[name] for name in grey if last[name] >= bottom] or [bottom])
    at = [last[name] if name in colours else grey_at for name in labels]
    right = max((p[0] for points in chart.lines.values() for p in points), default=0.0)
    for name, place in zip(labels, spread(at, (top - bottom) * 0.045), strict=True):
        axes.annotate(
            plain_text(name) if name in colours else more,
            (right, place), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8,
            color=colours.get(name, "#888"), annotation_clip=False,
            fontweight="bold" if name in chart.strong else "normal",
        )  # fmt: skip


def _scale(axes: Axes, chart: LineChart) -> None:
    """Ticks at the measured places where they are few, on the axis that the chart asks for."""
    places = sorted({p[0] for points in chart.lines.values() for p in points})
    if chart.scale == "log1p":
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    elif chart.scale == "log":
        axes.set_xscale("log")
    if len(places) <= _MOST_TICKS:
        axes.set_xticks(places, [f"{x:,.0f}" if x == int(x) else f"{x:g}" for x in places])
        axes.minorticks_off()


def _bars(axes: Axes, chart: BarChart) -> None:
    last = {name: row[0][0] for name, row in chart.bars.items()}
    colours = _colours(last, chart.strong) if len(chart.groups) > 1 else {}
    if len(chart.groups) == 1:
        _ranked(axes, chart)
    else:
        width = 0.8 / len(chart.bars)
        for n, (name, row) in enumerate(chart.bars.items()):
            places = [g + (n - (len(chart.bars) - 1) / 2) * width for g in range(len(row))]
            colour = colours.get(name, _GREY)
            axes.barh(
                places, [v for v, _, _ in row], height=width * 0.92, color=colour, alpha=0.85,
                xerr=_reach(row), label=plain_text(name),
                error_kw={"linewidth": 0.8, "ecolor": "#444"},
            )  # fmt: skip
        axes.set_yticks(range(len(chart.groups)), [plain_text(g) for g in chart.groups])
        axes.set_ylim(len(chart.groups) - 0.4, -0.6)
        axes.figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    ends = [high for row in chart.bars.values() for _, _, high in row]
    axes.set_xlim(0, 1.1 * max(ends, default=1.0) or 1.0)
    axes.set_xlabel(chart.x)
    axes.grid(axis="x")


def _ranked(axes: Axes, chart: BarChart) -> None:
    """Bars of one group, the longest first, each with its value."""
    order = sorted(chart.bars, key=lambda name: -chart.bars[name][0][0])
    kinds = chart.kinds or {}
    known = list(dict.fromkeys(kinds.values()))
    for n, name in enumerate(order):
        row, kind = chart.bars[name], kinds.get(name)
        colour = _PLAIN[known.index(kind) % len(_PLAIN)] if kind else _PLAIN[0]
        axes.barh(
            [n], [row[0][0]], height=0.68, color=_OURS[0] if name in chart.strong else colour,
            alpha=0.9, xerr=_reach(row), error_kw={"linewidth": 1, "ecolor": "#333", "capsize": 2},
            label=kind and plain_text(kind),
        )  # fmt: skip
        axes.annotate(
            f"{row[0][0]:.3f}", (row[0][2], n), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=7.5, color="#333",
        )  # fmt: skip
    axes.set_yticks(range(len(order)), [plain_text(name) for name in order], fontsize=8)
    axes.set_ylim(len(order) - 0.4, -0.6)
    for text, name in zip(axes.get_yticklabels(), order, strict=True):
        text.set_fontweight("bold" if name in chart.strong else "normal")
    if known:
        handles, texts = axes.get_legend_handles_labels()
        each = dict(zip(texts, handles, strict=True))
        axes.legend(each.values(), each.keys(), loc="lower right", frameon=False, fontsize=8)


def _reach(row: Sequence[tuple[float, float, float]]) -> list[list[float]]:
    return [[max(v - low, 0.0) for v, low, _ in row], [max(h - v, 0.0) for v, _, h in row]]


def _points(axes: Axes, chart: PointChart) -> None:
    if chart.log:
        axes.set_xscale("log")
    colours = _colours({n: y for n, (_, y) in chart.points.items()}, chart.strong)
    for name, (x, y) in chart.points.items():
        ours = name in chart.strong
        axes.scatter([x], [y], s=80 if ours else 30, color=colours.get(name, "#9a9a9a"), zorder=3)
    axes.margins(x=0.12, y=0.1)
    if chart.log:
        axes.xaxis.set_major_formatter("{x:,g}")
    axes.autoscale_view()
    first = [*colours, *(name for name in chart.points if name not in colours)]
    for name, place, shift in clear(axes, {n: chart.points[n] for n in first}, len(colours)):
        axes.annotate(
            plain_text(name), place, xytext=(7, shift), textcoords="offset points", va="center",
            fontsize=SMALL, color=colours.get(name, "#777"),
            fontweight="bold" if name in chart.strong else "normal",
        )  # fmt: skip
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
    axes.grid()
