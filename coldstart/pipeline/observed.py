"""Learning while in use: likes that a recommender is told of, and their erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coldstart.errors import ConfigError
from coldstart.scoring.evidence import EvidenceScorer

if TYPE_CHECKING:
    from coldstart.pipeline.parts import Parts

_SIGNALS = frozenset({"evidence_popularity", "evidence_picks"})


class LearnsFromLikes:
    """Part of a recommender that counts likes as they come in; see ``scoring.evidence``."""

    parts: Parts

    @property
    def grows(self) -> bool:
        """Whether observed likes change lists: whether the ranker weighs their signals."""
        return not self.parts.ranker.signals.isdisjoint(_SIGNALS)

    @property
    def evidence(self) -> EvidenceScorer:
        """The counts of observed likes.

        Raises:
            ConfigError: this recommender was made with scorers of one's own, without this one.
        """
        for scorer in self.parts.scorers:
            if isinstance(scorer, EvidenceScorer):
                return scorer
        raise ConfigError(
            "these scorers count no likes", hint="keep EvidenceScorer among them, or leave scorers="
        )

    def observe(self, user_id: str, *item_ids: str) -> bool:
        """Count likes of a user: from then on lists know them, if the recommender ``grows``.

        Costs a few microseconds; the next list costs one sparse sum more. Purchases and anything
        else that speaks for an item count as a like does, each item once per user. Not
        thread-safe, as the catalog's changes are not.

        Args:
            user_id: of the user, so that several likes belong together; kept in memory until
                ``forget``, never saved.
            item_ids: of the catalog's items.

        Returns:
            Whether anything changed; a repeated like changes nothing.

        Raises:
            ConfigError: an item is not in the catalog, or there is none.
        """
        unknown = [item for item in item_ids if item not in self.parts.catalog]
        if unknown or not item_ids:
            raise ConfigError(
                f"observe: no item {unknown[0]!r}" if unknown else "observe: no item was given",
                hint="give ids of the catalog's items, not titles",
            )
        return self.evidence.observe(user_id, item_ids)

    def retract(self, user_id: str, item_id: str) -> bool:
        """Take one like back; false if there was none."""
        return self.evidence.retract(user_id, item_id)

    def forget(self, user_id: str) -> bool:
        """Remove all likes of a user from the counts; false if none were observed.

        Counts that were loaded with an artifact are sums: no user can be taken out of them. Train
        or start again without the user.
        """
        return self.evidence.forget(user_id)
