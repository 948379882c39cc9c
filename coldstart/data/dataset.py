"""Dataset of implicit feedback with user attributes: the input of training and evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.data.interactions import INTERACTIONS, NONE, read_interactions
from coldstart.data.judgements import Threshold, judge
from coldstart.data.reading_report import DatasetReport
from coldstart.data.ties import MOST_TIED, SEED, in_time_order, tied_share
from coldstart.errors import DataError
from coldstart.schema import UserProfile
from coldstart.tabular.cells import id_texts
from coldstart.tabular.reading import TableFile
from coldstart.tabular.report import ReadReport


@dataclass(frozen=True)
class Dataset:
    """Catalog, user attributes and positive interactions.

    Args:
        name: used in manifests and messages.
        catalog: the items.
        users: profiles of attributes only (without picks), by user id.
        likes: liked item ids by user id, oldest first.
        dislikes: low-rated item ids by user id, oldest first.
        times: time of each like, parallel to ``likes``: seconds since 1970, or positions; empty if
            unknown. Not part of the fingerprint.
        dislike_times: likewise, parallel to ``dislikes``.
        report: what was read, and as what; ``None`` if the dataset was not read from tables.

    Raises:
        DataError: times that are not parallel to ``likes`` or ``dislikes``.
    """

    name: str
    catalog: Catalog
    users: Mapping[str, UserProfile]
    likes: Mapping[str, tuple[str, ...]]
    dislikes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    dislike_times: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    report: DatasetReport | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_parallel(self.likes, self.times, "like")
        _check_parallel(self.dislikes, self.dislike_times, "dislike")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the catalog, the attributes and the likes."""
        digest = hashlib.sha256(self.catalog.fingerprint().encode())
        for user in sorted(self.likes):
            attributes = sorted(self.users[user].demographics().items())
            digest.update(repr((user, attributes, self.likes[user])).encode())
        return digest.hexdigest()

    @cached_property
    def fingerprint_with_dislikes(self) -> str:
        """SHA-256 (hexadecimal) of ``fingerprint`` and the dislikes, the input of some systems."""
        low = repr(sorted(self.dislikes.items()))
        return hashlib.sha256((self.fingerprint + low).encode()).hexdigest()

    @cached_property
    def tied_share(self) -> float | None:
        """Share of consecutive likes of a user with equal times, in [0, 1]; ``None``: no times."""
        return tied_share(self.times) if self.times else None

    @property
    def ordered(self) -> bool:
        """Whether the order of likes may be learned from; see ``ties.MOST_TIED``."""
        return self.tied_share is None or self.tied_share <= MOST_TIED


