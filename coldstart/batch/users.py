"""Users table: any supported file, converted to Parquet and read in chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.batch.part_file import parquet_bytes
from coldstart.catalog.frames import read_table
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import fields_of
from coldstart.data.tables import SINGLE, USERS
from coldstart.errors import DataError, ProfileError
from coldstart.runtime.cache import write_through
from coldstart.schema import Context, UserProfile
from coldstart.tabular.cells import as_text

if TYPE_CHECKING:
    import polars as pl

USER = "user_id"
LISTS = ("interests", "liked", "disliked", "seen")
MOMENT = ("time", "device", "place", "occasion", "text", "viewing")
FIELDS = USERS | {name: (name,) for name in (*LISTS, *MOMENT, "about", "history", "attributes")}
_BLOCK = 1 << 20


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
    ``interests``, ``liked``, ``disliked`` and ``seen`` are lists, or strings separated by ``|``.

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
        found = ids.select(
            rows=pl.len(),
            empty=pl.col(USER).is_null().sum() + (pl.col(USER) == "").sum(),
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
        if _blank(value):
            continue
        if field in MOMENT:
            context[field] = value
        elif field == "attributes" and isinstance(value, dict):
            attributes = {n: v for n, v in value.items() if not _blank(v)} | attributes
        elif field is None or field == "attributes":
            attributes[name.strip()] = as_text(value)
        else:
            profile[field] = _entries(value) if field in LISTS else value
    user = clean_text(as_text(profile[USER]))
    profile |= {USER: user, "attributes": attributes}
    try:
        return UserRow(user, UserProfile.parse(profile), Context.parse(context), None)
    except ProfileError as e:
        return UserRow(user, None, None, e.message)


def _entries(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split("|") if part.strip()]
    return [v for v in value if not _blank(v)] if isinstance(value, list) else value


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
