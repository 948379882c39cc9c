"""Reports as Markdown, as one self-contained HTML page, and as plain data."""

from __future__ import annotations

import html
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from coldstart.errors import MissingExtraError
from coldstart.runtime.cache import write_atomic
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


def page(
    title: str,
    intro: str,
    tables: Sequence[Table],
    about: Mapping[str, str],
    draw: Callable[[], Mapping[str, str]],
    warnings: Sequence[str] = (),
    ours: Sequence[str] = (),
) -> str:
    """One self-contained HTML page; without matplotlib a note replaces the plots.

    Args:
        title: of the page.
        intro: how to read it.
        tables: in order.
        about: what produced them, name → text.
        draw: gives title → address of an image, or raises ``MissingExtraError``.
        warnings: notes printed first.
        ours: rows that stand out.
    """
    why: str = ""
    drawn: Mapping[str, str] = {}
    try:
        drawn = draw()
    except MissingExtraError as e:
        why = f"No plots: {e.message} ({e.hint})."
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.from_string(_PAGE.read_text(encoding="utf-8")).render(
        title=title,
        about=about,
        intro=intro,
        warnings=warnings,
        pictures=drawn,
        no_pictures=why,
        tables=tables,
        ours=ours,
    )


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
