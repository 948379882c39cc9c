"""Part writer: read a chunk of users, recommend to each, write one Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.batch.part_file import check_part, disk_errors, write_part
from coldstart.batch.plan import BatchOptions, BatchPlan
from coldstart.batch.users import UserRow, UserTable
from coldstart.errors import ColdstartError, GeneratorError
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.ranking.filters import default_filters
from coldstart.schema import RecommendationList

if TYPE_CHECKING:
    import polars as pl

    from coldstart.recommender import Recommender


class PartWriter:
    """Writes part files; shared by all engines.

    Args:
        recommender: recommender for batches of users; the batches of a part are always the same.
        users: users table.
        plan: plan of the batch.
        out: output folder of the parts.
    """

    def __init__(
        self, recommender: Recommender, users: UserTable, plan: BatchPlan, out: Path
    ) -> None:
        self._recommender, self._users, self._plan, self._out = recommender, users, plan, out
        options = plan.options
        self._options = RecommendOptions(
            options.k,
            options.strategy,
            tuple(default_filters()),
            options.diversity,
            options.popularity_penalty,
        )

    def write(self, number: int) -> int:
        """Write a part unless a complete one is there; return its number of users.

        The file appears under its final name only when it is complete and synced to disk.

        Raises:
            DataError: the disk is full.
        """
        first, size = self._plan.chunk(number)
        if check_part(self._out, self._plan, number) is None:
            rows = self._rows(self._users.chunk(first, size))
            with disk_errors(self._out):
                write_part(self._out, self._plan, number, _frame(rows, self._plan.options))
        return size

    def _rows(self, users: Sequence[UserRow]) -> list[dict[str, Any]]:
        results: dict[int, RecommendationList | Exception] = {}
        pending: list[tuple[int, RecommendRequest]] = []
        for n, user in enumerate(users):
            try:
                pending.append((n, self._request(user)))
            except ColdstartError as e:
                results[n] = e
        requests = [request for _, request in pending]
        for position, result in self._recommender.pipeline.run(requests):
            results[pending[position][0]] = result
        return [_row(user, results[n]) for n, user in enumerate(users)]

    def _request(self, row: UserRow) -> RecommendRequest:
        if row.profile is None:
            raise ColdstartError(row.error or "")
        user = self._recommender.resolve(row.profile, row.context)
        return RecommendRequest(user, self._options, seed=self._plan.options.seed)


def _row(user: UserRow, result: RecommendationList | Exception) -> dict[str, Any]:
    if isinstance(result, GeneratorError):
        raise result  # a server is unavailable: not an error of this user
    if isinstance(result, ColdstartError):
        return {"user_id": user.user_id, "items": [], "notes": [], "error": result.message}
    if isinstance(result, Exception):
        raise result
    notes = list(result.notes)
    return {"user_id": user.user_id, "items": _items(result), "notes": notes, "error": None}


def _items(recommendations: RecommendationList) -> list[dict[str, Any]]:
    return [
        {"rank": r.rank, "item_id": r.item_id, "title": r.title, "score": r.score}
        | {"reason": r.reason}
        for r in recommendations
    ]


def _frame(rows: list[dict[str, Any]], options: BatchOptions) -> pl.DataFrame:
    import polars as pl

    item: dict[str, Any] = {
        "rank": pl.Int32,
        "item_id": pl.String,
        "title": pl.String,
        "score": pl.Float64,
    }
    if options.reasons:
        item["reason"] = pl.String
    names: dict[str, Any] = {
        "user_id": pl.String,
        "items": pl.List(pl.Struct(item)),
        "notes": pl.List(pl.String),
        "error": pl.String,
    }
    for row in rows:
        row["items"] = [{name: one[name] for name in item} for one in row["items"]]
    return pl.DataFrame(rows, schema=names)
