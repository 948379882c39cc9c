"""Titles ranked by their probability under an untuned language model, given a profile."""

from __future__ import annotations

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
    """``log P(title | prompt)`` of every title, exact over the catalog's title trie.

    The prompt is the packaged one for films, or that for other catalogs in the catalog's language.
    The probability is the model's
    own, renormalised over the titles of the catalog at every token at which they differ, so that
    long titles are not punished for what they could not help (Bao et al., "D3", 2024).

    Args:
        catalog: the items.
        model: untuned.
        folder: see ``KeptScores``.
    """

    def __init__(self, catalog: Catalog, model: UntunedModel, folder: Path | None = None) -> None:
        from coldstart.generation.trie.prompt_titles import prompt_titles
        from coldstart.generation.trie.trie import TitleTrie

        self._lm = model.lm
        self._titles = prompt_titles(catalog)
        self._template = prompts.load(_prompt(catalog))
        lines = model.lm.lines.titles(self._titles[i] for i in catalog.ids)
        trie = TitleTrie(zip(catalog.ids, lines, strict=True))
        self._plan = trie.plan()
        place = {item: n for n, item in enumerate(self._plan.item_ids)}
        self._place = np.array([place[i] for i in catalog.ids], dtype=np.int64)
        self._kept = KeptScores(
            folder, "titles", model.fingerprint, catalog.fingerprint(), self._template.sha256
        )

    def logprobs(self, profile: UserProfile) -> Floats:
        """Log-probability of every item in catalog order, shape (N,), nats.

        Picks that the catalog lacks are left out of the prompt.
        """
        prompt = self._template.render(
            profile.model_copy(update={"liked": self._known(profile)}),
            title_of=self._titles.__getitem__,
            budget=prompt_budget(self._lm.max_tokens),
            count_tokens=self._lm.lines.count,
        )
        return self._kept.of((prompt.text,), lambda: self._read(prompt.text))

    def lift(self, profile: UserProfile) -> Floats:
        """``logprobs`` less those after the prompt of an empty profile, shape (N,), nats."""
        return self.logprobs(profile) - self.logprobs(UserProfile())

    def _known(self, profile: UserProfile) -> tuple[object, ...]:
        return tuple(pick for pick in profile.liked if pick.item in self._titles)

    def _read(self, prompt: str) -> Floats:
        from coldstart.generation.decoding.exact import exact_logprobs

        mass = np.ones(len(self._place))
        found = exact_logprobs(self._lm, prompt, self._plan, mass, 1.0, prior=False, most=_PASS)
        return np.asarray(found[self._place])


def _prompt(catalog: Catalog) -> str:
    survey = CatalogSurvey.of(catalog)
    films = survey.language != "zh" and has_genres(catalog)
    return prompts.DEFAULT if films else survey.prompt
