"""Draw the plots of committed reports again, after a change of how plots look.

    python benchmarks/plots.py                                    # of all reports
    python benchmarks/plots.py docs/results/growing-ml-100k.json

Nothing is measured: plots are made of the figures in the JSON files. The images are written beside
the reports; the Markdown shows them, and the HTML holds them.
"""

from __future__ import annotations

import argparse
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from coldstart.evaluation.plots.draw import embedded
from coldstart.evaluation.plots.of_report import charts_of
from coldstart.evaluation.report import cell, save_charts
from coldstart.runtime.cache import write_atomic

RESULTS = Path(__file__).parent.parent / "docs" / "results"
_SHOWN = re.compile(r"\n!\[[^\]\n]*\]\([^)\n]*\.svg\)\n")
_HELD = re.compile(r"<figure>.*?</figure>\n|<p></p>\n|<p>No plots: [^<]*</p>\n", re.DOTALL)


def in_markdown(text: str, images: Mapping[str, str]) -> str:
    """Markdown that shows images before its first section.

    Args:
        text: a report.
        images: title → address.
    """
    before, section, after = _SHOWN.sub("", text).partition("\n## ")
    lines = "".join(f"\n![{cell(title)}]({address})\n" for title, address in images.items())
    return before + lines + section + after


def in_page(text: str, images: Mapping[str, str]) -> str:
    """HTML that holds images before its first section; see ``in_markdown``."""
    before, section, after = _HELD.sub("", text).partition("<h2>")
    alt = "the tables below hold the numbers."
    figures = (
        f'<figure><img src="{address}" alt="{html.escape(title)}; {alt}"></figure>\n'
        for title, address in images.items()
    )
    return before + "".join(figures) + section + after


def main() -> None:
    """Draw the named reports, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("reports", nargs="*", type=Path, metavar="REPORT.json")
    for path in parser.parse_args().reports or sorted(RESULTS.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if not (charts := charts_of(report) if isinstance(report, dict) else []):
            continue
        out = path.with_suffix("")
        images = {title: quote(image.name) for title, image in save_charts(charts, out, ["svg"])}
        for end, shown, pictures in (
            ("md", in_markdown, images),
            ("html", in_page, embedded(charts)),
        ):
            page = out.with_name(f"{out.name}.{end}")
            if page.is_file():
                write_atomic(page, shown(page.read_text(encoding="utf-8"), pictures))
        print(f"{path}: {', '.join(images.values())}")


if __name__ == "__main__":
    main()
