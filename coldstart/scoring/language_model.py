"""The language model's scores of catalog titles (strategies ``catalog`` and ``both``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.lm_signals import LMSignals
from coldstart.scoring.resources import UsesResources
from coldstart.scoring.scorer import BaseScorer, Scope, Scores
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.prompts import Rendered
    from coldstart.scoring.catalog_model import CatalogLanguageModel
    from coldstart.scoring.scorer import Floats, Ints, ScoreRequest


class LanguageModelScorer(UsesResources, BaseScorer):
    """Log-probability lift of every shortlisted title, all prompts of a batch in one pass."""

    name = "language_model"
    scope: Scope = "shortlist"
    strategies = frozenset({"catalog", "both"})
    signals = (
        Signal(
            "model",
            "Log-probability of the title given the request less its log prior.",
            "nats",
            weight=(0.5, 0.0),
            in_trees=False,
            reads="model",
            group="model",
            reason="model",
        ),
    )

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Score the shortlist of each request; other rows follow from the decisions read.

        Raises:
            ConfigError: there is no language model.
            ModelError: a prompt is longer than the model takes.
        """
        model, items = self.resources.model, self.resources.items
        prompts = [model.prompt(request.user) for request in batch]
        rows = [request.shortlist for request in batch]
        asked = [(p.text, r) for p, r in zip(prompts, rows, strict=True)]
        if model.settings.over_unconditional:
            return self._over_unconditional(model, prompts, asked)
        found = model.logprobs_of(asked)
        prior = model.log_prior()
        return [
            Scores.of_model(
                LMSignals(
                    logprobs=logprobs,
                    model=model_lift(items, logprobs, prior),
                    prompt=prompt.text,
                    notes=prompt.notes,
                )
            )
            for prompt, logprobs in zip(prompts, found, strict=True)
        ]

    def _over_unconditional(
        self,
        model: CatalogLanguageModel,
        prompts: Sequence[Rendered],
        asked: Sequence[tuple[str, Ints | None]],
    ) -> list[Scores]:
        """Lift of every title over its probability after a prompt without a request.

        Both prompts are read with the same trie. Titles off the shortlist, of which neither says
        more than the decisions that were read, get the smallest lift on it.
        """
        nothing, shortlists = model.unconditional_prompt(), [r for _, r in asked if r is not None]
        found = model.logprobs_of([*asked, *((nothing, rows) for rows in shortlists)])
        usual = iter(found[len(asked) :])
        out = []
        for n, (prompt, (_, rows)) in enumerate(zip(prompts, asked, strict=True)):
            whole = rows is None
            lift = np.asarray(found[n] - (model.unconditional_logprobs() if whole else next(usual)))
            if rows is not None and len(rows):
                shortlisted = lift[rows]
                lift = np.full(len(lift), shortlisted.min())
                lift[rows] = shortlisted
            signals = LMSignals(
                logprobs=found[n], model=lift, prompt=prompt.text, notes=prompt.notes
            )
            out.append(Scores.of_model(signals))
        return out


def model_lift(items: ItemStore, logprobs: Floats, prior: Floats) -> Floats:
    """Log-probability lift over the log prior, shape (N,), nats.

    Cold items: at least the 90 % quantile of the lift of their 20 warm neighbours, and never below
    zero: a low probability of a title outside training is no evidence about the user.
    """
    lift = np.asarray(logprobs - prior)
    if items.met.all():
        return lift
    counted = items.rows_of_columns
    of_counted = np.where(counted >= 0, lift[counted], 0.0)
    hoped = np.maximum(items.optimistic(of_counted), 0.0)
    return np.where(items.met, lift, np.maximum(lift, hoped))
