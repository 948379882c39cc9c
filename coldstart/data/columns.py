"""Match fields to the columns of a table by name."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from coldstart.errors import DataError

_NUMBER = re.compile(r"\s*[-+]?\d+([.,:\-/]\d+)*\s*")


def name_key(name: str) -> str:
    """Comparison key of a column's name: letters and digits in lower case, without accents.

    >>> name_key("Book-Rating"), name_key("createdAt"), name_key("Créé le")
    ('bookrating', 'createdat', 'creele')
    """
    bare = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in bare if not unicodedata.combining(c)))


def fields_of(
    names: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
    *,
    where: str,
    needed: Sequence[str] = (),
    single: Iterable[str] = (),
    chosen: Mapping[str, str | None] | None = None,
) -> dict[str, str]:
    """Match each field to the first of its aliases, ignoring case, accents and punctuation.

    Args:
        names: columns of the table.
        aliases: field → column names.
        where: name of the table in messages.
        needed: required fields.
        single: fields with synonymous aliases, of which a table may have only one.
        chosen: field → column that the user named for it, ``None`` for no column; comes before
            the aliases.

    Returns:
        Field → column.

    Raises:
        DataError: a required field without a column, or two columns for a field of ``single``.

    >>> fields_of(["userId", "Sex", "x"], {"user": ["user_id"], "gender": ["sex"]}, where="t")
    {'user': 'userId', 'gender': 'Sex'}
    """
    names = list(names)
    chosen = {f: c for f, c in (chosen or {}).items() if f in aliases}
    found = {field: column for field, column in chosen.items() if column is not None}
    columns: dict[str, list[str]] = {}
    for name in names:
        if name not in found.values():
            columns.setdefault(name_key(name), []).append(name)
    for field, known in aliases.items():
        if field in chosen:
            continue
        there = [columns[key] for alias in known if (key := name_key(alias)) in columns]
        same = list(dict.fromkeys(sum(there, []))) if field in single else there[0] if there else []
        if len(same) > 1:
            raise DataError(
                f"{where}: columns {' and '.join(same)} both mean {field}",
                f"leave one of them out, or name the right one: columns={{{field!r}: {same[0]!r}}}",
            )
        if there:
            found[field] = there[0][0]
    found = {field: found[field] for field in aliases if field in found}
    if missing := [field for field in needed if field not in found]:
        raise _missing(missing, names, found, where, aliases, needed)
    return found


def _missing(
    missing: Sequence[str],
    names: Sequence[str],
    found: Mapping[str, str],
    where: str,
    aliases: Mapping[str, Sequence[str]],
    needed: Sequence[str],
) -> DataError:
    what = f"{where}: no column for {', '.join(missing)}; found: {', '.join(names) or 'none'}"
    if len(names) > 1 and all(_NUMBER.fullmatch(name) for name in names):
        return DataError(f"{what}, which look like data", "add a header, a row of column names")
    optional = ", ".join(field for field in aliases if field not in needed)
    hint = f"needed: {', '.join(needed)}; optional: {optional}"
    if free := [name for name in names if name not in found.values()]:
        hint += f"; name it: columns={{{missing[0]!r}: {free[0]!r}}}"
    return DataError(what, hint)


def check_chosen(
    chosen: Mapping[str, str | None],
    fields: Collection[str],
    tables: Mapping[str, Collection[str]],
) -> None:
    """Require that every field exists, and that some table has every column.

    Args:
        chosen: field → column, or ``None`` for none.
        fields: known ones.
        tables: columns by name of the table.

    Raises:
        DataError: otherwise, with the nearest name.
    """
    everything = [column for columns in tables.values() for column in columns]
    for field, column in chosen.items():
        for value, known, kind in ((field, list(fields), "field"), (column, everything, "column")):
            if value is not None and value not in known:
                near = difflib.get_close_matches(value, known, 1)
                there = ", ".join(dict.fromkeys(known))
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {there}"
                raise DataError(f"columns: there is no {kind} {value!r}", hint)
