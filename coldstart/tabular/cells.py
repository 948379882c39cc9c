"""Cells of a table: their text, and which of them are missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

_DECIMAL = re.compile(r"-?\d+\.0")

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


def id_texts(values: Iterable[Any]) -> dict[Any, str | None]:
    """Ids as text, by cell; ``None`` where missing.

    Where all are whole numbers written with ``.0``, as pandas writes a column of whole numbers in
    which one is missing, the ``.0`` is left out.

    >>> id_texts(["7.0", "NULL", "12.0"]), id_texts(["7.0", "b"])
    ({'7.0': '7', 'NULL': None, '12.0': '12'}, {'7.0': '7.0', 'b': 'b'})
    """
    made = {v: None if is_missing(v) else as_text(v).strip() or None for v in values}
    texts = [text for text in made.values() if text is not None]
    if texts and all(_DECIMAL.fullmatch(text) for text in texts):
        return {v: text[:-2] if text is not None else None for v, text in made.items()}
    return made
