"""Match fields to the columns of a table by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from coldstart.errors import DataError


def fields_of(
    names: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
    *,
    where: str,
    needed: Sequence[str] = (),
    single: Iterable[str] = (),
) -> dict[str, str]:
    """Match each field to the first of its aliases, ignoring case and punctuation.

    Args:
        names: columns of the table.
        aliases: field → column names, in lower case with ``_`` for any other character.
        where: name of the table in messages.
        needed: required fields.
        single: fields with synonymous aliases, of which a table may have only one.

    Returns:
        Field → column.

    Raises:
        DataError: a required field without a column, or two columns for a field of ``single``.

    >>> fields_of(["userId", "Sex", "x"], {"user": ["userid"], "gender": ["sex"]}, where="t")
    {'user': 'userId', 'gender': 'Sex'}
    """
    names = list(names)
    columns: dict[str, list[str]] = {}
    for name in names:
        columns.setdefault(re.sub(r"\W+", "_", name.strip().lower()), []).append(name)
    found: dict[str, str] = {}
    for field, known in aliases.items():
        there = [columns[alias] for alias in known if alias in columns]
        same = sum(there, []) if field in single else there[0] if there else []
        if len(same) > 1:
            raise DataError(
                f"{where}: columns {' and '.join(same)} both mean {field}",
                "leave one of them out, or rename it",
            )
        if there:
            found[field] = there[0][0]
    if missing := [field for field in needed if field not in found]:
        optional = [field for field in aliases if field not in needed]
        raise DataError(
            f"{where}: no column for {', '.join(missing)}; found: {', '.join(names) or 'none'}",
            f"needed: {', '.join(needed)}; optional: {', '.join(optional)}",
        )
    return found
