"""Logged feedback of a live recommender: impressions by user and rank, clicks, conversions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.errors import DataError
from coldstart.evaluation.off_policy.log_table import ALIASES, account_of, validated
from coldstart.tabular.reading import read_file
from coldstart.tabular.report import ReadReport

Reward = Literal["clicked", "converted", "revenue"]


@dataclass(frozen=True)
class LoggedRequest:
    """One logged recommendation list.

    Args:
        request_id: as logged, or made of the user and the time; unique among the user's.
        user_id: of the user.
        timestamp: when, in seconds as logged; ``None`` if the log has no times.
        shown: the logged items, by rank.
    """

    request_id: str
    user_id: str
    timestamp: float | None
    shown: tuple[str, ...]


@dataclass(frozen=True)
class InteractionLog:
    """One row per shown item; make it with ``from_frame`` or ``load``, which validate.

    Args:
        table: ``user_id``, ``item_id``, ``request_id`` (text), ``rank`` (from 1), ``clicked``
            (Boolean); where known also ``converted`` (Boolean), ``value`` (of a conversion; null
            at most where there was none), ``propensity`` in (0, 1], ``timestamp`` (seconds).
        report: what was read of a file; ``None`` for a frame.

    >>> shown = {"user_id": ["u", "u"], "item_id": [7, 8], "rank": [2, 1], "clicked": [0, 1]}
    >>> log = InteractionLog.from_frame(pl.DataFrame(shown))
    >>> log.requests[0].shown
    ('8', '7')
    """

    table: pl.DataFrame
    report: ReadReport | None = field(default=None, compare=False)

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, catalog: Catalog | None = None, *, first_row: int = 2
    ) -> InteractionLog:
        """Validate a table with one row per shown item.

        Columns are found by name, whatever their case ("userId", "movieId" and the like are
        known); other columns are ignored, and so are optional ones without any value.

        Args:
            frame: ``user_id``, ``item_id``, ``rank`` (position shown, from 1), ``clicked`` (0/1).
                Optional: ``converted`` (0/1; needs no click), ``value`` (revenue of the
                conversion), ``propensity`` (probability in (0, 1] with which the logging policy
                showed this item at this rank to this user), ``timestamp`` (numbers, or ISO 8601;
                without a zone it is UTC), ``request_id`` (one shown list of one user). Without
                ``request_id``, rows of one user and time are one request; without either, all
                rows of one user.
            catalog: gives the ``value`` of conversions that have none of their own.
            first_row: number of the first data row in messages; 2 as in a spreadsheet, where row
                1 is the header.

        Raises:
            DataError: naming columns, rows, what came and what was expected, if a column is
                missing, the table is empty, cells are bad, a rank or an item repeats within a
                request, or some conversions have a value and others none.
        """
        return cls(validated(frame, catalog, first_row=first_row, where="the log"))

    @classmethod
    def load(cls, path: str | Path, catalog: Catalog | None = None) -> InteractionLog:
        """Read ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl`` or ``.ndjson``; see ``from_frame``.

        Rows in messages count from the header, which is row 1; of JSON lines the first line is.
        """
        file = read_file(path)
        table = validated(file.frame, catalog, first_row=file.first_row, where=str(path))
        return cls(table, account_of(file, ALIASES))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rewards(self) -> tuple[Reward, ...]:
        """The rewards that the log knows; ``revenue`` takes conversions and their values."""
        columns = self.table.columns
        if "converted" not in columns:
            return ("clicked",)
        return (
            ("clicked", "converted", "revenue") if "value" in columns else ("clicked", "converted")
        )

    def reward(self, kind: Reward) -> np.ndarray:
        """What each row brought, shape (rows,).

        Args:
            kind: ``clicked`` or ``converted`` (0 or 1), or ``revenue`` (value of the conversion,
                0 without one).

        Raises:
            DataError: the log does not know it.
        """
        if kind not in self.rewards:
            raise DataError(
                f"the log knows no {kind!r}, only {', '.join(self.rewards)}",
                "revenue takes the column converted, and value or a catalog with values",
            )
        flags = self.table["converted" if kind == "revenue" else kind].to_numpy()
        if kind != "revenue":
            return flags.astype(np.float64)
        return np.where(flags, self.table["value"].fill_null(0.0).to_numpy(), 0.0)

    @property
    def propensities(self) -> np.ndarray:
        """Probability with which the logging policy showed each row, in (0, 1], shape (rows,).

        Raises:
            DataError: none were logged.
        """
        if "propensity" not in self.table.columns:
            raise DataError(
                "the log has no column propensity",
                "it takes the probability with which each item was shown, logged when it was",
            )
        return self.table["propensity"].to_numpy()

    @cached_property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The shown lists, in order of their first rows."""
        timed = "timestamp" in self.table.columns
        when = pl.col("timestamp").min() if timed else pl.lit(None).alias("timestamp")
        groups = self.table.group_by("request_id", "user_id", maintain_order=True).agg(
            when, pl.col("item_id").sort_by("rank")
        )
        return tuple(LoggedRequest(r, u, t, tuple(items)) for r, u, t, items in groups.iter_rows())
