"""Row numbers in messages."""

from __future__ import annotations

from collections.abc import Sequence


def rows_text(rows: Sequence[int], most: int = 10) -> str:
    """Format row numbers, at most ``most`` of them.

    >>> rows_text([2, 5, 9], most=2)
    'rows 2, 5 and 1 more'
    """
    shown = ", ".join(map(str, rows[:most]))
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


def counted(number: int, noun: str = "row") -> str:
    """Format a number of things.

    >>> counted(1), counted(1200), counted(2, "column")
    ('1 row', '1,200 rows', '2 columns')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
