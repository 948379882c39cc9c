"""Rows of recommendations: several short lists for one request, each with a rule of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

from coldstart.schema.base import Frozen
from coldstart.schema.picks import PickReading
from coldstart.schema.recommendation import Recommendation, Strategy
from coldstart.schema.understood import Understood

RowName = Literal["asked", "because", "people", "different"]
"""``asked``: the list of ``recommend``; ``because``: like one liked item; ``people``: chosen by the
people of similar recorded requests; ``different``: unlike all rows before it."""
ROWS: tuple[RowName, ...] = get_args(RowName)
"""All rows, in the order in which they are filled and shown."""


class RecommendationRow(Frozen):
    """One row.

    Args:
        row: which one.
        code: of its wording, see ``ranking.wording.rows``: ``asked`` is worded by what was asked.
        title: in English.
        rule: what orders it, one English sentence.
        about: id of the liked item that it is about, for ``because``.
        about_title: its title.
        items: the best first; the scores are those of ``recommend``, and order ``asked`` alone.
    """

    row: RowName
    code: str
    title: str
    rule: str
    about: str | None = None
    about_title: str = ""
    items: tuple[Recommendation, ...]

    @property
    def item_ids(self) -> list[str]:
        """Ids of its items, the best first."""
        return [r.item_id for r in self.items]


class RecommendationRows(Frozen):
    """Rows of recommendations for one request; no item is in two of them.

    Args:
        rows: in the order of ``ROWS``; those with too few items are left out.
        k: number of items per row requested.
        strategy: of the request.
        notes: as of a list.
        understood: what was read in the request's text.
        picks: how each typed pick was read.
    """

    rows: tuple[RecommendationRow, ...]
    k: int
    strategy: Strategy
    notes: tuple[str, ...] = ()
    understood: Understood = Understood()
    picks: tuple[PickReading, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RecommendationRow]:  # type: ignore[override]
        return iter(self.rows)

    def __getitem__(self, row: RowName) -> RecommendationRow:
        for one in self.rows:
            if one.row == row:
                return one
        raise KeyError(row)

    @property
    def item_ids(self) -> list[str]:
        """Ids of all items, row by row."""
        return [item_id for row in self.rows for item_id in row.item_ids]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready data."""
        return self.model_dump(mode="json")