def dataset_from_frames(
    name: str,
    catalog: Catalog,
    interactions: pl.DataFrame,
    users: Mapping[str, UserProfile] | None = None,
    *,
    like_at: Threshold | None = None,
    dislike_at: Threshold | None = None,
    unrated: Collection[float] | None = None,
    columns: Mapping[str, str | None] = NONE,
    rating_name: str = "rating",
    seed: int = SEED,
) -> Dataset:
    """Build a dataset from tables.

    Of several rows of one user and item the latest judgement counts, at the time of the first.

    Args:
        name: used in manifests and messages.
        catalog: the items.
        interactions: columns ``user_id``, ``item_id``, optional ``rating`` and ``timestamp`` (or
            ``position``); equal times are ordered by a hash (``ties.tie_key``). Without a time
            column the row order is the time order, and the dataset has no ``times``. Without a
            ``rating``, every row is a like. Other columns are matched as in a file, see
            ``read_interactions``.
        users: attributes by user id; missing users get an empty profile.
        like_at: minimum rating of a like, or the words that are one; ``None``: recognised, see
            ``judge``.
        dislike_at: maximum rating of a dislike, or the words that are one; ``None``: recognised.
        unrated: ratings that are no judgement; ``None``: recognised.
        columns: field → column, for columns not recognised by name.
        rating_name: original name of the column ``rating``, which says what a 0 means.
        seed: of the hash.

    Raises:
        DataError: missing columns or ids, items missing from the catalog, or no likes.
    """
    tables: tuple[ReadReport, ...] = ()
    if columns or set(interactions.columns) - set(INTERACTIONS):
        frame = TableFile(Path("interactions"), interactions, "a frame", 1)
        read = read_interactions(frame, columns)
        interactions, tables = read.frame, (read.report,)
        rating_name = read.report.columns.get("rating", rating_name)
    missing = {"user_id", "item_id"} - set(interactions.columns)
    if missing:
        raise DataError(
            f"interactions lack the column(s) {', '.join(sorted(missing))}; "
            f"found {', '.join(interactions.columns)}",
            hint="needed: user_id, item_id; optional: rating, timestamp or position",
        )
    table = interactions.with_columns(_ids(interactions[c]) for c in ("user_id", "item_id"))
    for column in ("user_id", "item_id"):
        if lacking := table[column].null_count():
            raise DataError(f"{lacking} interactions have no {column}", "leave their rows out")
    unknown = table.filter(~pl.col("item_id").is_in(list(catalog.ids)))
    if len(unknown):
        raise DataError(
            f"{len(unknown)} interactions name items that the catalog lacks, "
            f"first {unknown['item_id'][0]!r}",
            hint="add those items to the items table, or leave their rows out",
        )
    ratings = None
    judged = pl.Series("judgement", [1] * len(table), dtype=pl.Int8)
    if "rating" in table.columns:
        found = judge(
            table["rating"],
            column=rating_name,
            like_at=like_at,
            dislike_at=dislike_at,
            unrated=unrated,
        )
        ratings, judged = found.report, pl.Series("judgement", found.values, dtype=pl.Int8)
    table = table.with_columns(judged).filter(pl.col("judgement").is_not_null())
    order = next((c for c in ("timestamp", "position") if c in table.columns), None)
    if order and table[order].dtype.is_float():
        table = table.with_columns(pl.col(order).fill_nan(None))
    latest, repeated = _latest(table, order)
    if order:
        table = in_time_order(table, order, seed)
    else:
        table = table.sort("user_id", maintain_order=True)
    table = table.unique(["user_id", "item_id"], keep="first", maintain_order=True)
    if latest is not None:
        table = table.drop("judgement").join(
            latest, on=["user_id", "item_id"], how="left", maintain_order="left"
        )
    likes, low = (table.filter(pl.col("judgement") == sign) for sign in (1, -1))
    if not len(likes):
        what = f" ({ratings.sentence()})" if ratings else ""
        raise DataError(
            f"no interaction of {name} counts as a like{what}",
            hint="lower the threshold: like_at=…; or columns={'rating': None} makes every row one",
        )
    groups = _grouped(likes)
    times = _times(likes, order) if order else {}
    report = DatasetReport(
        len(groups),
        len(likes),
        len(low),
        ratings,
        repeated,
        sum(user in users for user in groups) if users else None,
        tied_share(times) if times else None,
        tables,
    )
    return Dataset(
        name,
        catalog,
        {u: (users or {}).get(u, UserProfile()) for u in groups},
        groups,
        _grouped(low),
        times,
        _times(low, order) if order else {},
        report,
    )


def _ids(column: pl.Series) -> pl.Series:
    """Ids as text, null where missing."""
    if column.dtype == pl.String:
        return column
    cells = column.to_list()
    texts = id_texts(cells)
    return pl.Series(column.name, [texts[v] for v in cells], dtype=pl.String)


def _latest(table: pl.DataFrame, order: str | None) -> tuple[pl.DataFrame | None, int]:
    """Latest judgement of each user and item, and how many rows repeat one; ``None`` if none."""
    pair = ["user_id", "item_id"]
    repeated = len(table) - table.select(pair).n_unique()
    if not repeated:
        return None, 0
    ordered = table.sort(order, maintain_order=True, nulls_last=False) if order else table
    last = ordered.unique(pair, keep="last", maintain_order=True)
    return last.select(*pair, "judgement"), repeated


def _check_parallel(
    items: Mapping[str, tuple[str, ...]], times: Mapping[str, tuple[float, ...]], what: str
) -> None:
    """Require one time per item, unless there are none."""
    sizes, wanted = ({u: len(x) for u, x in m.items()} for m in (times, items))
    if times and sizes != wanted:
        user = next(u for u in (*wanted, *sizes) if sizes.get(u) != wanted.get(u))
        raise DataError(
            f"user {user!r} has {wanted.get(user, 0)} {what}s and {sizes.get(user, 0)} times",
            hint=f"give a time for every {what}, or none at all",
        )


def _grouped(table: pl.DataFrame, column: str = "item_id") -> dict[str, tuple[Any, ...]]:
    grouped = table.group_by("user_id", maintain_order=True).agg(column)
    return {u: tuple(values) for u, values in grouped.iter_rows()}


def _times(rows: pl.DataFrame, column: str) -> dict[str, tuple[float, ...]]:
    """Times by user id; empty if any row lacks a numeric time or a date."""
    when = pl.col(column)
    if isinstance(rows[column].dtype, pl.Date | pl.Datetime):
        when = when.dt.epoch("us") / 1e6
    elif not rows[column].dtype.is_numeric():
        return {}
    rows = rows.with_columns(when.cast(pl.Float64).alias(column))
    return _grouped(rows, column) if rows[column].is_finite().fill_null(False).all() else {}
