"""Cells of a table: their text, and which of them are missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

MISSING_WORDS = frozenset(
    {
        "", "nan", "NaN", "NAN", "-nan", "-NaN", "NaT", "<NA>", "NA", "N/A", "n/a", "#N/A", "#NA",
        "#N/A N/A", "null", "NULL", "None", r"\N", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN",
    }
)  # fmt: skip
"""Texts that mean "no value": those of pandas, and ``\\N`` of MySQL; exact spelling."""


def is_missing(value: object) -> bool:
    """Whether a cell has no value: null, NaN, blank, or one of ``MISSING_WORDS``.

    The one rule for all readers of tables.

    >>> [is_missing(v) for v in (None, float("nan"), " ", "NULL", "Nan", 0, "0")]
    [True, True, True, True, False, False, False]
    """
    if isinstance(value, str):
        return value.strip() in MISSING_WORDS
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT, also of numpy and pandas
    except (TypeError, ValueError):  # arrays, and pandas' NA, which has no truth value
        return type(value).__name__ == "NAType"


def as_text(value: Any) -> str:
    """Convert a table cell to text, independent of the file format or frame library.

    >>> as_text(3.0), as_text(True), as_text(["a", "b"]), as_text(b"x")
    ('3', 'true', 'a|b', 'x')
    """
    value = value.tolist() if hasattr(value, "tolist") else value  # numpy
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, list | tuple):
        return "|".join(as_text(v) for v in value if v is not None)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
