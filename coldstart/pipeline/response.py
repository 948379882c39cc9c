"""From evidence to the list a user sees: blend, filters, diversity, reasons, provenance."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, get_args

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.errors import ConfigError
from coldstart.profile.resolve import ResolvedProfile
from coldstart.protocols import Filter
from coldstart.ranking.explanations import Reasons
from coldstart.ranking.filters import walk
from coldstart.ranking.ranker import BlendRanker, diversify
from coldstart.schema import MAX_K, Item, Provenance, Recommendation, RecommendationList, Strategy
from coldstart.scoring.features import FEATURES
from coldstart.scoring.lm_signals import LMSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_POOL = 5  # diversity chooses among this many times k


@dataclass(frozen=True)
class Adjustment:
    """Something besides the ranker that raises or lowers the scores of some items.

    Args:
        name: under which its part is in ``Provenance.contributions``.
        why: what a reason says about it, such as "promoted by 'summer'".
        items: ids of the items it is about.
        amount: added to their scores; 1 makes an item rank as if e times as popular.
        note: what the answer as a whole says about it, if anything.
    """

    name: str
    why: str
    items: Set[str]
    amount: float
    note: str = ""


def adjusted(item_store: ItemStore, adjustments: Sequence[Adjustment]) -> Floats:
    """What adjustments add to each item's score, shape (N,)."""
    out = np.zeros(len(item_store.ids))
    for one in adjustments:
        out[item_store.rows_of(one.items)] += one.amount
    return out


