"""Titles ranked by their probability under an untuned language model, given a profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coldstart import prompts
from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.zero_shot.model import KeptScores, UntunedModel
from coldstart.schema import UserProfile
from coldstart.settings import prompt_budget
from coldstart.starting.survey import CatalogSurvey
from coldstart.understanding.products.vocabulary import has_genres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PASS = (
    512  # trie tokens of one forward pass: attention among more of them costs more than it saves
)


class TitleLikelihood:
    """``log P(title | prompt)`` of titles, exact over the trie of their tokens.

    The prompt is the packaged one for films, or that for other catalogs in the catalog's language.
    The probability is the model's own, renormalised over the titles at every token at which they
    differ, so that long titles are not punished for what they could not help (Bao et al., "D3",
    2024).

    Args:
        catalog: the items.
        model: untuned.
        folder: see ``KeptScores``.
    """

    def __init__(self, catalog: Catalog, model: UntunedModel, folder: Path | None = None) -> None:
        from coldstart.generation.trie.prompt_titles import prompt_titles

        self._ids, self._lm = catalog.ids, model.lm
        self._titles = prompt_titles(catalog)
        self._template = prompts.load(_prompt(catalog))
        self._kept = KeptScores(
            folder, "titles", model.fingerprint, catalog.fingerprint(), self._template.sha256
        )

    def logprobs(self, profile: UserProfile, rows: Sequence[int] | None = None) -> Floats:
        """Log-probability of items among each other, shape (len(rows),), nats.

        Picks that the catalog lacks are left out of the prompt.

        Args:
            profile: of the user.
            rows: of the items in the catalog; ``None``: all.
        """
        prompt = self._template.render(
            profile.model_copy(update={"liked": self._known(profile)}),
            title_of=self._titles.__getitem__,
            budget=prompt_budget(self._lm.max_tokens),
            count_tokens=self._lm.lines.count,
        )
        among = "all" if rows is None else ",".join(map(str, rows))
        return self._kept.of((prompt.text, among), lambda: self._read(prompt.text, rows))

    def lift(self, profile: UserProfile, rows: Sequence[int] | None = None) -> Floats:
        """``logprobs`` less those after the prompt of an empty profile, shape (len(rows),)."""
        return self.logprobs(profile, rows) - self.logprobs(UserProfile(), rows)

    def _known(self, profile: UserProfile) -> tuple[object, ...]:
        return tuple(pick for pick in profile.liked if pick.item in self._titles)

    def _read(self, prompt: str, rows: Sequence[int] | None) -> Floats:
        from coldstart.generation.decoding.exact import exact_logprobs
        from coldstart.generation.trie.trie import TitleTrie

        ids = self._ids if rows is None else [self._ids[row] for row in rows]
        lines = self._lm.lines.titles(self._titles[i] for i in ids)
        plan = TitleTrie(zip(ids, lines, strict=True)).plan()
        found = exact_logprobs(
            self._lm, prompt, plan, np.ones(len(ids)), 1.0, prior=False, most=_PASS
        )
        value = dict(zip(plan.item_ids, found.tolist(), strict=True))
        return np.array([value[i] for i in ids])


def _prompt(catalog: Catalog) -> str:
    survey = CatalogSurvey.of(catalog)
    films = survey.language != "zh" and has_genres(catalog)
    return prompts.DEFAULT if films else survey.prompt
