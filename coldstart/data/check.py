"""Validate a file to be used as a catalog: errors, warnings, notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coldstart.catalog.frames import (
    Parsed,
    columns_of,
    match_columns,
    parse_items,
    read_table,
)
from coldstart.catalog.titles import normalise_title
from coldstart.errors import CatalogError
from coldstart.tabular.cells import as_text
from coldstart.tabular.rows import rows_text

LONG_TITLE = 300

# UTF-8 read as Latin-1 or Windows-1252 ("Ã©", "â€™"), or lost for good (U+FFFD).
_MOJIBAKE = re.compile(r"Ã[\x80-\xbf\u0152-\u2122]|Â[\xa0-\xbf]|â€|\ufffd")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Problem:
    """One finding of the validation.

    Args:
        level: an ``error`` prevents the table from loading as a catalog.
        rows: row numbers; the header of the table is row 1 (in JSON lines, the first line). Empty
            for the file as a whole.
        what: description of the finding.
        hint: the remedy, or the effect of leaving it.
    """

    level: Literal["error", "warning", "info"]
    rows: tuple[int, ...]
    what: str
    hint: str = ""

    def __str__(self) -> str:
        where = f" in {rows_text(self.rows)}" if self.rows else ""
        return f"{self.level}: {self.what}{where}" + (f" ({self.hint})" if self.hint else "")


_Finding = tuple[Literal["warning", "info"], str, str, tuple[str, ...], Callable[[str], object]]
_TEXT = ("title", "description", "categories")
_FINDINGS: tuple[_Finding, ...] = (
    (
        "warning",
        "garbled characters such as 'Ã©'",
        "the file was read in a wrong encoding once; export it again as UTF-8",
        _TEXT,
        _MOJIBAKE.search,
    ),
    ("warning", "control characters", "they become spaces", _TEXT, _CONTROL.search),
    (
        "warning",
        f"titles of more than {LONG_TITLE} characters",
        "they cost time in every prompt; move details to the description",
        ("title",),
        lambda title: len(title) > LONG_TITLE,
    ),
    ("info", "HTML entities such as '&amp;'", "they are decoded", _TEXT, _ENTITY.search),
)


def check_table(path: str | Path) -> list[Problem]:
    """Validate a CSV, TSV, Parquet or JSON lines file.

    Returns:
        Findings, errors first; ``Catalog.load`` accepts the file iff there are no errors.
    """
    first_row = 1 if Path(path).suffix.lower() in {".jsonl", ".ndjson"} else 2
    try:
        frame = read_table(path, error=CatalogError)
        parsed = parse_items(frame, first_row=first_row)
    except CatalogError as e:
        return [Problem("error", (), e.message, e.hint)]
    problems = [Problem("error", tuple(rows), what) for what, rows in parsed.problems.items()]
    if not parsed.items and not problems:
        problems.append(Problem("error", (), "no items", "the table has a header but no rows"))
    problems += _same_titles(parsed)
    table, fields = columns_of(frame), match_columns(frame.columns)
    for level, what, hint, names, test in _FINDINGS:
        columns = [map(as_text, table[fields[name]]) for name in names if name in fields]
        rows = tuple(
            number
            for number, texts in enumerate(zip(*columns, strict=True), start=first_row)
            if any(map(test, texts))
        )
        problems += [Problem(level, rows, what, hint)] if rows else []
    return problems


def _same_titles(parsed: Parsed) -> list[Problem]:
    keys = [(normalise_title(item.title), item.year) for item in parsed.items]
    counts = Counter(keys)
    rows = tuple(row for row, key in zip(parsed.rows, keys, strict=True) if counts[key] > 1)
    if not rows:
        return []
    first = parsed.items[parsed.rows.index(rows[0])].title
    hint = "all items of a title are found by it; merge them if they are one thing"
    return [Problem("warning", rows, f"titles that repeat, such as {first!r},", hint)]
