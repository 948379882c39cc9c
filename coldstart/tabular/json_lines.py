"""Parse JSON lines to a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coldstart.tabular.cells import as_text

if TYPE_CHECKING:
    import polars as pl


def parse_json_lines(text: str) -> pl.DataFrame:
    """Parse one JSON object per line; blank lines are rows of nulls, but for the last ones.

    Columns of mixed types become strings.

    Raises:
        ValueError: anything else; the message says at which line.
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            row = json.loads(line) if line.strip() else {}
        except json.JSONDecodeError as e:
            raise ValueError(f"line {number}: not JSON: {e.msg} at column {e.colno}") from None
        except RecursionError:
            raise ValueError(f"line {number}: nested too deeply") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number}: expected a JSON object, got {type(row).__name__}")
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise ValueError("the file is empty")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {n: _one_type([row.get(n) for row in rows]) for n in names}
    return pl.DataFrame(columns, strict=False)


def _one_type(values: list[Any]) -> list[Any]:
    """Convert a column of mixed types to strings."""
    kinds = {type(v) for v in values if v is not None}
    if len(kinds) < 2 and not any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return values
    return values if kinds == {int, float} else [as_text(v) or None for v in values]
