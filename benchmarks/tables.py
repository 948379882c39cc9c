"""Write the figures of committed reports into Markdown files, so that nobody copies them by hand.

    python benchmarks/tables.py README.md        # make tables
    python benchmarks/tables.py --check          # or only see whether they are up to date

A table stands between two comments, of which the first says where it comes from, and may name the
systems to show, each with a title:

    <!-- table docs/results/benchmark-ml-100k.json: popularity, lightfm_warp=LightFM -->
    <!-- /table -->
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from coldstart.evaluation.artifact_evaluation import as_markdown
from coldstart.runtime.cache import write_atomic

ROOT = Path(__file__).parent.parent
_TABLE = re.compile(r"<!-- table (?P<file>\S+?)(?:: (?P<rows>.+?))? -->\n.*?<!-- /table -->", re.S)


def table(report: dict[str, Any], rows: dict[str, str]) -> str:
    """NDCG@10 as a Markdown table: systems down, numbers of picks across.

    Args:
        report: of ``coldstart benchmark`` or ``coldstart evaluate``.
        rows: title of each system to show; all if empty.
    """
    if "rows" in report:  # of ``coldstart evaluate``
        return as_markdown(report)
    means = [m for m in report["means"] if m["metric"] == "ndcg@10"]
    rows = rows or {name: name for name in report["systems"]}
    if unknown := [name for name in rows if name not in report["systems"]]:
        raise SystemExit(
            f"error: no system {unknown[0]!r}; there are {', '.join(report['systems'])}"
        )
    of = {(m["system"], m["shots"]): m for m in means}
    shots = sorted({m["shots"] for m in means})
    best = {k: max(of[name, k]["value"] for name in rows) for k in shots}
    people = max(m["users"] for m in means)
    lines = [
        f"| NDCG@10, {people} users | " + " | ".join(f"k={k}" for k in shots) + " |",
        "|---" * (len(shots) + 1) + "|",
    ]
    for name, title in rows.items():
        cells = []
        for k in shots:
            m = of[name, k]
            value = f"{m['value']:.3f}"
            value = f"**{value}**" if m["value"] == best[k] else value
            cells.append(f"{value} ± {(m['high'] - m['low']) / 2:.3f}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """The text with every table made anew."""

    def make(found: re.Match[str]) -> str:
        names = [n.strip().partition("=") for n in (found["rows"] or "").split(",") if n.strip()]
        rows = {name: title or name for name, _, title in names}
        report = json.loads((ROOT / found["file"]).read_text(encoding="utf-8"))
        head = found[0].split("\n", 1)[0]
        return f"{head}\n{table(report, rows)}<!-- /table -->"

    return _TABLE.sub(make, text)


def main() -> None:
    """Fill the tables of the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[ROOT / "README.md"])
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
