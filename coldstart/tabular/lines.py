"""Fields of one record of a text table, whatever wrote its quotes and backslashes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"\s*[-+]?\d+(?:[.,:/ T-]\d+)*Z?\s*")
MOST_LINES = 500
"""Lines that one quoted field may span."""


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


def numeric_columns(lines: Sequence[str], separator: str, width: int) -> tuple[int, ...]:
    """Places of the columns that hold numbers or dates in nine of ten lines of full width."""
    rows = [f for line in lines[:2000] if len(f := literally(line, separator)) == width]
    if len(rows) < 2:
        return ()

    def numeric(place: int) -> bool:
        found = [bool(_NUMBER.fullmatch(row[place])) for row in rows if row[place]]
        return len(found) > 1 and sum(found) >= 0.9 * len(found)

    return tuple(n for n in range(width) if numeric(n))


def looks_like_row(line: str, separator: str, width: int, numeric: Sequence[int]) -> bool:
    """Whether a line, its quotes taken as characters, is a record of the table."""
    fields = literally(line, separator)
    return len(fields) == width and all(_NUMBER.fullmatch(fields[n]) for n in numeric if fields[n])
