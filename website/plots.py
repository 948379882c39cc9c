"""Plots of the reports: they are in the HTML that benchmarks write beside the Markdown."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = "results"
_PLOT = re.compile(
    r"<figcaption>(?P<caption>[^<]*)</figcaption>\s*"
    r'<img src="data:image/(?P<kind>svg\+xml|png);base64,(?P<data>[^"]+)" alt="(?P<alt>[^"]*)"'
)
_ENDINGS = {"svg+xml": "svg", "png": "png"}


@cache
def pages() -> dict[str, bytes]:
    """Pictures by their path in the site."""
    return {
        f"{FOLDER}/{report.stem}/plot-{number}.{_ENDINGS[plot['kind']]}": base64.b64decode(
            plot["data"]
        )
        for report in sorted((ROOT / "docs" / FOLDER).glob("*.html"))
        for number, plot in enumerate(_plots(report), 1)
    }


def shown(text: str, page: str) -> str:
    """Text of a page, with the plots of its report before the first section."""
    report = ROOT / "docs" / Path(page).with_suffix(".html")
    if not page.startswith(f"{FOLDER}/") or not report.is_file():
        return text
    figures = [
        f'<figure markdown="span">\n![{plot["alt"]}]({report.stem}/plot-{number}.'
        f"{_ENDINGS[plot['kind']]})\n<figcaption>{plot['caption']}</figcaption>\n</figure>\n\n"
        for number, plot in enumerate(_plots(report), 1)
    ]
    before, section, after = text.partition("\n## ")
    return before + "\n\n" + "".join(figures) + section + after


def _plots(report: Path) -> list[re.Match[str]]:
    return list(_PLOT.finditer(report.read_text(encoding="utf-8")))
