"""Charts of a report, from its plain data: they can be drawn again from its JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from coldstart.errors import DataError
from coldstart.evaluation.plots.charts import BarChart, Chart, LineChart, Point, PointChart

ReportData = Mapping[str, Any]
Row = Mapping[str, Any]
_OURS_FROM_NOTHING = "from_nothing"
_FEWEST_CUTOFFS = 3


def read_charts(path: Path, systems: Sequence[str] = ()) -> list[Chart]:
    """Charts of a report's JSON file; see ``charts_of``.

    Raises:
        DataError: no such file, no report with plots, or a system that it does not measure.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as e:
        raise DataError(
            f"{path} is no report in JSON", hint="name the OUT.json of `coldstart benchmark --out`"
        ) from e
    charts = charts_of(report, systems) if isinstance(report, Mapping) else []
    if not charts:
        raise DataError(
            f"{path} has nothing to draw",
            hint="plots are made of reports of benchmark, evaluate, replay and log",
        )
    return charts


def charts_of(report: ReportData, systems: Sequence[str] = ()) -> list[Chart]:
    """Charts of a report.

    Args:
        report: plain data of a benchmark (users, requests, sentences, from nothing), of an
            evaluation, of a replay or of a log.
        systems: names of the systems to draw; all if empty.

    Returns:
        The most important first; none for a report of another kind.

    Raises:
        DataError: the report measures no such system.
    """
    made = [c for keys, of in _KINDS.items() if keys <= report.keys() for c in of(report)]
    charts = [chart for chart in made if _named(chart)]  # a log may have neither clicks nor sales
    if not systems:
        return charts
    known = list(dict.fromkeys(name for chart in charts for name in _named(chart)))
    if unknown := [name for name in systems if name not in known]:
        raise DataError(f"no system {unknown[0]!r}", hint=f"some of {', '.join(known)}")
    kept = (_only(chart, systems) for chart in charts)
    return [chart for chart in kept if _named(chart)]


def _benchmark(report: ReportData) -> list[Chart]:
    ours = report["ours"]
    main = [m for m in report["means"] if m["metric"] == "ndcg@10"]
    most = max(m["shots"] for m in main)
    lines = _by_name(main, lambda m: (m["shots"], m["value"], m["low"], m["high"]))
    last = [m for m in main if m["shots"] == most]
    value = {m["system"]: m["value"] for m in last}
    shown = [x for x in report["lists"] if x["shots"] == most and x["system"] in value]
    picks = f"{most} pick{'' if most == 1 else 's'}"
    wide = {x["system"]: (x["coverage"], value[x["system"]]) for x in shown}
    took = {x["system"]: (max(x["milliseconds"], 1e-3), value[x["system"]]) for x in shown}
    title = f"NDCG@10 by number of picks k, with 95 % intervals{_of(report)}"
    by_picks = LineChart("ndcg-by-picks", title, "liked picks, k", "NDCG@10", lines, ours)
    return [
        *([by_picks] if len({m["shots"] for m in main}) > 1 else []),
        _ranking("ndcg", f"NDCG@10 with {picks}, with 95 % intervals{_of(report)}", "NDCG@10",
                 last, ours),
        PointChart(
            "ndcg-by-coverage", f"Accuracy against coverage, {picks}{_of(report)}",
            "share of the catalog that anybody is shown (coverage@10)", "NDCG@10", wide, ours,
        ),
        PointChart(
            "ndcg-by-latency", f"Accuracy against latency, {picks}{_of(report)}",
            "median time of one call, ms", "NDCG@10", took, ours, log=True,
        ),
    ]  # fmt: skip


def _requests(report: ReportData) -> list[Chart]:
    trained = [name for name in report["ours"] if name.startswith("trained:")]
    ours = trained or report["ours"]  # a blend of simple scorers is a rival of what was trained
    means = [m for m in report["test"]["means"] if m["group"] == "all"]
    cutoffs = [(m, int(m["metric"][7:])) for m in means if m["metric"].startswith("recall@")]
    cutoffs.sort(key=lambda pair: pair[1])
    lines: dict[str, list[Point]] = {}
    for m, k in cutoffs:
        lines.setdefault(m["system"], []).append((k, m["value"], m["low"], m["high"]))
    name = f"on all test requests, with 95 % intervals{_of(report)}"
    first = [m for m in means if m["metric"] == "recall@10"]
    charts: list[Chart] = [_ranking("recall", f"Recall@10 {name}", "Recall@10", first, ours)]
    if len({k for _, k in cutoffs}) >= _FEWEST_CUTOFFS:
        charts.append(
            LineChart("recall-by-length", f"Recall by length of the list {name}",
                      "items in the list, k", "Recall@k", lines, ours, scale="log")
        )  # fmt: skip
    return charts


