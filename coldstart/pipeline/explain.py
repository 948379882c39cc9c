"""Explanation: provenance, reasons and notes of a ranked list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.pipeline.notes import text_notes
from coldstart.profile.resolve import LEFT_OUT
from coldstart.ranking.explanations import Explainer
from coldstart.ranking.filter_names import unknown_names
from coldstart.ranking.wording.sentences import sentence
from coldstart.schema import Provenance, Reason, Recommendation, RecommendationList
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.pipeline.draft import Draft, Ranked
    from coldstart.pipeline.parts import Parts
    from coldstart.scoring.lm_signals import LMSignals

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


_FEW = 100  # items that are counted one by one, which takes less time than sorting all


class ExplainStage:
    """Turns a ranked draft into the response.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def explain(self, draft: Draft, ranked: Ranked) -> RecommendationList:
        """The list with a reason and the provenance of every item."""
        return _Response(self._parts, draft, ranked).build()

    def lines(
        self, draft: Draft, ranked: Ranked, reasons: Sequence[Reason] | None = None
    ) -> tuple[Recommendation, ...]:
        """The items of a row of the response, likewise.

        Args:
            draft: with features.
            ranked: the items.
            reasons: of each item, in the place of its own.
        """
        return _Response(self._parts, draft, ranked).lines(reasons)


class _Response:
    """One response in the making."""

    def __init__(self, parts: Parts, draft: Draft, ranked: Ranked) -> None:
        self._draft, self._items, self._user = draft, draft.candidates, draft.request.user
        self._options, self._features, self._ranked = draft.request.options, draft.features, ranked
        whole = draft.candidates is parts.item_store
        self._lm: LMSignals = draft.lm if whole else draft.lm.of_rows(draft.candidates.where)
        ranker, rows = parts.ranker, ranked.rows
        how = self._options.strategy, self._options.words
        self._contributions = ranker.contributions(draft.features, ranked.weights, rows, *how)
        # A statement about an item is worth making if it stands out from the candidates.
        self._ordinary = ranker.ordinary(draft.features, ranked.weights, *how)
        # What the model adds has a zero of its own: the title's popularity.
        model = SIGNALS.index("model")
        self._ordinary[model] = max(self._ordinary[model], 0.0)
        used = (draft.features * ranked.weights).any(axis=0) | self._contributions.any(axis=0)
        self._used = [(n, SIGNALS.names[n]) for n in np.flatnonzero(used).tolist()]
        columns: dict[str, list[int]] = {}
        for n, name in self._used:
            columns.setdefault(SIGNALS[name].group, []).append(n)
        self._groups = {g: self._contributions[:, c].sum(axis=1) for g, c in columns.items()}
        lifts = self._contributions - self._ordinary
        self._lifts = {g: lifts[:, c].sum(axis=1) for g, c in columns.items()}
        slopes = ranker.slopes(draft.features, ranked.weights, *how)
        self._ranks = {
            g: ranks(draft.features[:, c] @ slopes[c], rows)
            for g, c in columns.items()
            if slopes[c].any()
        }
        self._explainer = Explainer(
            self._items,
            self._user,
            parts.scorers,
            quote_text=not draft.unread,
            compare_meaning=not draft.unread or draft.resembled,
        )

    def build(self) -> RecommendationList:
        """Every line, and the notes."""
        walked, lm = self._ranked.walked, self._lm
        return RecommendationList(
            items=self.lines(),
            k=self._options.k,
            strategy=self._options.strategy,
            dropped=walked.dropped,
            dropped_counts=walked.counts,
            notes=tuple(self._notes()),
            generated=len(lm.groundings),
            abstained=sum(g.abstained for g in lm.groundings),
            prompt=lm.prompt,
            understood=self._draft.request.reported or self._user.understood,
            picks=self._user.readings,
        )

    def lines(self, reasons: Sequence[Reason] | None = None) -> tuple[Recommendation, ...]:
        """Every line; with the given reasons, if there are some."""
        given = [None] * len(self._ranked.rows) if reasons is None else list(reasons)
        parts = zip(self._ranked.rows, self._contributions, given, strict=True)
        return tuple(self._line(rank, *of_item) for rank, of_item in enumerate(parts, start=1))

    def _line(self, rank: int, row: int, parts: Floats, reason: Reason | None) -> Recommendation:
        item, features = self._items.items[row], self._features[row]
        reach = (self._lm.found or {}).get(item.item_id)
        wrote = reach.grounding.candidate if reach else None
        reasons: tuple[Reason, ...] = () if reason is None else (reason,)
        if reason is None:
            excess = dict(zip(SIGNALS.names, (parts - self._ordinary).tolist(), strict=True))
            reasons = self._explainer.explain(row, excess, wrote.text if wrote else None)
        contributions = {name: float(parts[n]) for n, name in self._used}
        moved = [a for a in self._options.adjustments if item.item_id in a.items]
        reasons += tuple(a.reason for a in moved)
        contributions |= {a.name: a.amount for a in moved}
        groups = {group: float(sums[rank - 1]) for group, sums in self._groups.items()}
        for a in moved:
            groups[a.group or a.name] = groups.get(a.group or a.name, 0.0) + a.amount
        scored = self._lm.logprobs is not None
        logprob = wrote.logprob if wrote else None
        if self._lm.logprobs is not None:
            logprob = float(self._lm.logprobs[row])
        method = reach.grounding.method if reach else "trie" if scored else None
        return Recommendation(
            rank=rank,
            item_id=item.item_id,
            title=item.title,
            year=item.year,
            score=float(self._ranked.scores[row]),
            reason=sentence(reasons),
            reasons=reasons,
            provenance=Provenance(
                strategy=self._options.strategy,
                generated_text=wrote.text if wrote else None,
                logprob=logprob,
                matched_by=None if method == "abstained" else method,
                similarity=reach.similarity if reach else None,
                features={name: float(features[n]) for n, name in self._used},
                contributions=contributions,
                groups=groups,
                lifts={g: float(v[rank - 1]) for g, v in self._lifts.items()},
                ranks={g: int(v[rank - 1]) for g, v in self._ranks.items() if v[rank - 1]},
                among=len(self._items.ids),
            ),
        )

    def _notes(self) -> list[str]:
        got, options = len(self._ranked.rows), self._options
        notes = [f"{LEFT_OUT}{name!r}" for name in self._user.unknown]
        notes += self._user.notes
        unknown = unknown_names(options.filters, self._items.catalog)
        notes += [f"{what}: {hint}" for what, hint in unknown]
        notes += text_notes(self._draft, self._ranked.rows)
        notes += self._lm.notes
        notes += [a.note for a in options.adjustments if a.note]
        if got < options.k:
            whose = "catalog's items" if options.only is None else "grounded titles' items"
            notes.append(f"only {got} of the {whose} may be shown; {options.k} were asked for")
        return notes


def ranks(values: Floats, rows: Sequence[int]) -> Ints:
    """Rank of some items by a value, from 1, shape (len(rows),); 0 where all have the same.

    Args:
        values: of every candidate, shape (N,).
        rows: of these items.
    """
    rounded = np.round(values, 9)
    if not len(rounded) or rounded.min() == rounded.max():
        return np.zeros(len(rows), dtype=np.int64)
    own = rounded[list(rows)]
    if len(own) <= _FEW:
        return 1 + np.array([np.count_nonzero(rounded > value) for value in own], dtype=np.int64)
    ordered = np.sort(rounded)
    return len(ordered) - np.searchsorted(ordered, own, side="right") + 1
