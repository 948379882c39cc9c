"""Part of a recommender that recommends in rows, each by a rule of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coldstart.errors import ConfigError
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.pipeline.single_stages import SingleStages
from coldstart.protocols import Filter
from coldstart.ranking.filters import default_filters
from coldstart.ranking.request_blend import EVEN
from coldstart.schema import (
    ROWS,
    Context,
    RecommendationRows,
    RowName,
    Strategy,
    Understood,
    UserProfile,
)

if TYPE_CHECKING:
    Reading = Understood | Mapping[str, Any]


class RecommendsRows(SingleStages):
    """Part of a recommender that makes several short lists from one pass over its scorers."""

    def rows(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        rows: Sequence[RowName] | None = None,
        k: int = 10,
        strategy: Strategy = "catalog",
        filters: Iterable[Filter] | None = None,
        diversity: float = 0.0,
        popularity_penalty: float = 0.0,
        words: float = EVEN,
        near_duplicates: bool = False,
        unknown_picks: str = "error",
        seed: int = 0,
        strict: bool = True,
        understood: Reading | None = None,
    ) -> RecommendationRows:
        """Recommend up to ``k`` items in each of several rows; no item comes twice.

        ``asked`` is the list of ``recommend``. ``because`` has what is closest to the latest liked
        item with enough of it, by shared likes and content; ``people`` what was chosen after the
        recorded requests nearest to this one; ``different`` what fits the taste but is unlike all
        rows before. What the texts reject is in none of them. A row of fewer than three items is
        left out; a note says so if ``rows`` names it.

        >>> rec.rows({"about": "gentle", "liked": ["Babe"]})["because"].title  # doctest: +SKIP
        'Because you liked Babe'

        Args:
            profile: what the user told us.
            context: the moment.
            rows: which ones; ``None``: all.
            k: items per row, 1 to 1000.
            strategy: as for ``recommend``.
            filters: likewise.
            diversity: likewise, within ``asked``.
            popularity_penalty: likewise.
            words: likewise, within ``asked``.
            near_duplicates: likewise.
            unknown_picks: likewise.
            seed: likewise.
            strict: likewise.
            understood: likewise.

        Raises:
            ProfileError: a malformed profile, or a pick that is not in the catalog.
            ConfigError: an option out of range, or an unknown row.
            CatalogError: the catalog is empty.
        """
        options = RecommendOptions(
            k,
            strategy,
            tuple(default_filters() if filters is None else filters),
            diversity,
            popularity_penalty,
            near_duplicates=near_duplicates,
            strict=strict,
            words=words,
        )
        user = self._resolve(profile, context, unknown_picks, understood)
        request = RecommendRequest(user, options, seed=seed)
        return self.pipeline.rows(request, *chosen_rows(rows))


def chosen_rows(rows: Sequence[RowName] | None) -> tuple[tuple[RowName, ...], bool]:
    """The rows to be made, and whether a note tells which of them are left out.

    Raises:
        ConfigError: an unknown row, or none.
    """
    if rows is None:
        return ROWS, False
    named: Sequence[str] = [rows] if isinstance(rows, str) else rows
    if unknown := [row for row in named if row not in ROWS]:
        raise ConfigError(f"no row {unknown[0]!r}", hint=f"rows: {', '.join(ROWS)}")
    if not named:
        raise ConfigError("rows is empty", hint=f"some of {', '.join(ROWS)}, or leave it out")
    return tuple(row for row in ROWS if row in named), True