def _published(report: ReportData) -> list[Chart]:
    found = report["published"]
    out: list[Chart] = []
    for metric, name in (("recall@10", "recall-published"), ("ndcg@10", "ndcg-published")):
        rows = [m for m in found["means"] if m["metric"] == metric]
        kinds = {
            m["system"]: "published, zero-shot" if m["published"] else "measured here"
            for m in rows
        }  # fmt: skip
        wording = metric.replace("recall", "Recall").replace("ndcg", "NDCG")
        title = f"{wording} on {found['turns']:,} published turns, with 95 % intervals{_of(report)}"
        out.append(_ranking(name, title, wording, rows, report["ours"], kinds))
    return out


def _sentences(report: ReportData) -> list[Chart]:
    means, k = report["means"], report["k"]
    groups = list(dict.fromkeys(m["group"] for m in means))
    counts = {m["group"]: m["sentences"] for m in means}
    found = {(m["system"], m["group"]): m for m in means}
    systems = list(dict.fromkeys(m["system"] for m in means))
    bars = {
        s: [(m["mean"], m["low"], m["high"]) for g in groups for m in [found[s, g]]]
        for s in systems
    }
    title = f"Obedience@{k} by kind of sentence, with 95 % intervals"
    labels = [f"{g} ({counts[g]})" for g in groups]
    return [BarChart("by-kind", title, f"obedience@{k}", labels, bars, systems[:1])]


def _growing(report: ReportData) -> list[Chart]:
    ours = report.get("ours", [_OURS_FROM_NOTHING])
    curves = report["curves"]
    if len(report["steps"]) < 2:
        lines = _by_name(
            (p for p in curves if p["n_picks"] is not None),
            lambda p: (p["n_picks"], p["value"], p["low"], p["high"]),
        )
        rows = [p for p in curves if p["n_picks"] is None]
        title = f"NDCG@10 before the first like, with 95 % intervals{_of(report)}"
        charts: list[Chart] = [_ranking("ndcg", title, "NDCG@10", rows, ours)]
        if len({p["n_picks"] for p in curves} - {None}) > 1:
            title = f"NDCG@10 before the first like, by number of picks{_of(report)}"
            charts.append(
                LineChart("ndcg-by-picks", title, "liked picks, k", "NDCG@10", lines, ours)
            )
        return charts
    numbers = dict.fromkeys(p["n_picks"] for p in curves)
    return [
        LineChart(
            "ndcg-by-likes" if n is None else f"ndcg-by-likes-k{n}",
            f"From nothing: NDCG@10 by observed likes{_with(n)}{_of(report)}",
            "likes observed before the list is made", "NDCG@10",
            _by_name(
                (p for p in curves if p["n_picks"] == n),
                lambda p: (p["events"], p["value"], p["low"], p["high"]),
            ),
            ours, scale="log1p",
        )
        for n in numbers
    ]  # fmt: skip


def _replay(report: ReportData) -> list[Chart]:
    k = report.get("k", 10)
    ours = [n for n in dict.fromkeys(p["system"] for p in report["picks"]) if "coldstart" in n]
    picks = _by_name(
        (p for p in report["picks"] if p["metric"] == "ndcg"),
        lambda p: (p["picks"], p["value"], p["low"], p["high"]),
    )
    over = _by_name(report["windows"], lambda w: (w["last"] + 1, w["ctr"], w["ctr"], w["ctr"]))
    moved: dict[str, list[Point]] = {}
    for a in sorted(report["shifted"], key=lambda a: int(a["picks"])):
        if a["phase"] != "before":
            name = f"{a['system']}, no shift" if a["phase"] == "control" else a["system"]
            moved.setdefault(name, []).append((a["picks"], a["value"], a["low"], a["high"]))
    out: list[Chart] = [
        LineChart(
            "ndcg-by-picks", f"NDCG@{k} by number of observed picks, with 95 % intervals",
            "observed picks", f"NDCG@{k}", picks, ours,
        ),
        LineChart("ctr-over-time", f"CTR@{k} over time", "users arrived", f"CTR@{k}", over, ours),
    ]  # fmt: skip
    if moved:
        title = f"NDCG@{k} for the new interest after a shift, with 95 % intervals"
        x = "likes observed after the shift"
        out.append(LineChart("ndcg-after-shift", title, x, f"NDCG@{k}", moved, ours))
    return out


