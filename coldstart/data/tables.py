"""Load a dataset from user-supplied tables of items, interactions and users."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import ALIASES, items_from_frame, match_columns, parse_items
from coldstart.data.columns import check_chosen
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.data.interactions import INTERACTIONS, NONE, load_interactions, read_interactions
from coldstart.data.judgements import Threshold
from coldstart.data.users import SINGLE, USERS, load_users, read_users
from coldstart.errors import CatalogError, DataError
from coldstart.tabular.reading import TableFile, TextOptions, read_file
from coldstart.tabular.report import ReadReport

__all__ = [
    "INTERACTIONS", "SINGLE", "USERS", "load_dataset", "load_interactions", "load_users",
]  # fmt: skip


def load_dataset(
    items: Path,
    interactions: Path,
    users: Path | None = None,
    *,
    name: str,
    columns: Mapping[str, str | None] = NONE,
    like_at: Threshold | None = None,
    dislike_at: Threshold | None = None,
    unrated: Collection[float] | None = None,
    text: TextOptions | None = None,
) -> Dataset:
    """Read a dataset from CSV, TSV, Parquet or JSON lines files.

    Columns are matched by name, whatever its case and punctuation, with common names in several
    languages ("userId", "Book-Rating", "bestelldatum"). What was read, and as what, is in
    ``Dataset.report``.

    Args:
        items: see ``Catalog.load``.
        interactions: user and item ids; optionally a preference (numbers of any scale, 0 and 1, or
            words such as "view" and "like"), and a time (numbers, or ISO 8601 and other dates; UTC
            if without a zone) or ``position``.
        users: see ``read_users``; users may be missing from it.
        name: used in manifests and messages.
        columns: field → column, for columns not recognised by name; it applies to each table that
            has the column. ``None`` for no column: ``{"rating": None}`` makes every row a like.
        like_at: minimum rating of a like, or the words that are one; ``None``: 80 % of the top of
            the scale, which is recognised from the ratings.
        dislike_at: maximum rating of a dislike, or the words that are one; ``None``: 40 %.
        unrated: numbers that are no ratings; ``None``: 0 and -1 where they lie off the scale.
        text: encoding, separator and quotes of text files, where recognising them fails.

    Raises:
        CatalogError: an invalid table of items.
        DataError: an invalid table, or an unread column that looks like a preference; the message
            names its rows, the header being row 1 (in JSON lines, the first line).
    """
    options = text or TextOptions()
    tables = {"interactions": read_file(interactions, options)}
    tables["items"] = read_file(items, options, error=CatalogError)
    if users is not None:
        tables["users"] = read_file(users, options)
    fields = {"items": ALIASES, "interactions": INTERACTIONS, "users": USERS}
    check_chosen(
        columns,
        list(dict.fromkeys(f for known in fields.values() for f in known)),
        {kind: file.frame.columns for kind, file in tables.items()},
    )
    own = {
        kind: {f: c for f, c in columns.items() if f in fields[kind] and _applies(c, file, f, kind)}
        for kind, file in tables.items()
    }
    catalog, read = _catalog(tables["items"], {f: c for f, c in own["items"].items() if c})
    people = read_users(tables["users"], own["users"]) if users is not None else None
    found = read_interactions(tables["interactions"], own["interactions"])
    data = dataset_from_frames(
        name,
        catalog,
        found.frame,
        people.profiles if people else {},
        like_at=like_at,
        dislike_at=dislike_at,
        unrated=unrated,
        rating_name=found.report.columns.get("rating", "rating"),
    )
    reports = (read, found.report, *([people.report] if people else []))
    return replace(data, report=replace(data.report, tables=reports)) if data.report else data


def _applies(column: str | None, file: TableFile, field: str, kind: str) -> bool:
    if column is None:
        return kind == "interactions" or field not in INTERACTIONS
    return column in file.frame.columns


def _catalog(file: TableFile, columns: Mapping[str, str]) -> tuple[Catalog, ReadReport]:
    """Items of a table, and the account of it."""
    made, rows, problems = parse_items(file.frame, columns, first_row=file.first_row)
    if problems:
        items_from_frame(file.frame, columns, first_row=file.first_row)  # raises
    if not made:
        raise DataError(f"{file.path}: no items", hint="the table has a header but no rows")
    names = match_columns(file.frame.columns, columns)
    there = range(file.first_row, file.first_row + file.frame.height)
    blank = tuple(sorted({*there} - {*rows}))
    report = ReadReport(
        str(file.path),
        file.kind,
        rows=file.frame.height,
        read=len(made),
        columns=names,
        attributes=tuple(n for n in file.frame.columns if n not in names.values()),
        left_out={"that are blank": blank} if blank else {},
        warnings=file.warnings,
    )
    return Catalog(made), report
