"""One part: read a chunk of users, ask the recommender, write the lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.batch.plan import Options, Plan
from coldstart.batch.users import Asked, UserTable
from coldstart.cache import write_through
from coldstart.errors import ColdstartError
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
        recommender: asked one user at a time, so that a list does not depend on its neighbours.
        users: who asks.
        plan: what is asked.
        out: folder of the parts.
    """

    def __init__(self, recommender: Recommender, users: UserTable, plan: Plan, out: Path) -> None:
        self._recommender, self._users, self._plan, self._out = recommender, users, plan, out

    def make(self, number: int) -> int:
        """Write a part unless it is there; returns how many users it has.

        It appears under its name only when it is whole and on the disk.
        """
        first, size = self._plan.chunk(number)
        place = part_of(self._out, number)
        if not place.exists():
            rows = [self._row(asked) for asked in self._users.chunk(first, size)]
            write_through(place, _frame(rows, self._plan.options).write_parquet)
        return size

    def _row(self, asked: Asked) -> dict[str, Any]:
        error, made = asked.error, None
        if asked.profile is not None:
            options = self._plan.options
            try:
                made = self._recommender.recommend(
                    asked.profile,
                    asked.context,
                    k=options.k,
                    strategy=options.strategy,
                    diversity=options.diversity,
                    popularity_penalty=options.popularity_penalty,
                    unknown_picks="ignore",
                    seed=options.seed,
                )
            except ColdstartError as e:
                error = e.message
        return {
            "user_id": asked.user_id,
            "items": _items(made) if made else [],
            "notes": list(made.notes) if made else [],
            "error": error,
        }


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
