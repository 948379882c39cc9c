"""Load a dataset from user-supplied tables of items, interactions and users."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from coldstart.catalog.item_aliases import ALIASES
from coldstart.data.columns import check_chosen
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.data.interactions import INTERACTIONS, NONE, load_interactions, read_interactions
from coldstart.data.items import catalog_of
from coldstart.data.judgements import Threshold
from coldstart.data.users import SINGLE, USERS, load_users, read_users
from coldstart.errors import CatalogError, ColdstartError, DataError
from coldstart.tabular.delimited import NO_SEPARATOR
from coldstart.tabular.reading import TableFile, TextOptions, is_unicode, read_file
from coldstart.tabular.separators import name_of

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
        text: encoding, separator and quotes of text files, where recognising them fails: the
            encoding of those that are no Unicode, the separator of those whose header holds it.

    Raises:
        CatalogError: an invalid table of items.
        DataError: an invalid table, or an unread column that looks like a preference; the message
            names its rows, the header being row 1 (in JSON lines, the first line).
    """
    paths = {"interactions": interactions, "items": items}
    if users is not None:
        paths["users"] = users
    tables = _read_all(paths, text or TextOptions())
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
    catalog, read = catalog_of(tables["items"], own["items"])
    people = read_users(tables["users"], own["users"]) if users is not None else None
    found = read_interactions(tables["interactions"], own["interactions"])
    data = dataset_from_frames(
        name,
        catalog,
        found.frame,
        people.profiles if people else None,
        like_at=like_at,
        dislike_at=dislike_at,
        unrated=unrated,
        rating_name=found.report.columns.get("rating", "rating"),
    )
    reports = (read, found.report, *([people.report] if people else []))
    return replace(data, report=replace(data.report, tables=reports)) if data.report else data


def _read_all(paths: Mapping[str, Path], options: TextOptions) -> dict[str, TableFile]:
    """Read files; a separator is for those whose header holds it, an encoding for no Unicode."""
    made: dict[str, TableFile] = {}
    lacking: ColdstartError | None = None
    for kind, path in paths.items():
        error = CatalogError if kind == "items" else DataError
        own = options
        if options.encoding is not None and is_unicode(path):
            own = replace(own, encoding=None)
        try:
            made[kind] = read_file(path, own, error=error)
        except ColdstartError as e:
            if NO_SEPARATOR not in e.message:
                raise
            lacking = lacking or e
            made[kind] = read_file(path, replace(own, separator=None), error=error)
    if lacking and not any(name_of(options.separator or "") in f.kind for f in made.values()):
        raise lacking
    return made


def _applies(column: str | None, file: TableFile, field: str, kind: str) -> bool:
    if column is None:
        return kind == "interactions" or field not in INTERACTIONS
    return column in file.frame.columns
