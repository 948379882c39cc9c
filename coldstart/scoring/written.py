"""Closeness to titles that the language model writes (strategies ``free`` and ``both``)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.scoring.lm_signals import LMSignals, reached
from coldstart.scoring.resources import UsesResources
from coldstart.scoring.scorer import BaseScorer, Scope, Scores
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.schema import Candidate, Grounding
    from coldstart.scoring.scorer import Floats, ScoreRequest


class WrittenTitlesScorer(UsesResources, BaseScorer):
    """Titles are written freely and grounded; what they mean joins the candidate set."""

    name = "written_titles"
    scope: Scope = "catalog"
    strategies = frozenset({"free", "both"})
    signals = (
        Signal(
            "written",
            "Closeness to the titles that the model wrote for the request.",
            "probability",
            low=0.0,
            high=1.0,
            weight=(1.0, 0.0),
            in_trees=False,
            group="model",
            reason="written",
        ),
    )

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Write for each request, several on threads where the generator allows it.

        Raises:
            ConfigError: there is no language model.
        """
        begun = [self._begin(request) for request in batch]
        if len(batch) <= 1:
            written = [self._write(*each) for each in zip(batch, begun, strict=True)]
        else:
            with ThreadPoolExecutor(len(batch)) as pool:
                written = list(pool.map(self._write, batch, begun))
        return [self._ground(one, titles) for one, titles in zip(begun, written, strict=True)]

    @property
    def concurrency(self) -> int | None:
        """Requests that the generator works on at a time."""
        try:
            return self.resources.model.generator.concurrency
        except ConfigError:  # without a model; ``score`` says so
            return 1

    def _begin(self, request: ScoreRequest) -> LMSignals | Exception:
        model = self.resources.model
        try:
            prompt = model.prompt(request.user)
        except Exception as e:
            return e
        return LMSignals(prompt=prompt.text, notes=prompt.notes)

    def _write(
        self, request: ScoreRequest, begun: LMSignals | Exception
    ) -> Sequence[Candidate] | Exception:
        if isinstance(begun, Exception):
            return begun
        model = self.resources.model
        n, decoding = model.settings.written_titles, request.decoding
        try:
            return model.write(begun.prompt or "", n, decoding, request.seed, request.shortlist)
        except Exception as e:
            return e

    def _ground(
        self, begun: LMSignals | Exception, titles: Sequence[Candidate] | Exception
    ) -> Scores | Exception:
        if isinstance(begun, Exception):
            return begun
        if isinstance(titles, Exception):
            return titles
        try:
            found = self.resources.grounder.ground(titles)
        except Exception as e:
            return e
        return written_scores(begun, self.resources.items, found)


def written_scores(lm: LMSignals, items: ItemStore, groundings: Sequence[Grounding]) -> Scores:
    """Scores of grounded titles, added to what is known of the language model's part."""
    return Scores.of_model(
        replace(
            lm,
            written=closeness(items, groundings),
            found=reached(groundings),
            groundings=tuple(groundings),
        )
    )


def closeness(items: ItemStore, groundings: Sequence[Grounding]) -> Floats:
    """Closeness of every item to the written titles, shape (N,), in [0, 1].

    ``1 − Π_c (1 − w_c · s_ci)``: the chance that at least one title meant the item, with s the
    grounding similarity and ``w_c = 0.9 · √(p_c / p_best)`` from the titles' probabilities.
    """
    out = np.zeros(len(items.ids))
    if not groundings:
        return out
    best = max(g.candidate.logprob for g in groundings)
    missed = np.ones(len(items.ids))
    for g in groundings:
        weight = 0.9 * np.exp(0.5 * (g.candidate.logprob - best))
        for match in g.matches:
            if match.item_id in items.rows:
                similarity = min(1.0, max(0.0, match.similarity))
                missed[items.rows[match.item_id]] *= 1 - weight * similarity
    return np.asarray(1 - missed)
