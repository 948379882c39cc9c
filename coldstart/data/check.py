"""Validate a file to be used as a catalog: errors, warnings, notes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import columns_of
from coldstart.catalog.item_table import Parsed, parse_items
from coldstart.catalog.reading import listed, report_of
from coldstart.catalog.titles import normalise_title
from coldstart.errors import CatalogError
from coldstart.tabular.cells import as_text
from coldstart.tabular.reading import TableFile, TextOptions, read_file
from coldstart.tabular.report import ReadReport
from coldstart.tabular.rows import rows_text

LONG_TITLE = 300
_MANY, _FEW = 20, 3
_FLOAT = re.compile(r"\d+\.0+")

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


@dataclass(frozen=True)
class CatalogCheck:
    """Result of validating a file.

    Args:
        problems: findings, errors first.
        report: what was read; ``None`` if the file is no table of items.
    """

    problems: tuple[Problem, ...]
    report: ReadReport | None = None


def check_table(path: str | Path, columns: Mapping[str, str | None] | None = None) -> list[Problem]:
    """Validate a file; the problems of ``check_catalog``."""
    return list(check_catalog(path, columns).problems)


def check_catalog(
    path: str | Path,
    columns: Mapping[str, str | None] | None = None,
    text: TextOptions | None = None,
) -> CatalogCheck:
    """Validate a CSV, TSV, Parquet or JSON lines file, and tell what was read.

    Args:
        path: of the file.
        columns: field → column, for columns not recognised by name.
        text: encoding, separator and quotes of text files, where recognising them fails.

    Returns:
        Findings; ``Catalog.load`` accepts the file iff there are no errors.
    """
    try:
        file = read_file(path, text, error=CatalogError)
        parsed = parse_items(file.frame, columns, first_row=file.first_row)
    except CatalogError as e:
        return CatalogCheck((Problem("error", (), e.message, e.hint),))
    problems = [Problem("error", tuple(rows), what) for what, rows in parsed.problems.items()]
    if not parsed.items and not problems:
        problems.append(Problem("error", (), "no items", "the table has a header but no rows"))
    problems += [Problem("warning", (), what) for what in file.warnings]
    problems += findings(file, parsed)
    return CatalogCheck(tuple(problems), report_of(file, parsed))


def findings(file: TableFile, parsed: Parsed) -> list[Problem]:
    """Whatever looks like a mistake in a table of items.

    Args:
        file: the table as read.
        parsed: its items.
    """
    found = [*_same_titles(parsed), *_titles_as_ids(parsed), *_remarks(parsed), *_unlikely(parsed)]
    table, fields = columns_of(file.frame), parsed.layout.fields
    for level, what, hint, names, test in _FINDINGS:
        cells = [map(as_text, table[fields[name]]) for name in names if name in fields]
        rows = tuple(
            number
            for number, texts in enumerate(zip(*cells, strict=True), start=file.first_row)
            if any(map(test, texts))
        )
        found += [Problem(level, rows, what, hint)] if rows else []
    return found


def _same_titles(parsed: Parsed) -> list[Problem]:
    keys = [(normalise_title(item.title), item.year) for item in parsed.items]
    counts = Counter(keys)
    rows = tuple(row for row, key in zip(parsed.rows, keys, strict=True) if counts[key] > 1)
    if not rows:
        return []
    first = parsed.items[parsed.rows.index(rows[0])].title
    hint = "all items of a title are found by it; merge them if they are one thing"
    return [Problem("warning", rows, f"titles that repeat, such as {first!r},", hint)]


def _titles_as_ids(parsed: Parsed) -> list[Problem]:
    """Titles that are the id of another item: typed as a pick, they are ambiguous."""
    catalog = Catalog(parsed.items)
    rows = dict(zip((i.item_id for i in parsed.items), parsed.rows, strict=True))
    found: dict[int, str] = {}
    for item_id in catalog.ids:
        titled = catalog.find_title(item_id)
        if titled and item_id not in titled:
            found |= {rows[other]: item_id for other in titled}
    if not found:
        return []
    first = found[min(found)]
    what = f"titles that are ids of other items, such as {first!r},"
    hint = f"as a pick they are refused; people write 'title:{first}' or 'id:{first}'"
    return [Problem("warning", tuple(sorted(found)), what, hint)]


def _remarks(parsed: Parsed) -> list[Problem]:
    return [
        Problem(
            "warning",
            tuple(sorted(row for rows in values.values() for row in rows)),
            f"{kind} ({listed(list(values))})",
            "correct the cells, or leave them empty",
        )
        for kind, values in parsed.remarks.items()
    ]


def _unlikely(parsed: Parsed) -> list[Problem]:
    """Columns that were probably taken for the wrong ones."""
    out, items, fields = [], parsed.items, parsed.layout.fields
    if len(items) > 2 and all(item.title.replace(".", "").isdigit() for item in items):
        hint = "if the titles are elsewhere, name their column"
        out.append(Problem("warning", (), f"all titles in {fields['title']!r} are numbers", hint))
    if items and all(_FLOAT.fullmatch(item.item_id) for item in items):
        what = f"all ids in {fields['item_id']!r} end in .0, such as {items[0].item_id!r}"
        hint = "written by a program that took them for decimals; interactions must match"
        out.append(Problem("warning", (), what, hint))
    counts = Counter(c for item in items for c in item.categories)
    if counts and all(name.isdigit() for name in counts):
        hint = "their names are in another column or table? Filters and requests use names"
        out.append(Problem("warning", (), "all categories are numbers", hint))
    if len(items) >= _MANY and len(counts) > len(items) / 2 and max(counts.values()) < _FEW:
        what = f"categories that hardly repeat: {len(counts):,} different ones"
        first = next(iter(counts))
        hint = f"such as {first!r}; is this the column, and its separator one of | ; , or /?"
        out.append(Problem("warning", (), what, hint))
    folded: dict[str, set[str]] = defaultdict(set)
    for name in counts:
        folded[name.casefold()].add(name)
    if several := [" and ".join(sorted(names)) for names in folded.values() if len(names) > 1]:
        what = f"categories in several spellings: {listed(several)}"
        out.append(Problem("warning", (), what, "they count as one; write them alike"))
    return out
