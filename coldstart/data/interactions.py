"""Read a table of interactions, and account for its rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.catalog.frames import columns_of
from coldstart.catalog.titles import clean_text
from coldstart.data.columns import check_chosen, fields_of, name_key
from coldstart.data.judgements import grades_of
from coldstart.data.preference_columns import (
    looks_like_preference,
    may_be_judgement,
    preference_column,
)
from coldstart.data.preference_words import DISLIKE_NAMES, FLAG_NAMES, OPINION_NAMES
from coldstart.data.times import (
    TIME_NAMES,
    VAGUE_TIME_NAMES,
    looks_like_clock,
    looks_like_times,
    number_of,
    read_times,
)
from coldstart.errors import DataError
from coldstart.tabular.cells import as_text, id_texts, is_missing
from coldstart.tabular.reading import TableFile, TextOptions, read_file
from coldstart.tabular.report import ReadReport
from coldstart.tabular.rows import counted, rows_text

if TYPE_CHECKING:
    import polars as pl

USER = (
    "user_id", "user", "uid", "customer_id", "customer", "reviewer_id", "visitor_id", "member_id",
    "account_id", "client_id", "member", "account", "client", "person", "visitor", "reviewer",
    "reader", "player", "viewer", "listener", "buyer", "shopper", "subscriber", "person_id",
    "reader_id", "player_id", "profile_id", "id_user", "user_name", "username", "kunden_id",
    "kundennummer", "kunde", "nutzer_id", "nutzer", "benutzer_id", "benutzer", "utilisateur",
    "id_utilisateur", "id_client", "usuario", "id_usuario", "usuario_id", "id_cliente",
    "cliente_id", "cliente", "utente", "id_utente", "用户", "用户id", "用户编号", "会员",
    "会员id", "顾客", "客户", "使用者", "用戶", "ユーザー", "ユーザーid",
)  # fmt: skip
ITEM = (
    "item_id", "item", "iid", "movie_id", "product_id", "asin", "sku", "film_id", "book_id",
    "isbn", "track_id", "song_id", "artist_id", "game_id", "anime_id", "recipe_id", "business_id",
    "article_id", "video_id", "news_id", "course_id", "show_id", "content_id", "stock_code",
    "item_code", "product_code", "parent_asin", "id_item", "movie", "product", "artikel_id",
    "artikelnummer", "artikel", "produkt_id", "produktnummer", "buch_id", "produit_id",
    "id_produit", "id_film", "produto_id", "id_produto", "producto_id", "id_producto",
    "id_pelicula", "prodotto_id", "id_prodotto", "film", "book", "track", "song", "artist",
    "album", "game", "joke", "anime", "recipe", "restaurant", "business", "article", "video",
    "course", "beer", "wine", "place", "venue", "商品", "商品id", "商品编号", "物品", "产品",
    "电影", "书籍", "品目", "アイテム",
)  # fmt: skip
INTERACTIONS: Mapping[str, tuple[str, ...]] = {
    "user_id": USER,
    "item_id": ITEM,
    "rating": (),
    "timestamp": TIME_NAMES,
    "position": ("position",),
}
"""Field → names of its column; that of ``rating`` is found by ``preference_column``."""
NONE: Mapping[str, str | None] = {}
_TIME_KEYS = frozenset(map(name_key, TIME_NAMES))
_LIKE_KEYS = frozenset(map(name_key, (*OPINION_NAMES, *FLAG_NAMES)))
_DISLIKE_KEYS = frozenset(map(name_key, DISLIKE_NAMES))


class Interactions(NamedTuple):
    """A table of interactions that was read, and its account.

    Args:
        frame: ``user_id`` and ``item_id`` as strings; ``rating`` as numbers, or strings if they
            are words; ``timestamp`` and ``position`` as numbers, null where missing.
        report: rows and columns.
    """

    frame: pl.DataFrame
    report: ReadReport


def load_interactions(
    path: Path,
    columns: Mapping[str, str | None] = NONE,
    text: TextOptions | None = None,
) -> pl.DataFrame:
    """Read interactions as ``read_interactions`` does, without the account."""
    return read_interactions(read_file(path, text), columns).frame


def read_interactions(file: TableFile, columns: Mapping[str, str | None] = NONE) -> Interactions:
    """Read a table of interactions.

    Args:
        file: one row per interaction; rows without a user or an item are left out.
        columns: field of ``INTERACTIONS`` → column, for columns not recognised by name; ``None``:
            there is none, though a column looks like it.

    Raises:
        DataError: a column is missing, a column that looks like a preference is not read, cells
            are bad, or no row is complete; the message names rows.
    """
    return _Reading(file, columns).table()


class _Reading:
    """State of reading one table."""

    def __init__(self, file: TableFile, columns: Mapping[str, str | None]) -> None:
        self.file, self.where, self.chosen = file, str(file.path), dict(columns)
        check_chosen(columns, INTERACTIONS, {self.where: file.frame.columns})
        self.cells = columns_of(file.frame)
        self.names = self._names()
        self.unused = [n for n in self.cells if n not in self.names.values()]
        self.notes: list[str] = []
        self.warnings = list(file.warnings)
        self.bad: dict[str, list[int]] = {}

    def table(self) -> Interactions:
        self._check_unused()
        made = {field: self._converted(field, column) for field, column in self.names.items()}
        self._refuse()
        shown = dict(self.names)
        if both := self._with_dislikes(made):
            shown["rating"] = both
        if clock := self._with_clock(made):
            shown["timestamp"] += f" and {clock}"
        left_out = self._incomplete(made)
        out = {row - self.file.first_row for rows in left_out.values() for row in rows}
        keep = [n for n in range(len(self.file.frame)) if n not in out]
        if not keep:
            raise DataError(
                f"{self.where}: no row has a user and an item", "is it the right table?"
            )
        self._tell_times(made, keep)
        report = ReadReport(
            self.where,
            self.file.kind,
            rows=len(self.file.frame),
            read=len(keep),
            columns=shown,
            unused=tuple(self.unused),
            left_out=left_out,
            notes=tuple(self.notes),
            warnings=tuple(self.warnings),
        )
        return Interactions(_frame({f: [v[n] for n in keep] for f, v in made.items()}), report)

    def _names(self) -> dict[str, str]:
        chosen = dict(self.chosen)
        if "rating" not in chosen:
            taken = set(chosen.values())
            free = {n: c for n, c in self.cells.items() if n not in taken}
            chosen["rating"] = preference_column(free)
        no_times = {
            key
            for name, cells in self.cells.items()
            if (key := name_key(name)) in _TIME_KEYS and _is_no_time(key, cells)
        }
        aliases = dict[str, Sequence[str]](INTERACTIONS)
        aliases["timestamp"] = [n for n in TIME_NAMES if name_key(n) not in no_times]
        names = fields_of(
            self.cells,
            aliases,
            where=self.where,
            needed=("user_id", "item_id"),
            chosen=chosen,
        )
        for column in names.values():
            if self.file.frame[column].dtype.is_nested():
                what = f"{self.where}: column {column} holds lists or records"
                raise DataError(what, "one value per row")
        return names

    def _check_unused(self) -> None:
        """Refuse a table whose preferences would not be read; name what may be times."""
        looking = [n for n in self.unused if looks_like_preference(n, self.cells[n])]
        if "rating" not in self.names and "rating" not in self.chosen and looking:
            raise DataError(
                f"{self.where}: column {looking[0]!r} looks like a preference but is not read, and "
                "without one every row would be a like",
                f"columns={{'rating': {looking[0]!r}}} reads it; columns={{'rating': None}} takes "
                "every row for a like",
            )
        if "rating" not in {**self.names, **self.chosen}:
            self.warnings += [
                f"{name} has few values ({_some(self.cells[name])}) and is not read; if they judge "
                f"the item, columns={{'rating': {name!r}}}"
                for name in self.unused
                if may_be_judgement(name, self.cells[name])
            ]
        rating = self.names.get("rating")
        self.warnings += [
            f"{name} looks like a preference, too; {rating} is read"
            for name in looking
            if rating is not None and name_key(name) not in _DISLIKE_KEYS
        ]
        if "timestamp" not in {**self.names, **self.chosen}:
            self.warnings += [
                f"{name} looks like times but is not read; to read it, "
                f"columns={{'timestamp': {name!r}}}"
                for name in self.unused
                if looks_like_times(self.cells[name])
            ]

    def _converted(self, field: str, column: str) -> list[Any]:
        cells = self.cells[column]
        if field == "timestamp":
            times = read_times(cells)
            self.notes += times.notes
            self.warnings += times.warnings
            self._note_bad(field, column, times.bad)
            return times.seconds
        # Ids and ratings repeat: convert each value once.
        distinct = {v for v in cells if not is_missing(v)}
        made: dict[Any, Any]
        if field == "rating":
            made = _ratings(distinct)
        elif field == "position":
            made = {v: number_of(v) for v in distinct}
        else:
            texts = id_texts(distinct)
            made = {v: clean_text(text or "") or None for v, text in texts.items()}
            if any(text != as_text(v).strip() for v, text in texts.items()):
                self.notes.append(f"{column} holds whole numbers with .0, which is left out")
        out = [None if is_missing(v) else made[v] for v in cells]
        if field in ("rating", "position"):
            places = [n for n, v in enumerate(out) if v is None and not is_missing(cells[n])]
            self._note_bad(field, column, places)
        return out

    def _note_bad(self, field: str, column: str, places: Sequence[int]) -> None:
        for place in places:
            what = f"{field} is {_short(self.cells[column][place])}"
            self.bad.setdefault(what, []).append(place + self.file.first_row)

    def _refuse(self) -> None:
        hint = "ratings are numbers or known words, times numbers or ISO 8601 such as 2024-01-31"
        odd = [w for w in self.warnings if "may name the day" in w]
        refuse_cells(self.where, self.bad, "; ".join([*odd, hint]))

    def _with_dislikes(self, made: dict[str, list[Any]]) -> str | None:
        """Join a flag of likes and one of dislikes; returns the names of both."""
        rating = self.names.get("rating")
        if rating is None or name_key(rating) not in _LIKE_KEYS:
            return None
        for name in self.unused:
            if name_key(name) not in _DISLIKE_KEYS:
                continue
            flags = grades_of({v for v in self.cells[name] if not is_missing(v)})
            likes = {v for v in made["rating"] if v is not None}
            if flags is None or not set(flags.values()) | likes <= {0.0, 1.0}:
                continue
            low = [None if is_missing(v) else flags[v] for v in self.cells[name]]
            made["rating"] = [
                -1.0 if d else 1.0 if u else None for u, d in zip(made["rating"], low, strict=True)
            ]
            self.unused.remove(name)
            return f"{rating} and {name}"
        return None

    def _with_clock(self, made: dict[str, list[Any]]) -> str | None:
        """Add the time of the day in a column of its own to days; returns its name."""
        days = made.get("timestamp", [])
        clocks = [n for n in self.unused if looks_like_clock(self.cells[n])]
        if len(clocks) != 1 or not days or any(d is not None and d % 86400 for d in days):
            return None
        made["timestamp"] = [
            d if d is None or is_missing(c) else d + _clock(str(c))
            for d, c in zip(days, self.cells[clocks[0]], strict=True)
        ]
        self.unused.remove(clocks[0])
        return clocks[0]

    def _incomplete(self, made: Mapping[str, list[Any]]) -> dict[str, tuple[int, ...]]:
        """Rows without a user or an item, by reason."""
        found: dict[str, list[int]] = {}
        for n, (user, item) in enumerate(zip(made["user_id"], made["item_id"], strict=True)):
            if user is None or item is None:
                blank = all(is_missing(cells[n]) for cells in self.cells.values())
                lacks = "user_id" if user is None else "item_id"
                reason = "that are blank" if blank else f"without {lacks}"
                found.setdefault(reason, []).append(n + self.file.first_row)
        lost = sum(len(rows) for reason, rows in found.items() if reason != "that are blank")
        if lost:
            self.warnings.append(f"{counted(lost)} without a user or an item left out")
        return {reason: tuple(rows) for reason, rows in found.items()}

    def _tell_times(self, made: Mapping[str, list[Any]], keep: Sequence[int]) -> None:
        field = next((f for f in ("timestamp", "position") if f in made), None)
        if field is None:
            self.notes.append("no times, so the order of the rows is that of time")
            return
        lacking = sum(made[field][n] is None for n in keep)
        if lacking:
            self.warnings.append(f"{counted(lacking)} without a {field} come after the others")


def refuse_cells(where: str, bad: Mapping[str, Sequence[int]], hint: str) -> None:
    """Raise one ``DataError`` about all bad cells, if there are any.

    Args:
        where: name of the table.
        bad: what is wrong → numbers of the rows.
        hint: what to do.
    """
    if bad:
        shown = [f"{what} in {rows_text(rows)}" for what, rows in list(bad.items())[:5]]
        more = [f"and {len(bad) - 5} other problems"] if len(bad) > 5 else []
        raise DataError(f"{where}: {'; '.join(shown + more)}", hint)


def _is_no_time(key: str, cells: Sequence[Any]) -> bool:
    """Whether a column called like a time holds none, or only that of the day."""
    return looks_like_clock(cells) or (key in VAGUE_TIME_NAMES and not looks_like_times(cells))


def _ratings(distinct: set[Any]) -> dict[Any, Any]:
    """Numbers of ratings, or their words if most are none; ``None`` for what fits neither."""
    if (grades := grades_of(distinct)) is not None:
        return dict(grades)
    single = {v: grades_of([v]) for v in distinct}
    if sum(g is not None for g in single.values()) * 2 < len(distinct):
        return {v: clean_text(as_text(v)) or None for v in distinct}
    return {v: g[v] if g is not None else None for v, g in single.items()}


def _some(cells: Sequence[Any]) -> str:
    """The first three values of a column."""
    distinct = list(dict.fromkeys(as_text(v) for v in cells if not is_missing(v)))
    return ", ".join(distinct[:3]) + (", …" if len(distinct) > 3 else "")


def _short(value: object) -> str:
    text = as_text(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _clock(text: str) -> float:
    hours, minutes, *seconds = text.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60 + (float(seconds[0]) if seconds else 0)


def _frame(columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    import polars as pl

    words = any(isinstance(v, str) for v in columns.get("rating", ()))
    texts = {"user_id", "item_id", *(["rating"] if words else [])}
    schema = {n: pl.String if n in texts else pl.Float64 for n in columns}
    return pl.DataFrame(columns, schema=schema)