def _evaluation(report: ReportData) -> list[Chart]:
    rows = []
    for row in report["rows"]:
        value, half = row["values"]["ndcg@10"], row["half_width"]["ndcg@10"]
        # Reports of earlier versions have only half the width.
        low, high = row.get("interval", {}).get("ndcg@10", (value - half, value + half))
        own = {"system": row["system"].strip("*"), "shots": row["shots"]}
        rows.append(own | {"value": value, "low": low, "high": high})
    names = dict.fromkeys(row["system"] for row in report["rows"])
    ours = [name.strip("*") for name in names if name.startswith("*")]  # bold in its table
    most = max(row["shots"] for row in rows)
    title = f"with 95 % intervals ({report['data']['name']})"
    lines = _by_name(rows, lambda r: (r["shots"], r["value"], r["low"], r["high"]))
    last = [row for row in rows if row["shots"] == most]
    by_picks = LineChart("ndcg-by-picks", f"NDCG@10 by number of picks k, {title}",
                         "liked picks, k", "NDCG@10", lines, ours)  # fmt: skip
    return [
        *([by_picks] if len({row["shots"] for row in rows}) > 1 else []),
        _ranking("ndcg", f"NDCG@10{_with(most)}, {title}", "NDCG@10", last, ours),
    ]


def _log(report: ReportData) -> list[Chart]:
    lines: dict[str, list[Point]] = {}
    for name, field in (("CTR", "ctr"), ("conversion rate", "conversion")):
        for row in report["business"]:
            if x := row[field]:
                low, high = (x["value"] if x[end] is None else x[end] for end in ("low", "high"))
                lines.setdefault(name, []).append((row["k"], x["value"], low, high))
    title = "Clicks and conversions by ranks counted, with 95 % intervals"
    return [LineChart("by-k", title, "ranks counted, k", "share of rows", lines)]


_KINDS: Mapping[frozenset[str], Callable[[ReportData], list[Chart]]] = {
    frozenset({"means", "lists", "ours"}): _benchmark,
    frozenset({"published", "ours"}): _published,
    frozenset({"test", "ours"}): _requests,
    frozenset({"means", "shown", "k"}): _sentences,
    frozenset({"curves", "steps"}): _growing,
    frozenset({"picks", "windows", "shifted"}): _replay,
    frozenset({"business", "estimates"}): _log,
    frozenset({"rows", "reserved", "users"}): _evaluation,
}
"""What is in a report of each kind, and its charts."""


def _ranking(
    name: str,
    title: str,
    x: str,
    rows: Iterable[Row],
    ours: Sequence[str],
    kinds: Mapping[str, str] | None = None,
) -> BarChart:
    bars = {m["system"]: [(m["value"], m["low"], m["high"])] for m in rows}
    return BarChart(name, title, x, [""], bars, ours, kinds)


def _by_name(rows: Iterable[Row], point: Callable[[Row], Point]) -> dict[str, list[Point]]:
    out: dict[str, list[Point]] = {}
    for row in rows:
        out.setdefault(row["system"], []).append(point(row))
    return {name: sorted(points) for name, points in out.items()}


def _of(report: ReportData) -> str:
    """The data, for a title."""
    return f" ({str(report['about']['data']).partition(',')[0]})"


def _with(n_picks: int | None) -> str:
    return "" if n_picks is None else f", {n_picks} pick{'' if n_picks == 1 else 's'}"


def _named(chart: Chart) -> list[str]:
    if isinstance(chart, LineChart):
        return list(chart.lines)
    return list(chart.bars if isinstance(chart, BarChart) else chart.points)


def _only(chart: Chart, systems: Sequence[str]) -> Chart:
    if isinstance(chart, LineChart):
        return replace(chart, lines={n: p for n, p in chart.lines.items() if n in systems})
    if isinstance(chart, BarChart):
        return replace(chart, bars={n: b for n, b in chart.bars.items() if n in systems})
    return replace(chart, points={n: p for n, p in chart.points.items() if n in systems})
