"""Read a table of users and their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from coldstart.catalog.frames import columns_of
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import check_chosen, fields_of
from coldstart.data.interactions import NONE, USER, refuse_cells
from coldstart.errors import DataError, ProfileError
from coldstart.schema import UserProfile
from coldstart.tabular.cells import as_text, id_texts, is_missing
from coldstart.tabular.reading import TableFile, TextOptions, read_file
from coldstart.tabular.report import ReadReport
from coldstart.tabular.rows import counted

USERS: Mapping[str, tuple[str, ...]] = {
    "user_id": (*USER, "id"),
    "age": ("age", "alter", "edad", "idade"),
    "gender": ("gender", "sex", "geschlecht", "sexe", "sexo", "genero"),
    "occupation": ("occupation", "job", "profession", "beruf"),
    "location": ("location", "city", "country", "stadt", "ort", "land", "ville", "ciudad"),
    "language": ("language", "lang", "sprache", "langue", "idioma"),
}
"""Field → names of its column."""
SINGLE = frozenset(USERS) - {"location"}  # a city and a country differ: the second is an attribute
_AGE_CODES = frozenset({1, 18, 25, 35, 45, 50, 56})


class Users(NamedTuple):
    """Profiles by user id, and the account of their table."""

    profiles: dict[str, UserProfile]
    report: ReadReport


def load_users(
    path: Path, columns: Mapping[str, str | None] = NONE, text: TextOptions | None = None
) -> dict[str, UserProfile]:
    """Read user attributes as ``read_users`` does, without the account."""
    return read_users(read_file(path, text), columns).profiles


def read_users(file: TableFile, columns: Mapping[str, str | None] = NONE) -> Users:
    """Read user attributes; missing cells are left out, and so are rows without an id.

    Args:
        file: a table of user ids, age, gender, occupation, location, language (see ``USERS``); any
            other column becomes one of the user's ``attributes``.
        columns: field of ``USERS`` → column, for columns not recognised by name.

    Raises:
        DataError: no ids, two columns of one field, repeated ids or invalid cells; the message
            names their rows.
    """
    where = str(file.path)
    check_chosen(columns, USERS, {where: file.frame.columns})
    names = fields_of(
        file.frame.columns,
        USERS,
        where=where,
        needed=("user_id",),
        single=SINGLE,
        chosen=columns,
    )
    field_of = {column: field for field, column in names.items()}
    table = columns_of(file.frame)
    ids = id_texts(table[names["user_id"]])
    table[names["user_id"]] = [ids[v] for v in table[names["user_id"]]]
    bad: dict[str, list[int]] = {}
    left_out: dict[str, list[int]] = {}
    people: dict[str, UserProfile] = {}
    for number, row in enumerate(zip(*table.values(), strict=True), start=file.first_row):
        cells = {
            n: clean_text(as_text(v)) for n, v in zip(table, row, strict=True) if not is_missing(v)
        }
        fields = {field_of[n]: v for n, v in cells.items() if v and n in field_of}
        other = {n.strip(): v for n, v in cells.items() if v and n not in field_of}
        user = fields.pop("user_id", None)
        if user is None:
            left_out.setdefault("without user_id" if cells else "that are blank", []).append(number)
            continue
        if user in people:
            bad.setdefault("duplicate user_id", []).append(number)
            continue
        try:
            people[user] = UserProfile.parse({**fields, "attributes": other})
        except ProfileError as e:
            bad.setdefault(e.message.removeprefix("invalid profile: "), []).append(number)
    refuse_cells(where, bad, "correct these cells, or leave them empty")
    if not people:
        raise DataError(f"{where}: no users", "the table has a header but no rows")
    lost = len(left_out.get("without user_id", ()))
    report = ReadReport(
        where,
        file.kind,
        rows=len(file.frame),
        read=len(people),
        columns=names,
        attributes=tuple(n for n in table if n not in field_of),
        left_out={reason: tuple(rows) for reason, rows in left_out.items()},
        warnings=(
            *file.warnings,
            *([f"{counted(lost)} without user_id left out"] if lost else []),
            *_odd_ages([p.age for p in people.values() if p.age is not None]),
        ),
    )
    return Users(people, report)


def _odd_ages(ages: list[int]) -> list[str]:
    """Warnings about ages that look like codes, or like no age."""
    found: list[Any] = sorted(set(ages))
    if len(found) > 2 and {1, 56} <= set(found) <= _AGE_CODES:
        return [
            "the ages are the codes of MovieLens, where 1 means under 18, 18 means 18 to 24, and "
            "so on; they are taken for years"
        ]
    if len(found) > 1 and max(found) < 10:
        return [f"the ages are {found[0]} to {found[-1]}, which look like codes of age groups"]
    odd = [age for age in found if age < 3 or age > 110]
    return [f"odd ages: {', '.join(map(str, odd[:5]))}"] if odd else []
