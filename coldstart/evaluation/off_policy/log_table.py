"""Any frame of shown items → the columns of ``InteractionLog``, or all that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import fields_of
from coldstart.data.tables import INTERACTIONS
from coldstart.errors import DataError
from coldstart.tabular.cells import MISSING_WORDS, as_text
from coldstart.tabular.reading import TableFile
from coldstart.tabular.report import ReadReport
from coldstart.tabular.rows import rows_text

NEEDED = ("user_id", "item_id", "rank", "clicked")
ALIASES = {
    "user_id": INTERACTIONS["user_id"],
    "item_id": INTERACTIONS["item_id"],
    "rank": ("rank",),
    "clicked": ("clicked", "click"),
    "converted": ("converted",),
    "value": ("value", "revenue"),
    "propensity": ("propensity",),
    "timestamp": INTERACTIONS["timestamp"],
    "request_id": ("request_id", "requestid"),
}
_EXPECTED = {
    "rank": "a whole number from 1 up",
    "clicked": "0 or 1",
    "converted": "0 or 1",
    "value": "a finite number",
    "propensity": "a probability above 0 and up to 1",
    "probability": "a probability from 0 to 1",
    "timestamp": "a number or an ISO 8601 time",
}
_REQUEST = ("user_id", "request_id")

Problems = dict[str, list[int]]  # what is wrong → the rows where it is


def validated(
    frame: pl.DataFrame, catalog: Catalog | None, *, first_row: int, where: str
) -> pl.DataFrame:
    """The columns named in ``ALIASES`` in their final types; see ``InteractionLog``.

    Args:
        frame: one row per shown item.
        catalog: gives the value of conversions that have none.
        first_row: number of the first data row in messages.
        where: what the table is called in messages.

    Raises:
        DataError: naming columns, rows, what came and what was expected.
    """
    made = converted(frame, ALIASES, NEEDED, first_row=first_row, where=where)
    made |= {"request_id": _requests(made)}
    table = _with_catalog_values(pl.DataFrame(made), catalog)
    problems: Problems = {}
    _note_repeats(problems, table, first_row)
    _note_unvalued(problems, table, first_row)
    refuse(problems, first_row=first_row, where=where)
    return table


def converted(
    frame: pl.DataFrame,
    aliases: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    *,
    first_row: int,
    where: str,
) -> dict[str, pl.Series]:
    """Columns by field, in their final types; optional ones without any value are left out.

    Args:
        frame: any columns; those that no field claims are ignored.
        aliases: names of each field's column, whatever their case, the first there is taken.
        needed: fields that must be there.
        first_row: number of the first data row in messages.
        where: what the table is called in messages.

    Raises:
        DataError: a column is missing or there twice, there is no row, or cells are bad.
    """
    if not isinstance(frame, pl.DataFrame):
        kind = type(frame).__name__
        raise DataError(f"{where}: expected a polars DataFrame, got {kind}", "see pl.from_pandas")
    names = fields_of(frame.columns, aliases, where=where, needed=needed)
    if frame.is_empty():
        raise DataError(f"{where}: no rows", "expected one row per shown item")
    made: dict[str, pl.Series] = {}
    problems: Problems = {}
    for field, column in ((field, frame[name]) for field, name in names.items()):
        if column.dtype.is_nested() or column.dtype == pl.Object:
            what = f"column {column.name} holds {column.dtype}"
            raise DataError(f"{where}: {what}, expected text or numbers", "one value per row")
        raw = _plain(column)
        if field in needed or raw.null_count() < len(raw):
            made[field], good = _CONVERT.get(field, _id)(raw)
            good = good | raw.is_null() if field == "value" else good
            _note_cells(problems, field, raw, good, first_row)
    refuse(problems, first_row=first_row, where=where)
    return made


def account_of(file: TableFile, aliases: Mapping[str, Sequence[str]]) -> ReadReport:
    """Account of a table of which every row was read, as any other would have been refused.

    Args:
        file: the table.
        aliases: names of each field's column.
    """
    names = fields_of(file.frame.columns, aliases, where=str(file.path))
    return ReadReport(
        str(file.path),
        file.kind,
        rows=len(file.frame),
        read=len(file.frame),
        columns=names,
        unused=tuple(n for n in file.frame.columns if n not in names.values()),
        warnings=file.warnings,
    )


def refuse(problems: Problems, *, first_row: int, where: str) -> None:
    """Raise one ``DataError`` about all problems, if there are any."""
    if problems:
        shown = [f"{what} in {rows_text(rows)}" for what, rows in list(problems.items())[:5]]
        more = [f"and {len(problems) - 5} other problems"] if len(problems) > 5 else []
        counted = "the header is row 1" if first_row == 2 else f"the first row is row {first_row}"
        raise DataError(f"{where}: {'; '.join(shown + more)}", f"{counted}; nothing was loaded")


def _plain(column: pl.Series) -> pl.Series:
    """Missing text and NaN ids are nulls; categories are text."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        column = column.str.strip_chars()
        return column.set(column.is_in(sorted(MISSING_WORDS)), None)
    return column


