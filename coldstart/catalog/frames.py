"""Read tables: files, polars and pandas frames, pyarrow tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.catalog.titles import as_text
from coldstart.errors import CatalogError, ColdstartError, DataError

if TYPE_CHECKING:  # importing polars takes longer than the rest of coldstart
    import polars as pl

Columns = dict[str, list[Any]]


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


def rows_text(rows: Sequence[int], most: int = 10) -> str:
    """Format row numbers, at most ``most`` of them.

    >>> rows_text([2, 5, 9], most=2)
    'rows 2, 5 and 1 more'
    """
    shown = ", ".join(map(str, rows[:most]))
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
