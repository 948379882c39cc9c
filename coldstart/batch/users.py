"""Users table: any supported file, converted to Parquet and read in chunks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.batch.part_file import parquet_bytes
from coldstart.catalog.bracketed import is_bracketed, parse_bracketed
from coldstart.catalog.frames import read_table
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import fields_of
from coldstart.data.tables import SINGLE, USERS
from coldstart.errors import DataError, ProfileError
from coldstart.runtime.cache import write_through
from coldstart.schema import Context, UserProfile
from coldstart.tabular.cells import MISSING_WORDS, as_text, is_missing
from coldstart.tabular.report import ReadReport

if TYPE_CHECKING:
    import polars as pl

USER = "user_id"
PICKS = ("liked", "disliked", "seen")
LISTS = ("interests", *PICKS)
MOMENT = ("time", "device", "place", "occasion", "text", "viewing")
_ALIASES = {
    "interests": ("interest", "preferences"),
    "liked": ("likes", "liked_items", "favourites", "favorites"),
    "disliked": ("dislikes", "disliked_items"),
    "seen": ("watched", "seen_items"),
    "about": ("bio", "about_me"),
}
_OWN = (*LISTS, *MOMENT, "about", "history", "attributes")
FIELDS = dict(USERS) | {name: (name, *_ALIASES.get(name, ())) for name in _OWN}
_BLOCK = 1 << 20
_IDS = re.compile(r"[^\s,]+(?:,[^\s,]+)+")
_LONGEST = 1000  # characters of a pick


class UserRow(NamedTuple):
    """One row of the users table: profile and context, or the error that prevents parsing them."""

    user_id: str
    profile: UserProfile | None
    context: Context | None
    error: str | None


class UserTable:
    """Users table with random access by row number.

    Column names are matched as by ``load_dataset`` (``userId``, ``sex``, …) and against the other
    fields of ``UserProfile`` and ``Context``; remaining columns become attributes. Cells of
    ``interests``, ``liked``, ``disliked`` and ``seen`` are lists, lists written as text, or strings
    separated by ``|`` or ``;``, or, where the parts are items, by commas. Whole numbers are ids.

    Args:
        path: ``.parquet``, or ``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson``, which are converted.
        work: folder of the converted file, ``_users-….parquet``, named by the digests of the table
            and of its own content, so that a damaged one is made again.

    Raises:
        DataError: the file is missing or malformed, two columns map to one field, or user ids are
            missing, empty or not unique.
    """

    def __init__(self, path: Path, work: Path) -> None:
        import polars as pl

        self.path = path
        try:
            self.digest = _digest(path)
        except OSError as e:
            raise DataError(f"{path}: {e.strerror or e}", "check the path") from None
        parquet = path
        if path.suffix.lower() != ".parquet":
            parquet = _converted(path, work / f"_users-{self.digest[:20]}")
        self._frame = pl.scan_parquet(parquet)
        try:
            columns = self._frame.collect_schema().names()
            found = fields_of(columns, FIELDS, where=str(path), needed=[USER], single=SINGLE)
            self._field = {column: field for field, column in found.items()}
            self._check_ids(found[USER])
        except pl.exceptions.PolarsError as e:
            what = str(e).partition("\n")[0]
            raise DataError(f"{path}: {what}", "the file is damaged or malformed") from None

    def _check_ids(self, column: str) -> None:
        import polars as pl

        ids = self._frame.select(pl.col(column).alias(USER).cast(pl.String).str.strip_chars())
        missing = pl.col(USER).is_null() | pl.col(USER).is_in(sorted(MISSING_WORDS))
        found = ids.select(
            rows=pl.len(),
            empty=missing.sum(),
            different=pl.col(USER).n_unique(),
        ).collect()
        self.rows, empty, different = found.row(0)
        if empty:
            raise DataError(f"{self.path}: {empty} rows without {USER}", "every user needs one")
        if different < self.rows:
            twice = ids.filter(pl.col(USER).is_duplicated()).head(1).collect().item()
            raise DataError(
                f"{self.path}: {self.rows - different} rows repeat a {USER}, such as {twice!r}",
                "one row per user; lists of items go into one cell",
            )

    def paragraph(self) -> str:
        """What was read: every column, for people."""
        columns = self._frame.collect_schema().names()
        return ReadReport(
            str(self.path),
            self.path.suffix.lower().removeprefix("."),
            rows=self.rows,
            read=self.rows,
            columns={field: column for column, field in self._field.items()},
            attributes=tuple(c for c in columns if c not in self._field),
        ).paragraph()

    def ids(self, first: int, size: int) -> list[str]:
        """User ids of rows ``first`` … ``first + size - 1``, as the lists name them."""
        (column,) = (c for c, field in self._field.items() if field == USER)
        found = self._frame.select(column).slice(first, size).collect()[column]
        return [clean_text(as_text(value)) for value in found.to_list()]

    def chunk(self, first: int, size: int) -> list[UserRow]:
        """Users of rows ``first`` … ``first + size - 1``."""
        table: pl.DataFrame = self._frame.slice(first, size).collect()
        return [_user_row(row, self._field) for row in table.iter_rows(named=True)]


def _converted(path: Path, stem: Path) -> Path:
    """Parquet file of a table, ``STEM-DIGEST.parquet``; an intact one is used again."""
    for known in stem.parent.glob(f"{stem.name}-*.parquet"):
        if known.stem.rpartition("-")[2] == _digest(known)[:20]:
            return known
        known.unlink(missing_ok=True)
    content = parquet_bytes(read_table(path))
    parquet = stem.with_name(f"{stem.name}-{hashlib.sha256(content).hexdigest()[:20]}.parquet")
    write_through(parquet, lambda place: place.write_bytes(content))
    return parquet


def _user_row(row: Mapping[str, Any], field_of: Mapping[str, str]) -> UserRow:
    profile: dict[str, Any] = {}
    context: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in row.items():
        field = field_of.get(name)
        if is_missing(value):
            continue
        if field in MOMENT:
            context[field] = value
        elif field == "attributes" and isinstance(value, dict):
            attributes = {n: v for n, v in value.items() if not is_missing(v)} | attributes
        elif field is None or field == "attributes":
            attributes[name.strip()] = as_text(value)
        else:
            profile[field] = _entries(value, field) if field in LISTS else value
    user = clean_text(as_text(profile[USER]))
    profile |= {USER: user, "attributes": attributes}
    try:
        return UserRow(user, UserProfile.parse(profile), Context.parse(context), None)
    except ProfileError as e:
        return UserRow(user, None, None, e.message)


def _entries(value: Any, field: str) -> Any:
    """Entries of a list in a cell.

    Semicolons and commas between picks are left to the resolver, which knows the titles that
    contain them, unless the text is longer than any title or commas have no space after them.
    """
    if not isinstance(value, str):
        values = value if isinstance(value, list) else [value]
        return [_pick(v, field) for v in values if not is_missing(v)]
    if is_bracketed(value):
        parts = parse_bracketed(value)
    elif field not in PICKS:
        parts = re.split(r"[|;\n\t]", value)
    else:
        parts = value.split("|")
        if any(len(part) > _LONGEST for part in parts):
            parts = re.split(r"[|;\n\t]", value)
        if len(parts) == 1 and (len(value) > _LONGEST or _IDS.fullmatch(value.strip())):
            parts = value.split(",")
    return [part.strip() for part in parts if not is_missing(part)]


def _pick(value: Any, field: str) -> Any:
    """A number in a column of picks is an id, whatever titles there are."""
    is_id = field in PICKS and isinstance(value, int) and not isinstance(value, bool)
    return {"item": str(value), "by": "id"} if is_id else value


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