def _each(
    column: pl.Series, convert: Callable[[Any], object], kind: type[pl.DataType]
) -> pl.Series:
    """Convert every distinct value once: ids and times repeat."""
    values = column.drop_nulls().unique().to_list()
    made = pl.Series([convert(v) for v in values], dtype=kind)
    if not values:
        return pl.Series([None] * len(column), dtype=kind)
    return column.replace_strict(values, made, default=None, return_dtype=kind)


def _id(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    if column.dtype.is_float():
        column = column.fill_nan(None)
    ids = _each(column, lambda v: clean_text(as_text(v)) or None, pl.String)
    return ids, ids.is_not_null()


def _number(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Numbers, and which are finite; dates are none."""
    if column.dtype.is_temporal():
        column = column.cast(pl.String)
    numbers = column.cast(pl.Float64, strict=False)
    return numbers, numbers.is_finite().fill_null(False)


def _rank(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    numbers, finite = _number(column)
    good = finite & ((numbers >= 1) & (numbers < 2**53) & (numbers == numbers.floor()))
    return numbers.set(~good, None).cast(pl.Int64), good.fill_null(False)


def _flag(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    if column.dtype == pl.String:  # as polars writes Booleans to CSV
        lower = column.str.to_lowercase()
        column = lower.replace({"true": "1", "false": "0"})
    numbers, _ = _number(column)
    good = ((numbers == 0) | (numbers == 1)).fill_null(False)
    return numbers == 1, good


def _probability(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    numbers, finite = _number(column)
    return numbers, finite & ((numbers > 0) & (numbers <= 1)).fill_null(False)


def _chance(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    numbers, finite = _number(column)
    return numbers, finite & ((numbers >= 0) & (numbers <= 1)).fill_null(False)


def _time(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Seconds: numbers as they are, dates since 1970, in UTC if they tell no zone."""
    if column.dtype in (pl.Date, pl.Datetime):
        column = column.dt.epoch("us") / 1e6
    numbers, finite = _number(column)
    if column.dtype == pl.String and not finite.all():
        numbers = _each(column, _seconds, pl.Float64)
        finite = numbers.is_finite().fill_null(False)
    return numbers, finite


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_CONVERT: dict[str, Callable[[pl.Series], tuple[pl.Series, pl.Series]]] = {
    "rank": _rank,
    "clicked": _flag,
    "converted": _flag,
    "value": _number,
    "propensity": _probability,
    "probability": _chance,
    "timestamp": _time,
}


def _note_cells(
    problems: Problems, field: str, raw: pl.Series, good: pl.Series, first_row: int
) -> None:
    for row in (~good).arg_true().to_list():
        text = as_text(raw[row])
        text = text if len(text) <= 40 else text[:39] + "…"
        came = f"is {text!r}" if raw[row] is not None else "is empty"
        what = f"{field} {came}, expected {_EXPECTED.get(field, 'an id')},"
        problems.setdefault(what, []).append(row + first_row)


def _requests(made: dict[str, pl.Series]) -> pl.Series:
    """The logged ids, else one per user and time, else one per user."""
    if "request_id" in made:
        return made["request_id"]
    if "timestamp" not in made:
        return made["user_id"].alias("request_id")
    return made["user_id"] + "@" + made["timestamp"].cast(pl.String)


def _with_catalog_values(table: pl.DataFrame, catalog: Catalog | None) -> pl.DataFrame:
    worth = {i.item_id: i.value for i in catalog or () if i.value is not None}
    if not worth:
        return table
    known = pl.col("item_id").replace_strict(worth, default=None, return_dtype=pl.Float64)
    own = pl.col("value") if "value" in table.columns else pl.lit(None)
    return table.with_columns(pl.coalesce(own, known).alias("value"))


def _note_repeats(problems: Problems, table: pl.DataFrame, first_row: int) -> None:
    for field in ("rank", "item_id"):
        rows = table.select(*_REQUEST, field).is_duplicated().arg_true()
        if len(rows):
            what = f"{field} repeats within a request, expected each once (is request_id right?),"
            problems[what] = [row + first_row for row in rows.to_list()]


def _note_unvalued(problems: Problems, table: pl.DataFrame, first_row: int) -> None:
    if {"converted", "value"} <= set(table.columns):
        rows = (table["converted"] & table["value"].is_null()).arg_true()
        if len(rows):
            what = "conversion without a value, expected one in the log or the catalog,"
            problems[what] = [row + first_row for row in rows.to_list()]
