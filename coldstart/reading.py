"""The language model at work on one catalog: prompts, scores of every title, free writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.features import ResolvedProfile
from coldstart.knowledge import ItemKnowledge
from coldstart.prompts import PromptTemplate, Rendered
from coldstart.schema import Candidate
from coldstart.settings import PRIOR_COUNT, Settings, prompt_budget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.causal import CausalLM
    from coldstart.generation.decoding import DecodingConfig
    from coldstart.generation.trie import TitleTrie

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Reader:
    """Shows the language model a user and keeps what it says in catalog row order.

    Args:
        lm: the language model.
        template: turns a profile into a prompt.
        knowledge: follows the catalog; has to be synced before each use.
        settings: how the model is used.
    """

    def __init__(
        self, lm: CausalLM, template: PromptTemplate, knowledge: ItemKnowledge, settings: Settings
    ) -> None:
        from coldstart.generation.trie import TitleTrie

        self.lm, self._template = lm, template
        self._knowledge, self._settings = knowledge, settings
        self._trie = TitleTrie()
        self._version = -1
        self._surface: dict[str, str] = {}

    def prompt(self, user: ResolvedProfile) -> Rendered:
        """The prompt of a resolved profile, within the token budget."""
        self._sync()
        return self._template.render(
            user.profile,
            user.context,
            title_of=self._surface.__getitem__,
            budget=prompt_budget(self.lm.max_tokens, self._settings.prompt_tokens),
            count_tokens=self.lm.lines.count,
        )

    def mass(self) -> Floats:
        """Prior mass of every item: likes, plus a little for everyone, shape (N,)."""
        return self._knowledge.likes + PRIOR_COUNT

    def logprobs(self, prompt: str, rows: Ints | None = None) -> Floats:
        """Log-probability of every item, shape (N,): exact where the trie is small enough.

        Args:
            prompt: as rendered.
            rows: the items that matter; the model is asked what it takes to tell theirs exactly,
                and the prior decides about the others. ``None``: all matter.
        """
        from coldstart.generation.beam import beam_logprobs
        from coldstart.generation.scoring import exact_logprobs

        trie, settings = self._sync(), self._settings
        order = np.array([self._knowledge.rows[i] for i in trie.item_ids])
        mass, prior = self.mass()[order], settings.use_prior
        tau = settings.tau if prior else 1.0
        out = np.empty(len(order))
        plan = trie.plan() if len(trie) <= settings.exact_items else None
        if plan is not None and rows is not None:
            wanted = np.zeros(len(order), dtype=np.bool_)
            wanted[rows] = True
            plan = plan.towards(wanted[order])
        if plan is not None and len(plan.tree_token) <= settings.exact_tokens:
            out[order] = exact_logprobs(self.lm, prompt, plan, mass, tau, prior=prior)
        else:
            width = settings.beam_width
            found = beam_logprobs(self.lm, prompt, trie, mass, tau, width, prior=prior)
            out[order] = found.logprobs
        return out

    def candidates(self, prompt: str, n: int) -> list[Candidate]:
        """The ``n`` likeliest titles of the catalog, best first; namesakes share one."""
        logprobs, ids = self.logprobs(prompt), self._knowledge.ids
        rows: dict[str, list[int]] = {}
        for row, item_id in enumerate(ids):
            rows.setdefault(self._surface[item_id], []).append(row)
        total = {t: float(np.logaddexp.reduce(logprobs[own])) for t, own in rows.items()}
        best = sorted(total, key=lambda t: (-total[t], t))[:n]
        return [
            Candidate(
                text=title,
                logprob=min(0.0, total[title]),
                strategy="catalog",
                item_ids=tuple(ids[r] for r in rows[title]),
            )
            for title in best
        ]

    def write(
        self, prompt: str, n: int, decoding: DecodingConfig | None = None, seed: int = 0
    ) -> Sequence[Candidate]:
        """Up to ``n`` titles as the model writes them, best first, of the catalog or not."""
        from coldstart.generation.decoding import DecodingConfig, write_titles

        config = replace(decoding or DecodingConfig(), n=n)
        return write_titles(self.lm, prompt, config, seed)[:n]

    def _sync(self) -> TitleTrie:
        from coldstart.generation.surface import surface_titles

        catalog = self._knowledge.catalog
        if self._version != catalog.version:
            _, removed = catalog.changes_since(max(0, self._version))
            self._surface = surface_titles(catalog)
            self._trie.remove(removed)
            lines = self.lm.lines
            self._trie.set((item, lines.title(text)) for item, text in self._surface.items())
            self._version = catalog.version
        return self._trie
