"""Fields of one record of a text table, whatever wrote its quotes and backslashes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

from coldstart.tabular.cells import is_missing

_NUMBER = re.compile(r"\s*[-+]?\d+(?:[.,:/ T-]\d+)*Z?\s*")
MOST_LINES = 500
"""Lines that one quoted field may span."""
_MOST = 0.9


class UnclosedError(ValueError):
    """A quoted field does not end in this line."""


def by_rfc(text: str, separator: str) -> list[str]:
    """Split as RFC 4180: a field in quotes may hold separators, line ends and doubled quotes.

    Raises:
        UnclosedError: the last field has no closing quote.
        ValueError: text after a closing quote.
    """
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as e:
        if "end of data" in str(e):
            raise UnclosedError(str(e)) from None
        raise ValueError(str(e)) from None


def by_backslash(text: str, separator: str) -> list[str]:
    r"""Split where ``\"`` is a quote inside a field, ``\\`` a backslash, as MySQL writes it.

    Raises:
        ValueError: quotes that do not match under this reading.
    """
    # Any other backslash is one, as in \N.
    kept = re.sub(rf'\\(?:([\\"{re.escape(separator)}])|)', _kept, text)
    try:
        reader = csv.reader(
            [kept], delimiter=separator, escapechar="\\", doublequote=False, strict=True
        )
        return next(reader)
    except csv.Error as e:
        raise ValueError(str(e)) from None


def _kept(match: re.Match[str]) -> str:
    return match[0] if match[1] else "\\\\"


def literally(text: str, separator: str) -> list[str]:
    """Split at every separator; quotes are characters, unless they enclose every field."""
    fields = text.split(separator)
    inner = [f[1:-1].replace('""', '"') for f in fields if len(f) > 1 and f[0] == f[-1] == '"']
    return inner if len(inner) == len(fields) and len(fields) > 1 else fields


def attempt(
    split: Callable[[str, str], list[str]], text: str, separator: str, width: int | None
) -> list[str] | None:
    """Fields under one reading; ``None`` if it fails or gives another number than ``width``."""
    try:
        fields = split(text, separator)
    except ValueError:
        return None
    return fields if width is None or len(fields) == width else None


def are_rows(
    inner: Sequence[str], others: Sequence[str], separator: str, width: int
) -> bool | None:
    """Whether lines that a quoted field would swallow are rows of their own.

    Their cells are compared with those of the other rows: in columns of numbers most must be
    numbers; where there is no such column, columns of one shape (such as "A12") must have it.

    Args:
        inner: the lines.
        others: lines of the table that are not among them.
        separator: one character.
        width: number of fields of the header.

    Returns:
        ``None`` if nothing tells.
    """
    fields = [literally(line, separator) for line in inner]
    if any(len(row) != width for row in fields):
        return False
    rows = [f for line in others if len(f := literally(line, separator)) == width]
    if numeric := [n for n in range(width) if _share(rows, n, _is_number) >= _MOST]:
        fits = [sum(_is_number(row[n]) for n in numeric) / len(numeric) for row in fields]
        if min(fits) > 0.5:
            return True
        return False if min(fits) == 0 else None
    shapes = {n: {_shape(row[n]) for row in rows} for n in range(width)}
    shaped = [
        n for n, seen in shapes.items() if len(rows) > 1 == len(seen) and "9" in "".join(seen)
    ]
    if shaped and all(_shape(row[n]) in shapes[n] for row in fields for n in shaped):
        return True
    return None


def _share(rows: Sequence[Sequence[str]], place: int, test: Callable[[str], bool]) -> float:
    """Share of the cells of a column, of at least two, that pass a test."""
    cells = [row[place] for row in rows if not is_missing(row[place])]
    return sum(map(test, cells)) / len(cells) if len(cells) > 1 else 0.0


def _is_number(cell: str) -> bool:
    return is_missing(cell) or _NUMBER.fullmatch(cell) is not None


def _shape(cell: str) -> str:
    """Shape of a cell: runs of letters as "a", of digits as "9"."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell.strip()))
