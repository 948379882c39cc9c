"""One part: read a chunk of users, ask the recommender, write the lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.batch.plan import Options, Plan
from coldstart.batch.users import Asked, UserTable
from coldstart.errors import ColdstartError, GeneratorError
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.ranking.filters import default_filters
from coldstart.runtime.cache import write_through
from coldstart.schema import RecommendationList

if TYPE_CHECKING:
    import polars as pl

    from coldstart.recommender import Recommender


def part_of(out: Path, number: int) -> Path:
    """Where a part is, once it is whole."""
    return out / f"part-{number:07d}.parquet"


class Stage:
    """Makes parts; every engine runs this.

    Args:
        recommender: asked for some users of a part at a time, always the same ones together.
        users: who asks.
        plan: what is asked.
        out: folder of the parts.
    """

    def __init__(self, recommender: Recommender, users: UserTable, plan: Plan, out: Path) -> None:
        self._recommender, self._users, self._plan, self._out = recommender, users, plan, out
        asked = plan.options
        self._options = RecommendOptions(
            asked.k,
            asked.strategy,
            tuple(default_filters()),
            asked.diversity,
            asked.popularity_penalty,
        )

    def make(self, number: int) -> int:
        """Write a part unless it is there; returns how many users it has.

        It appears under its name only when it is whole and on the disk.
        """
        first, size = self._plan.chunk(number)
        place = part_of(self._out, number)
        if not place.exists():
            rows = self._rows(self._users.chunk(first, size))
            write_through(place, _frame(rows, self._plan.options).write_parquet)
        return size

    def _rows(self, asked: Sequence[Asked]) -> list[dict[str, Any]]:
        made: dict[int, RecommendationList | Exception] = {}
        asking: list[tuple[int, RecommendRequest]] = []
        for n, one in enumerate(asked):
            try:
                asking.append((n, self._request(one)))
            except ColdstartError as e:
                made[n] = e
        requests = [request for _, request in asking]
        for position, found in self._recommender.pipeline.run(requests):
            made[asking[position][0]] = found
        return [_row(one, made[n]) for n, one in enumerate(asked)]

    def _request(self, asked: Asked) -> RecommendRequest:
        if asked.profile is None:
            raise ColdstartError(asked.error or "")
        user = self._recommender.resolve(asked.profile, asked.context)
        return RecommendRequest(user, self._options, seed=self._plan.options.seed)


def _row(asked: Asked, made: RecommendationList | Exception) -> dict[str, Any]:
    if isinstance(made, GeneratorError):
        raise made  # a server is away: that says nothing about the user
    if isinstance(made, ColdstartError):
        return {"user_id": asked.user_id, "items": [], "notes": [], "error": made.message}
    if isinstance(made, Exception):
        raise made
    notes = list(made.notes)
    return {"user_id": asked.user_id, "items": _items(made), "notes": notes, "error": None}


def _items(made: RecommendationList) -> list[dict[str, Any]]:
    return [
        {"rank": r.rank, "item_id": r.item_id, "title": r.title, "score": r.score}
        | {"reason": r.reason}
        for r in made
    ]


def _frame(rows: list[dict[str, Any]], options: Options) -> pl.DataFrame:
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
