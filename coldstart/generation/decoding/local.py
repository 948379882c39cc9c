"""Text generator with the local model, and validation of constrained choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.schema import Candidate, DecodingConfig

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM
    from coldstart.protocols import PromptTokenizer

MOST_CHOICES = 200
"""Most titles of one constrained generation: servers compile a grammar per new list."""


def checked_choices(choices: Sequence[str]) -> list[str]:
    """Return the distinct choices, in order.

    Raises:
        ConfigError: no choices, too many, or one that is not a line of text.
    """
    distinct = list(dict.fromkeys(choices))
    if not 0 < len(distinct) <= MOST_CHOICES:
        raise ConfigError(
            f"{len(distinct)} choices, expected 1 to {MOST_CHOICES}",
            hint="send the titles of a shortlist, not of a catalog",
        )
    for text in distinct:
        if not text.strip() or len(text.splitlines()) != 1:
            raise ConfigError(f"choice {text!r:.80}", hint="a choice is one line of text")
    return distinct


class LocalGenerator:
    """``TextGenerator`` with the language model of this process.

    With ``choices``, the likeliest of them are returned, whatever the decoding mode.

    Args:
        lm: the model.
    """

    concurrency = 1

    def __init__(self, lm: CausalLM) -> None:
        self._lm = lm

    def write(
        self,
        prompt: str,
        lines: PromptTokenizer,
        config: DecodingConfig,
        seed: int = 0,
        choices: Sequence[str] | None = None,
    ) -> Sequence[Candidate]:
        """See ``TextGenerator.write``; raises ``ModelError`` and ``ConfigError``."""
        from coldstart.generation.decoding.free import write_titles

        if choices is None:
            return write_titles(self._lm, prompt, config, seed)
        return self._likeliest(prompt, checked_choices(choices))[: config.n]

    def _likeliest(self, prompt: str, titles: list[str]) -> list[Candidate]:
        from coldstart.generation.decoding.exact import exact_logprobs
        from coldstart.generation.trie.trie import TitleTrie

        trie = TitleTrie(zip(titles, self._lm.lines.titles(titles), strict=True))
        mass = np.ones(len(titles))
        found = exact_logprobs(self._lm, prompt, trie.plan(), mass, 1.0, prior=False, most=1024)
        total = dict(zip(trie.item_ids, found.tolist(), strict=True))
        return [
            Candidate(text=title, logprob=min(0.0, total[title]), strategy="free")
            for title in sorted(total, key=lambda title: (-total[title], title))
        ]
