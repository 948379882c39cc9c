"""Write the figures of committed reports into Markdown files, so that nobody copies them by hand.

    python benchmarks/tables.py README.md        # make tables
    python benchmarks/tables.py --check          # or only see whether they are up to date

A table stands between two comments, of which the first says where it comes from, and may name the
systems to show, each with a title:

    <!-- table docs/results/benchmark-ml-100k.json: popularity, lightfm_warp=LightFM -->
    <!-- /table -->

A single figure stands in a sentence or a cell. Its comment picks one row of the report by its
fields; ``field`` names the number, if it is not the row's mean, and ``plain=1`` leaves out the
interval:

    <!-- figure docs/results/requests-redial.json: system=blend, metric=recall@10, group=all -->
    <!-- /figure -->
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coldstart.evaluation.artifact_evaluation import as_markdown
from coldstart.runtime.cache import write_atomic

ROOT = Path(__file__).parent.parent
FILES = tuple(
    ROOT / name
    for name in ("README.md", "docs/index.md", "docs/figures.md", "adapters/movies/README.md")
)
_TABLE = re.compile(r"<!-- table (?P<file>\S+?)(?:: (?P<rows>.+?))? -->\n.*?<!-- /table -->", re.S)
_FIGURE = re.compile(r"(<!-- figure (?P<file>\S+?): (?P<row>.+?) -->).*?<!-- /figure -->", re.S)

Report = dict[str, Any]
_REQUESTS = (
    ("recall@1", "all"),
    ("recall@10", "all"),
    ("recall@50", "all"),
    ("ndcg@10", "all"),
    ("recall@10", "first"),
)
_PUBLISHED = ("recall@10", "ndcg@10")


def table(report: Report, rows: dict[str, str]) -> str:
    """A Markdown table of a report: systems and what they are measured by.

    Args:
        report: of ``coldstart evaluate`` or of ``coldstart benchmark``, on users (NDCG@10 by number
            of picks), ``--requests`` or ``--sentences``.
        rows: title of each system to show; all if empty.
    """
    if "rows" in report:  # of ``coldstart evaluate``
        return as_markdown(report)
    if "published" in report:
        return _published_table(report["published"]["means"], rows)
    if "test" in report:
        return _request_table(report["test"]["means"], rows)
    if "left_out" in report:
        return _sentence_table(report["means"], rows)
    return _benchmark_table(report, rows)


def _benchmark_table(report: Report, rows: dict[str, str]) -> str:
    means = [m for m in report["means"] if m["metric"] == "ndcg@10"]
    rows = _shown(rows, report["systems"])
    of = {(m["system"], m["shots"]): m for m in means}
    shots = sorted({m["shots"] for m in means})
    best = {k: max(of[name, k]["value"] for name in rows) for k in shots}
    people = max(m["users"] for m in means)
    lines = []
    for name, title in rows.items():
        cells = [_cell(of[name, k], best[k], interval=True) for k in shots]
        lines.append([title, *cells])
    return _markdown([f"NDCG@10, {people} users", *(f"k={k}" for k in shots)], lines)


def _request_table(means: Sequence[Report], rows: dict[str, str]) -> str:
    of = {(m["system"], m["metric"], m["group"]): m for m in means}
    rows = _shown(rows, [m["system"] for m in means])
    columns = [c for c in _REQUESTS if any((name, *c) in of for name in rows)]
    best = {c: max(of[name, *c]["value"] for name in rows) for c in columns}
    lines = [
        [title, *(_cell(of[name, *c], best[c], interval=c[0] == "recall@10") for c in columns)]
        for name, title in rows.items()
    ]
    heads = [_metric(m) + (", first requests" if g == "first" else "") for m, g in columns]
    cases = max(m["cases"] for m in means if m["group"] == "all")
    return _markdown([f"{cases} targets", *heads], lines)


def _published_table(means: Sequence[Report], rows: dict[str, str]) -> str:
    of = {(m["system"], m["metric"]): m for m in means}
    rows = _shown(rows, [m["system"] for m in means])
    best = {c: max(of[name, c]["value"] for name in rows) for c in _PUBLISHED}
    lines = [
        [title, *(_cell(of[name, c], best[c], interval=True) for c in _PUBLISHED)]
        for name, title in rows.items()
    ]
    return _markdown(["", *map(_metric, _PUBLISHED)], lines)


def _sentence_table(means: Sequence[Report], rows: dict[str, str]) -> str:
    """Kinds of sentences down, systems across: there are many kinds."""
    rows = _shown(rows, [m["system"] for m in means])
    of = {(m["system"], m["group"]): m | {"value": m["mean"]} for m in means}
    lines = []
    for group, count in {m["group"]: m["sentences"] for m in means}.items():
        best = max(of[name, group]["value"] for name in rows)
        cells = [_cell(of[name, group], best, interval=group == "all") for name in rows]
        lines.append([f"{group} ({count})", *cells])
    return _markdown(["obedience@10", *rows.values()], lines)


def _shown(rows: dict[str, str], systems: Sequence[str]) -> dict[str, str]:
    """Titles of the systems to show; refuses one that the report lacks."""
    there = list(dict.fromkeys(systems))
    if unknown := [name for name in rows if name not in there]:
        raise SystemExit(f"error: no system {unknown[0]!r}; there are {', '.join(there)}")
    return rows or {name: name for name in there}


def _cell(row: Report, best: float, *, interval: bool) -> str:
    value = f"{row['value']:.3f}"
    value = f"**{value}**" if row["value"] == best else value
    return f"{value} ± {(row['high'] - row['low']) / 2:.3f}" if interval else value


def _metric(name: str) -> str:
    return name.replace("recall", "R").replace("ndcg", "NDCG")


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    made = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*made, *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"


def figure(report: Report, wanted: dict[str, str]) -> str:
    """One number of a report.

    Args:
        report: any; its rows are under ``means`` or ``rows``, also of ``test`` and ``published``.
        wanted: fields that pick the row; ``field`` and ``plain`` as above.

    Returns:
        The mean with half its interval, or the named number; seconds (``p50``) as milliseconds.
    """
    fields = {name: value for name, value in wanted.items() if name not in ("field", "plain")}
    parts = [report, report.get("test", {}), report.get("published", {})]
    rows = [row for part in parts for key in ("means", "rows") for row in part.get(key, ())]
    found = [row for row in rows if all(str(row.get(n)) == v for n, v in fields.items())]
    if len(found) != 1:
        raise SystemExit(f"error: {len(found)} rows of the report have {fields}, expected one")
    name = wanted.get("field") or ("value" if "value" in found[0] else "mean")
    value = found[0][name]
    if re.fullmatch(r"p\d\d", name):
        return f"{1000 * value:.0f} ms"
    if name == "ratio":
        return f"{value:.1f}"
    if "low" not in found[0] or wanted.get("plain"):
        return f"{value:.3f}"
    return f"{value:.3f} ± {(found[0]['high'] - found[0]['low']) / 2:.3f}"


def filled(text: str) -> str:
    """The text with every table and every figure made from its report."""

    def make(found: re.Match[str]) -> str:
        rows = {name: title or name for name, title in _pairs(found["rows"])}
        head = found[0].split("\n", 1)[0]
        return f"{head}\n{table(_report(found['file']), rows)}<!-- /table -->"

    def put(found: re.Match[str]) -> str:
        made = figure(_report(found["file"]), dict(_pairs(found["row"])))
        return f"{found[1]}{made}<!-- /figure -->"

    return _FIGURE.sub(put, _TABLE.sub(make, text))


def _pairs(text: str | None) -> list[tuple[str, str]]:
    """Split ``name=value, …``; a value may be left out."""
    parts = [part.strip().partition("=") for part in (text or "").split(",") if part.strip()]
    return [(name, value) for name, _, value in parts]


def _report(name: str) -> Report:
    path = ROOT / name
    if not path.is_file():
        raise SystemExit(f"error: {name} is missing; run its benchmark with --out")
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    return report


def main() -> None:
    """Fill the tables of the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[p for p in FILES if p.is_file()])
    parser.add_argument("--check", action="store_true", help="fail if a table is out of date")
    options = parser.parse_args()
    stale = []
    for path in options.files:
        text = path.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            stale.append(str(path))
            if not options.check:
                write_atomic(path, new)
    if options.check and stale:
        sys.exit(f"out of date: {', '.join(stale)}; run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
