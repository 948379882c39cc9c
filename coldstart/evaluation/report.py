"""Reports as Markdown, as one self-contained HTML page, as plain data, and their plots."""

from __future__ import annotations

import html
import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from coldstart.errors import MissingExtraError
from coldstart.evaluation.plots.charts import Chart
from coldstart.evaluation.plots.draw import embedded, render
from coldstart.evaluation.plots.of_report import charts_of
from coldstart.runtime.cache import write_atomic, write_through
from coldstart.runtime.hardware import processor

PACKAGES = ("coldstart-rec", "numpy", "scipy", "lightgbm", "implicit", "lightfm-next", "torch")
_PAGE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Args:
        title: above it.
        columns: headings.
        rows: as many cells each; the first names a system.
        note: what has to be known to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        """Title, note and table."""
        parts = [f"## {cell(self.title)}\n"]
        if self.note:
            parts.append(f"{self.note}\n")
        lines = [_line(self.columns), "|---" * len(self.columns) + "|"]
        parts.append("\n".join([*lines, *map(_line, self.rows)]) + "\n")
        return "\n".join(parts)


@dataclass(frozen=True)
class Document:
    """A report as it is read.

    Args:
        title: of the page.
        intro: how to read it.
        tables: in order.
        about: what produced them, name → text.
        data: every number, as plain data; plots are made of it.
        warnings: notes printed first.
        ours: rows that stand out.
    """

    title: str
    intro: str
    tables: Sequence[Table]
    about: Mapping[str, str]
    data: Mapping[str, Any]
    warnings: Sequence[str] = ()
    ours: Sequence[str] = ()

    def markdown(self, plots: Mapping[str, str] | None = None) -> str:
        """Plots, tables and what produced them, as Markdown.

        Args:
            plots: title → address of an image.
        """
        parts = [f"# {cell(self.title)}\n", f"{self.intro}\n"]
        parts += [f"**Note:** {cell(line)}\n" for line in self.warnings]
        parts += [f"![{cell(title)}]({address})\n" for title, address in (plots or {}).items()]
        parts += [table.markdown() for table in self.tables]
        parts.append("## How it was made\n")
        parts.append("\n".join(f"- {n}: {cell(value)}" for n, value in self.about.items()) + "\n")
        return "\n".join(parts)

    def page(self) -> str:
        """One self-contained HTML page; without matplotlib a note replaces the plots."""
        why: str = ""
        drawn: Mapping[str, str] = {}
        try:
            drawn = embedded(charts_of(self.data))
        except MissingExtraError as e:
            why = f"No plots: {e.message} ({e.hint})."
        made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        return made.from_string(_PAGE.read_text(encoding="utf-8")).render(
            title=self.title,
            about=self.about,
            intro=self.intro,
            warnings=self.warnings,
            pictures=drawn,
            no_pictures=why,
            tables=self.tables,
            ours=self.ours,
        )


class Report(ABC):
    """A finished report: Markdown, one self-contained HTML page, plain data, and its plots."""

    @abstractmethod
    def document(self) -> Document:
        """Title, tables and plain data."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""

    def markdown(self) -> str:
        """Tables and what produced them, as Markdown."""
        return self.document().markdown()

    def page(self) -> str:
        """One HTML page with plots; without matplotlib a note replaces them."""
        return self.document().page()

    def save(self, out: Path) -> list[Path]:
        """Write ``OUT.md``, ``OUT.html``, ``OUT.json``, and each plot as SVG and PNG beside them.

        Each file is written at once or not at all; without matplotlib there are no plots.

        Args:
            out: path without an ending; one that looks like an ending ("v1.2") is kept.
        """
        document = self.document()
        try:
            plots = save_charts(charts_of(document.data), out)
        except MissingExtraError:
            plots = []
        shown = [path for _, path in plots if path.suffix == ".svg"]
        titles = list(dict.fromkeys(title for title, _ in plots))
        images = {t: quote(p.name) for t, p in zip(titles, shown, strict=True)}
        paths = save(out, document.data, md=document.markdown(images), html=document.page())
        return [*paths, *(path for _, path in plots)]


def save(out: Path, data: Mapping[str, Any], **texts: str) -> list[Path]:
    """Write ``OUT.json`` and texts under other endings, each file at once or not at all.

    Args:
        out: path without an ending; one that looks like an ending ("v1.2") is kept.
        data: plain data.
        texts: by ending.
    """
    whole = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    paths = {out.with_name(f"{out.name}.{end}"): t for end, t in (texts | {"json": whole}).items()}
    for path, text in paths.items():
        write_atomic(path, text)
    return list(paths)


def save_charts(
    charts: Sequence[Chart], out: Path, formats: Sequence[str] = ("svg", "png")
) -> list[tuple[str, Path]]:
    """Draw charts into files ``OUT.NAME.FORMAT``, each written at once or not at all.

    Args:
        charts: with names of their own.
        out: path without an ending.
        formats: see ``draw.FORMATS``.

    Returns:
        Title and file of every image.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    paths = []
    for chart in charts:
        for kind in formats:
            path = out.with_name(f"{out.name}.{chart.name}.{kind}")
            write_through(path, partial(_fill, content=render(chart, kind)))
            paths.append((chart.title, path))
    return paths


def _fill(place: Path, content: bytes) -> None:
    place.write_bytes(content)


def plain(value: Any) -> Any:
    """Plain data of a dataclass, as result files name it: ``n_picks`` is written as ``shots``."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {"shots" if k == "n_picks" else k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


def made_with(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions and machine, for the facts of a report."""
    return {
        "versions": ", ".join(f"{p} {_version(p)}" for p in packages),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}",
        "processor": f"{processor()}; OMP_NUM_THREADS="
        f"{os.environ.get('OMP_NUM_THREADS', 'not set')}",
    }


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(cell, cells)) + " |"


def cell(text: str) -> str:
    """Text that breaks no table and is no HTML."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
