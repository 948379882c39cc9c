"""PromptRec-style ranking: a cloze about profile and item, read by an untuned language model.

X. Wu, H. Zhou, Y. Shi et al., "Could Small Language Models Serve as Recommenders? Towards
Data-centric Cold-start Recommendation", WWW 2024: user and item are put into words, the model fills
in what the user thinks of the item, and a verbalizer compares the probabilities of positive and
negative words. Theirs fill in a mask, a causal model continues the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import clean_text
from coldstart.errors import ModelError
from coldstart.evaluation.zero_shot.model import KeptScores, UntunedModel
from coldstart.schema import Item, UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

VERBALIZER = (
    (" good", " great", " interesting", " perfect"),
    (" bad", " terrible", " boring", " wrong"),
)
"""Positive and negative words, each one token of the packaged model."""
_CLOZE = "This person thinks that it is"
_ITEM_TOKENS = 40
_ABOUT_TOKENS = 160  # of a profile, the last ones
_PASS = 512  # tokens of items in one forward pass


class ClozeRanker:
    """``log P(positive word) − log P(negative word)`` after profile, item and cloze.

    Args:
        catalog: the items.
        model: untuned.
        folder: see ``KeptScores``.
        words: positive and negative ones, compared by their first tokens; ``None``: those of
            ``VERBALIZER``.

    Raises:
        ModelError: a positive and a negative word begin with the same token.
    """

    def __init__(
        self,
        catalog: Catalog,
        model: UntunedModel,
        folder: Path | None = None,
        words: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
    ) -> None:
        self._catalog, self._lm = catalog, model.lm
        lines, words = model.lm.lines, words or VERBALIZER
        self._cloze = lines.line(_CLOZE)
        self._good, self._bad = ([*{lines.line(w)[0]: None for w in side}] for side in words)
        if both := set(self._good) & set(self._bad):
            token = lines.decode([min(both)])
            raise ModelError(
                f"positive and negative words begin with the same token {token!r}",
                hint="give words=… that the model's tokenizer tells apart by their first tokens",
            )
        self._words = torch.tensor([*self._good, *self._bad], device=model.lm.device)
        shown = "/".join((_CLOZE, *words[0], "", *words[1]))
        self._kept = KeptScores(
            folder, "cloze", model.fingerprint, catalog.fingerprint(), shown, str(_ITEM_TOKENS)
        )

    def scores(self, profile: UserProfile, rows: Sequence[int]) -> Floats:
        """Score of some items, shape (len(rows),), nats.

        Args:
            profile: of the user.
            rows: of the items in the catalog.
        """
        told = self.told(profile)
        key = (told, ",".join(map(str, rows)))
        return self._kept.of(key, lambda: self._read(told, rows))

    def told(self, profile: UserProfile) -> str:
        """The profile in words, ending with a newline."""
        liked = [pick.item for pick in profile.liked if pick.item in self._catalog]
        parts = {
            "Person": ", ".join(profile.demographics().values()),
            "Liked": "; ".join(clean_text(self._catalog[item].title) for item in liked),
            "Says": clean_text(profile.free_text()),
        }
        lines = (f"{name}: {text}\n" for name, text in parts.items() if text)
        return "".join(lines) or "A person\n"

    def _read(self, told: str, rows: Sequence[int]) -> Floats:
        lines = self._lm.lines
        prompt = [*lines.start, *lines.encode(told)[len(lines.start) :][-_ABOUT_TOKENS:]]
        branches = [self._branch(self._catalog.items[row]) for row in rows]
        found = np.empty(len(rows))
        at = 0
        while at < len(rows):
            end, size = at, 0
            while end < len(rows) and (end == at or size + len(branches[end]) <= _PASS):
                size += len(branches[end])
                end += 1
            found[at:end] = self._filled(prompt, branches[at:end])
            at = end
        return found

    def _branch(self, item: Item) -> list[int]:
        """Tokens of an item and the cloze."""
        parts = (item.title, ", ".join(item.categories), item.description)
        text = clean_text(". ".join(part for part in parts if part))
        own = self._lm.lines.line(f"Item: {text}")[:_ITEM_TOKENS]
        return [*own, *self._lm.lines.end, *self._cloze]

    def _filled(self, prompt: list[int], branches: Sequence[Sequence[int]]) -> Floats:
        """Log odds of the verbalizer's words at the end of every branch."""
        tokens = np.array([token for branch in branches for token in branch], dtype=np.int64)
        lengths = np.array([len(branch) for branch in branches])
        ends = np.cumsum(lengths) - 1
        parents = np.arange(-1, len(tokens) - 1)
        parents[ends - lengths + 1] = -1
        with torch.inference_mode():
            states = self._lm.read_tree(prompt, tokens, parents)
            logits = self._lm.hidden_to_logits(states[torch.from_numpy(ends)], self._words)
            good, bad = logits[:, : len(self._good)], logits[:, len(self._good) :]
            odds = torch.logsumexp(good, dim=1) - torch.logsumexp(bad, dim=1)
        return np.asarray(odds.cpu().numpy(), dtype=np.float64)
