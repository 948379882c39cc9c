"""Load a dataset from user-supplied tables of items, interactions and users."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import columns_of, read_table
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import fields_of
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.errors import DataError, ProfileError
from coldstart.schema import UserProfile
from coldstart.tabular.cells import as_text
from coldstart.tabular.rows import rows_text

if TYPE_CHECKING:
    import polars as pl

_USER = ("user_id", "userid", "user", "uid", "customer_id", "customerid", "reviewerid")
INTERACTIONS = {
    "user_id": _USER,
    "item_id": (
        "item_id", "itemid", "item", "iid", "movie_id", "movieid", "product_id", "productid",
        "asin", "sku",
    ),
    "rating": ("rating", "score", "stars"),
    "timestamp": ("timestamp", "time", "datetime", "date", "unixreviewtime"),
    "position": ("position",),
}  # fmt: skip
USERS = {
    "user_id": (*_USER, "id"),
    "age": ("age",),
    "gender": ("gender", "sex"),
    "occupation": ("occupation", "job"),
    "location": ("location", "city", "country"),
    "language": ("language", "lang"),
}
SINGLE = frozenset(USERS) - {"location"}  # a city and a country differ: the second is an attribute


def load_dataset(
    items: Path,
    interactions: Path,
    users: Path | None = None,
    *,
    name: str,
    like_at: float | None = None,
    dislike_at: float | None = None,
) -> Dataset:
    """Read a dataset from CSV, TSV, Parquet or JSON lines files.

    Columns are matched by name, case-insensitively, with common aliases ("userId", "movieId").

    Args:
        items: see ``Catalog.load``.
        interactions: user and item ids; optionally ``rating`` (numbers), and ``timestamp``
            (numbers, or ISO 8601; UTC if without a zone) or ``position``.
        users: see ``load_users``; users may be missing from it.
        name: used in manifests and messages.
        like_at: minimum rating of a like; ``None`` or no ratings: every row is a like.
        dislike_at: maximum rating of a dislike.

    Raises:
        CatalogError: an invalid table of items.
        DataError: an invalid table; the message names its rows, the header being row 1 (in JSON
            lines, the first line).
    """
    catalog = Catalog.load(items)
    if not len(catalog):
        raise DataError(f"{items}: no items", hint="the table has a header but no rows")
    people = load_users(users) if users is not None else {}
    table = load_interactions(interactions)
    return dataset_from_frames(name, catalog, table, people, like_at=like_at, dislike_at=dislike_at)


def load_interactions(path: Path) -> pl.DataFrame:
    """Read interactions; ids are strings, ``rating``, ``timestamp`` and ``position`` floats."""
    import polars as pl

    frame, first_row = read_table(path), _first_row(path)
    names = fields_of(frame.columns, INTERACTIONS, where=str(path), needed=("user_id", "item_id"))
    table = columns_of(frame.select(names.values()))
    bad: dict[str, list[int]] = {}
    out: dict[str, list[Any]] = {}
    for field, column in names.items():
        if frame[column].dtype.is_nested():
            raise DataError(f"{path}: column {column} holds lists or records", "one value per row")
        texts = field in ("user_id", "item_id")
        convert = _id if texts else as_time if field == "timestamp" else _number
        # Ids and ratings repeat: convert each value once.
        made = {v: convert(v) for v in set(table[column])}
        out[field] = [made[v] for v in table[column]]
        for row, (value, text) in enumerate(zip(out[field], table[column], strict=True), first_row):
            if value is None:
                what = f"empty {field}" if _blank(text) else f"{field} is {_short(text)}"
                bad.setdefault(what, []).append(row)
    _refuse(path, bad, "ids may not be empty; ratings are numbers, times numbers or ISO 8601")
    kinds = {"user_id": pl.String, "item_id": pl.String}
    return pl.DataFrame(out, schema={n: kinds.get(n, pl.Float64) for n in out})


def load_users(path: Path) -> dict[str, UserProfile]:
    """Read user attributes; empty cells are left out.

    Args:
        path: a table of user ids, age, gender, occupation, location, language (see ``USERS``); any
            other column becomes one of the user's ``attributes``.

    Raises:
        DataError: no ids, two columns of one field, or invalid cells; the message names their rows.
    """
    frame = read_table(path)
    names = fields_of(frame.columns, USERS, where=str(path), needed=("user_id",), single=SINGLE)
    field_of = {column: field for field, column in names.items()}
    table = columns_of(frame)
    bad: dict[str, list[int]] = {}
    people: dict[str, UserProfile] = {}
    rows = zip(*table.values(), strict=True)
    for number, row in enumerate(rows, start=_first_row(path)):
        cells = {
            n: clean_text(as_text(v)) for n, v in zip(table, row, strict=True) if v is not None
        }
        fields = {field_of[n]: v for n, v in cells.items() if v and n in field_of}
        other = {n.strip(): v for n, v in cells.items() if v and n not in field_of}
        user = fields.pop("user_id", None)
        if user is None or user in people:
            what = "empty user_id" if user is None else "duplicate user_id"
            bad.setdefault(what, []).append(number)
            continue
        try:
            people[user] = UserProfile.parse({**fields, "attributes": other})
        except ProfileError as e:
            bad.setdefault(e.message.removeprefix("invalid profile: "), []).append(number)
    _refuse(path, bad, "correct these cells, or leave them empty")
    return people


def _first_row(path: Path) -> int:
    return 1 if path.suffix.lower() in {".jsonl", ".ndjson"} else 2


def _refuse(path: Path, bad: Mapping[str, list[int]], hint: str) -> None:
    if bad:
        shown = [f"{what} in {rows_text(rows)}" for what, rows in list(bad.items())[:5]]
        more = [f"and {len(bad) - 5} other problems"] if len(bad) > 5 else []
        raise DataError(f"{path}: {'; '.join(shown + more)}", hint)


def _blank(value: object) -> bool:
    return value is None or not str(value).strip()


def _short(value: object) -> str:
    text = as_text(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _id(value: object) -> str | None:
    return None if _blank(value) else clean_text(as_text(value)) or None


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def as_time(value: object) -> float | None:
    """Parse a time: a number, or ISO 8601 (UTC if without a zone) as seconds since 1970."""
    if (number := _number(value)) is not None:
        return number
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
