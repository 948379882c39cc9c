"""Parse items from tables: files, polars and pandas frames, pyarrow tables."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from coldstart.catalog.titles import clean_text, split_year
from coldstart.errors import CatalogError, ColdstartError, DataError
from coldstart.schema import Item
from coldstart.tabular.cells import as_text, is_missing
from coldstart.tabular.reading import read_file
from coldstart.tabular.rows import rows_text

if TYPE_CHECKING:  # importing polars takes longer than the rest of coldstart
    import polars as pl

Columns = dict[str, list[Any]]

ALIASES = {
    "item_id": ("item_id", "itemid", "id", "movie_id", "movieid", "product_id", "asin", "sku"),
    "title": ("title", "name", "movie_title", "product_name"),
    "year": ("year", "release_year"),
    "description": ("description", "overview", "plot", "summary"),
    "categories": ("categories", "category", "genres", "genre"),
    "price": ("price",),
    "value": ("value",),
    "available": ("available", "availability", "in_stock"),
    "min_age": ("min_age",),
}


class Parsed(NamedTuple):
    """Result of parsing a table: valid items, their rows, and problems.

    Args:
        items: the valid items.
        rows: row number of each item.
        problems: rows of each kind of problem.
    """

    items: list[Item]
    rows: list[int]
    problems: dict[str, list[int]]


def read_table(path: str | Path, *, error: type[ColdstartError] = DataError) -> pl.DataFrame:
    """Read a file as ``read_file`` does, without an account of how.

    Raises:
        ColdstartError: (as ``error``) a file that is missing, of an unknown kind, empty or
            malformed.
    """
    return read_file(path, error=error).frame


def items_from_frame(
    frame: Any, columns: Mapping[str, str] | None = None, *, first_row: int = 2
) -> list[Item]:
    """Parse the rows of a polars or pandas frame or a pyarrow table as items.

    Args:
        frame: columns are matched by name, case-insensitively (see ``ALIASES``); unmatched columns
            become ``Item.attributes``. Empty rows are skipped.
        columns: field → column, for columns not recognised by name.
        first_row: number of the first data row in error messages; 2 as in a spreadsheet with a
            header in row 1.

    Raises:
        CatalogError: invalid rows; the message names each.
    """
    items, _, problems = parse_items(frame, columns, first_row=first_row)
    if problems:
        counted = "the header is row 1" if first_row == 2 else f"the first row is row {first_row}"
        what = "; ".join(f"{what} in {rows_text(rows)}" for what, rows in problems.items())
        raise CatalogError(f"the table makes no catalog: {what}", f"{counted}; nothing was loaded")
    return items


def parse_items(
    frame: Any, columns: Mapping[str, str] | None = None, *, first_row: int = 2
) -> Parsed:
    """Parse as ``items_from_frame``, but report invalid rows instead of raising."""
    table = columns_of(frame)
    fields = match_columns(table, columns)
    split = "year" not in fields
    parsed, seen = Parsed([], [], {}), set[str]()
    for number, row in enumerate(_rows(table), start=first_row):
        if not row:
            continue
        made = _item(row, fields, split)
        if isinstance(made, Item) and made.item_id in seen:
            made = ["duplicate item_id"]
        if isinstance(made, Item):
            seen.add(made.item_id)
            parsed.items.append(made)
            parsed.rows.append(number)
        else:
            for what in made:
                parsed.problems.setdefault(what, []).append(number)
    return parsed


def columns_of(frame: Any) -> Columns:
    """Convert a polars, pandas or pyarrow table to lists of Python values, nulls as ``None``."""
    makers = {cls.__module__.partition(".")[0] for cls in type(frame).__mro__}
    if "polars" in makers and hasattr(frame, "lazy"):
        frame = frame.lazy().collect()
        return dict(frame.to_dict(as_series=False))
    names = list(getattr(frame, "column_names", getattr(frame, "columns", ())))
    if len(set(names)) < len(names):
        raise CatalogError(f"column names repeat: {', '.join(map(str, names))}", "rename them")
    if "pandas" in makers and hasattr(frame, "isna"):
        nulls = frame.isna()
        return {
            str(n): [
                None if null else v
                for v, null in zip(frame[n].tolist(), nulls[n].tolist(), strict=True)
            ]
            for n in names
        }
    if "pyarrow" in makers and hasattr(frame, "to_pydict"):
        return dict(frame.to_pydict())
    raise CatalogError(
        f"expected a polars or pandas frame or a pyarrow table, got {type(frame).__name__}"
    )


def match_columns(names: Iterable[str], columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """Match item fields to columns.

    Returns:
        Field → column, for the matched fields.

    Raises:
        CatalogError: an unknown field or column, or no column of ids or titles.
    """
    names, columns = list(names), dict(columns or {})
    for field, name in columns.items():
        for value, known in ((field, list(ALIASES)), (name, names)):
            if value not in known:
                near = difflib.get_close_matches(value, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                raise CatalogError(f"no {'field' if value is field else 'column'} {value!r}", hint)
    free = {re.sub(r"\W+", "_", n.strip().lower()): n for n in names if n not in columns.values()}
    for field, aliases in ALIASES.items():
        for alias in aliases:
            if field not in columns and alias in free:
                columns[field] = free.pop(alias)
    for field in ("item_id", "title"):
        if field not in columns:
            raise CatalogError(
                f"no column for {field} among: {', '.join(names)}",
                f"name it: columns={{{field!r}: …}}",
            )
    return columns


def _rows(table: Columns) -> Iterator[dict[str, Any]]:
    """Iterate over rows, without null and blank cells."""
    for values in zip(*table.values(), strict=True):
        yield {n: v for n, v in zip(table, values, strict=True) if not is_missing(v)}


def _item(row: dict[str, Any], fields: Mapping[str, str], split: bool) -> Item | list[str]:
    """Parse one row as an item; returns the problems if it is invalid."""
    made = {field: row.pop(name) for field, name in fields.items() if name in row}
    nested = row.pop("attributes", None)
    if isinstance(nested, Mapping):
        row |= {k: v for k, v in nested.items() if not is_missing(v)}
    elif nested is not None:
        row["attributes"] = nested
    for field in {"item_id", "title", "description"} & made.keys():
        made[field] = clean_text(as_text(made[field]))
    missing = [f"empty {field}" for field in ("item_id", "title") if not made.get(field)]
    if missing:
        return missing
    if split:
        made["title"], made["year"] = split_year(made["title"])
    if "categories" in made:
        made["categories"] = _categories(made["categories"])
    texts = {name.strip(): clean_text(as_text(v)) for name, v in row.items()}
    try:
        return Item(**made, attributes={name: v for name, v in texts.items() if v})
    except ValidationError as e:
        return [f"bad {x['loc'][0]} ({x['msg']})" for x in e.errors()]


def _categories(value: Any) -> list[str]:
    """Parse categories: a list, or a string separated by "|" or ";"."""
    value = value.tolist() if hasattr(value, "tolist") else value
    parts = re.split(r"[|;]", value) if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    texts = [clean_text(as_text(p)) for p in parts if p is not None]
    return list(dict.fromkeys(t for t in texts if t))
