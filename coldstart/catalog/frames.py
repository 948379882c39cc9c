"""Parse items from tables: files, polars and pandas frames, pyarrow tables."""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from coldstart.catalog.titles import as_text, clean_text, split_year
from coldstart.errors import CatalogError, ColdstartError, DataError
from coldstart.schema import Item

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
    """Read a ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl`` or ``.ndjson`` file, by its suffix.

    All columns of a CSV or TSV file are strings; empty fields are nulls.

    Raises:
        ColdstartError: (as ``error``) a file that is missing, of an unknown kind, empty, not UTF-8
            or malformed.
    """
    import polars as pl

    path = Path(path)
    readers: dict[str, Callable[[bytes], pl.DataFrame]] = {
        ".csv": lambda data: _read_csv(data, ","),
        ".tsv": lambda data: _read_csv(data, "\t"),
        ".parquet": pl.read_parquet,
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
    }
    if path.suffix.lower() not in readers:
        raise error(
            f"{path}: cannot read files of kind {path.suffix!r}", f"use one of {', '.join(readers)}"
        )
    try:
        return readers[path.suffix.lower()](path.read_bytes())
    except OSError as e:
        raise error(f"{path}: {e.strerror or e}", "check the path") from None
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        where = f"byte {e.object[e.start]:#04x} at offset {e.start}, line {line}"
        raise error(f"{path}: not UTF-8: {where}", "save the file as UTF-8") from None
    except (ValueError, TypeError, pl.exceptions.PolarsError) as e:
        what = str(e).partition("\n")[0]
        raise error(f"{path}: {what}", "the file is damaged or malformed") from None


def _read_csv(data: bytes, separator: str) -> pl.DataFrame:
    import polars as pl

    text = data.decode("utf-8-sig")
    if not text.strip():
        raise ValueError("the file is empty")
    try:
        return pl.read_csv(data, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:  # a parser of laxer quoting, which also names the bad row
        return _read_csv_by_row(text, separator)


def _read_csv_by_row(text: str, separator: str) -> pl.DataFrame:
    import polars as pl

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header, *rows = list(reader)
    except csv.Error as e:
        raise ValueError(f"line {reader.line_num}: {e}") from None
    for number, row in enumerate(rows, start=2):
        if len(row) > len(header):
            raise ValueError(f"row {number} has {len(row)} fields, the header has {len(header)}")
    padded = [[v or None for v in row] + [None] * (len(header) - len(row)) for row in rows]
    return pl.DataFrame(padded, schema=dict.fromkeys(header, pl.String), orient="row")


def _read_jsonl(data: bytes) -> pl.DataFrame:
    import polars as pl

    rows: list[dict[str, Any]] = []
    for number, line in enumerate(data.decode("utf-8-sig").split("\n"), start=1):
        try:
            row = json.loads(line) if line.strip() else {}
        except json.JSONDecodeError as e:
            raise ValueError(f"line {number}: not JSON: {e.msg} at column {e.colno}") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number}: expected a JSON object, got {type(row).__name__}")
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise ValueError("the file is empty")
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({n: _one_type([row.get(n) for row in rows]) for n in names}, strict=False)


def _one_type(values: list[Any]) -> list[Any]:
    """Convert a column of mixed types to strings."""
    kinds = {type(v) for v in values if v is not None}
    if len(kinds) < 2 and not any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return values
    return values if kinds == {int, float} else [as_text(v) or None for v in values]


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
        yield {n: v for n, v in zip(table, values, strict=True) if not _is_blank(v)}


def _is_blank(value: object) -> bool:
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and value != value)
    )


def _item(row: dict[str, Any], fields: Mapping[str, str], split: bool) -> Item | list[str]:
    """Parse one row as an item; returns the problems if it is invalid."""
    made = {field: row.pop(name) for field, name in fields.items() if name in row}
    nested = row.pop("attributes", None)
    if isinstance(nested, Mapping):
        row |= {k: v for k, v in nested.items() if not _is_blank(v)}
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


def rows_text(rows: Sequence[int], most: int = 10) -> str:
    """Format row numbers, at most ``most`` of them.

    >>> rows_text([2, 5, 9], most=2)
    'rows 2, 5 and 1 more'
    """
    shown = ", ".join(map(str, rows[:most]))
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