@dataclass(frozen=True)
class AnswerOptions:
    """What kind of list is asked for; see ``Recommender.recommend``.

    Args:
        k: number of items, 1 to 1000.
        strategy: whose weights the ranker uses.
        filters: what may not be shown.
        diversity: 0 to 1.
        popularity_penalty: 0 to 10, per nat of log popularity.
        pool: only these item ids may be shown, if given.
        near_duplicates: show an item, too, whose title is nearly that of another one or of a pick.
        adjustments: what is added to scores; provenance and reasons say so.
    """

    k: int = 10
    strategy: Strategy = "catalog"
    filters: tuple[Filter, ...] = ()
    diversity: float = 0.0
    popularity_penalty: float = 0.0
    pool: frozenset[str] | None = None
    near_duplicates: bool = False
    adjustments: tuple[Adjustment, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= MAX_K:
            raise ConfigError(f"k is {self.k!r}, expected a whole number from 1 to {MAX_K}")
        known = get_args(Strategy)
        if self.strategy not in known:
            raise ConfigError(f"strategy is {self.strategy!r}", hint=f"one of {', '.join(known)}")
        for name, most in (("diversity", 1), ("popularity_penalty", 10)):
            value = getattr(self, name)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not is_number or not 0 <= float(value) <= most:
                raise ConfigError(f"{name} is {value!r}, expected a number from 0 to {most}")


class Answer:
    """One user's list in the making.

    Args:
        item_store: synced with the catalog.
        ranker: the blend.
        user: the resolved profile.
        found: what the language model said.
        features: shape (N, len(FEATURES)), in catalog row order.
        options: what is asked for.
    """

    def __init__(
        self,
        item_store: ItemStore,
        ranker: BlendRanker,
        user: ResolvedProfile,
        found: LMSignals,
        features: Floats,
        options: AnswerOptions,
    ) -> None:
        self._item_store, self._user, self._found = item_store, user, found
        self._features, self._options = features, options
        self._ranker = ranker
        self._weights = ranker.weights(options.strategy, len(user.liked))
        self._weights[FEATURES.index("popularity")] -= options.popularity_penalty
        self._scores = ranker.scores(features, self._weights)
        self._scores = self._scores + adjusted(item_store, options.adjustments)
        # A statement about an item is worth making if it stands out from the catalog.
        self._ordinary = features.mean(axis=0) * self._weights
        # What the model adds has a zero of its own: the title's popularity.
        model = FEATURES.index("model")
        self._ordinary[model] = max(self._ordinary[model], 0.0)
        self._used = (features * self._weights).any(axis=0)
        self._reasons = Reasons(item_store, user)

    def build(self) -> RecommendationList:
        """Walk down the ranking until enough allowed items are found."""
        options, item_store, items = self._options, self._item_store, self._item_store.items
        # Rounded, so that the order does not hang on the last bits of a sum.
        order = np.argsort(-np.round(self._scores, 9), kind="stable")
        ranked = (items[r] for r in order if self._may_show(items[r]))
        walked = walk(
            ranked,
            options.filters,
            self._user.profile,
            self._user.context,
            options.k if options.diversity == 0 else _POOL * options.k,
            None if options.near_duplicates else NearDuplicates(),
            liked=[item_store.catalog[i] for i in self._user.liked],
        )
        rows = [item_store.rows[i.item_id] for i in walked.kept]
        chosen = diversify(
            self._scores[rows], item_store.content[rows], options.k, options.diversity
        )
        found = self._found
        shown = [rows[n] for n in chosen]
        parts = self._ranker.contributions(self._features, self._weights, shown)
        self._used |= parts.any(axis=0)
        return RecommendationList(
            items=tuple(
                self._line(rank, row, mine)
                for rank, (row, mine) in enumerate(zip(shown, parts, strict=True), start=1)
            ),
            k=options.k,
            strategy=options.strategy,
            dropped=walked.dropped,
            dropped_counts=walked.counts,
            notes=tuple(self._notes(len(chosen))),
            generated=len(found.groundings),
            abstained=sum(g.abstained for g in found.groundings),
            prompt=found.prompt,
        )

    def _may_show(self, item: Item) -> bool:
        return self._options.pool is None or item.item_id in self._options.pool

    def _line(self, rank: int, row: int, mine: Floats) -> Recommendation:
        item, features = self._item_store.items[row], self._features[row]
        excess = dict(zip(FEATURES, (mine - self._ordinary).tolist(), strict=True))
        reach = (self._found.found or {}).get(item.item_id)
        wrote = reach.grounding.candidate if reach else None
        scored = self._found.logprobs is not None
        logprob = wrote.logprob if wrote else None
        if self._found.logprobs is not None:
            logprob = float(self._found.logprobs[row])
        method = reach.grounding.method if reach else "trie" if scored else None
        reason = self._reasons.of(row, excess, wrote.text if wrote else None)
        parts = {FEATURES[n]: float(mine[n]) for n in np.flatnonzero(self._used)}
        moved = [a for a in self._options.adjustments if item.item_id in a.items]
        if moved:
            said = "; ".join(f"{a.why} ({a.amount:+.2f} points)" for a in moved)
            reason = f"{reason} {said[0].upper()}{said[1:]}."
            parts |= {a.name: a.amount for a in moved}
        return Recommendation(
            rank=rank,
            item_id=item.item_id,
            title=item.title,
            year=item.year,
            score=float(self._scores[row]),
            reason=reason,
            provenance=Provenance(
                strategy=self._options.strategy,
                generated_text=wrote.text if wrote else None,
                logprob=logprob,
                matched_by=None if method == "abstained" else method,
                similarity=reach.similarity if reach else None,
                features={FEATURES[n]: float(features[n]) for n in np.flatnonzero(self._used)},
                contributions=parts,
            ),
        )

    def _notes(self, got: int) -> list[str]:
        notes = [f"not in the catalog, left out: {name!r}" for name in self._user.unknown]
        notes += self._found.notes
        notes += [a.note for a in self._options.adjustments if a.note]
        if got < self._options.k:
            pool = "catalog's items" if self._options.pool is None else "grounded titles' items"
            notes.append(f"only {got} of the {pool} may be shown; {self._options.k} were asked for")
        return notes
