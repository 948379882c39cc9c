"""A language model reads a request: constrained decoding of what is wanted, avoided, and for whom.

The prompt is the request. Each question is a cue line after it, its answers are the lines of a
trie, and the probability of every answer is exact, as for titles: the softmax over the children at
each decision. All questions of a request share one forward pass, as branches of one tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from coldstart.catalog.titles import clean_text
from coldstart.generation.models.line_tokenizer import LineTokenizer
from coldstart.generation.trie.plan import TriePlan
from coldstart.generation.trie.trie import TitleTrie

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = "anything"
"""Answer where a request states nothing; among what is avoided, nothing is."""
AUDIENCES: Mapping[str, int | None] = {
    "small children": 5,
    "children": 10,
    "teenagers": 14,
    "anyone": None,
}
"""Answers on the audience, with the age in years that stands for each."""
MOST_TOKENS = 96
"""Length to which a request is cut, in tokens; its last ones are kept."""
_CUES = {"wanted": "Wants:\n", "avoided": "Avoids:\n", "audience": "For:\n"}


@dataclass(frozen=True)
class ReadRequest:
    """Answers of the model, each with its probability; those of one question sum to 1.

    Args:
        wanted: by category, or ``NOTHING``.
        avoided: likewise.
        audience: by answer of ``AUDIENCES``.
    """

    wanted: Mapping[str, float]
    avoided: Mapping[str, float]
    audience: Mapping[str, float]


@dataclass(frozen=True)
class QuestionTree:
    """The tree of all questions after a prompt.

    Args:
        tokens: of cues and answers, shape (T,).
        parents: index of the token each one follows, −1 for the prompt's end, shape (T,).
        plans: decisions of each question's answers, by question.
        places: index of the state at which each edge is decided, by question, shape (E,) each.
    """

    tokens: Ints
    parents: Ints
    plans: Mapping[str, TriePlan]
    places: Mapping[str, Ints]


def question_tree(lines: LineTokenizer, categories: Sequence[str]) -> QuestionTree:
    """The questions about one catalog.

    Args:
        lines: of the model.
        categories: of the catalog, each once.
    """
    kinds = TitleTrie({c: lines.title(c) for c in (*categories, NOTHING)}).plan()
    audiences = TitleTrie({a: lines.title(a) for a in AUDIENCES}).plan()
    plans = {name: audiences if name == "audience" else kinds for name in _CUES}
    tokens: list[int] = []
    parents: list[int] = []
    places: dict[str, Ints] = {}
    for name, cue in _CUES.items():
        for n, token in enumerate(lines.line(cue)):
            parents.append(len(tokens) - 1 if n else -1)
            tokens.append(token)
        plan, end = plans[name], len(tokens) - 1
        start = len(tokens)
        tokens.extend(plan.tree_token.tolist())
        parents.extend(np.where(plan.tree_parent < 0, end, plan.tree_parent + start).tolist())
        places[name] = np.where(plan.edge_position < 0, end, plan.edge_position + start)
    return QuestionTree(np.array(tokens), np.array(parents), plans, places)


def reading_prompt(lines: LineTokenizer, text: str) -> list[int]:
    """Tokens of the prompt; a long request is cut to its last ``MOST_TOKENS`` tokens."""
    cue = lines.encode("Request:\n")
    return [*cue, *lines.once(clean_text(text)[-2000:] + "\n")[-MOST_TOKENS:]]


class LanguageModelReader:
    """Reads requests with a language model that was taught to (``training.reading``).

    Args:
        lm: the model.
        categories: of the catalog, each once.
    """

    def __init__(self, lm: CausalLM, categories: Sequence[str]) -> None:
        self._lm = lm
        self._tree = question_tree(lm.lines, categories)

    def read(self, texts: Sequence[str]) -> list[ReadRequest]:
        """Probability of every answer to every question, all texts in one forward pass."""
        tree = self._tree
        prompts = [reading_prompt(self._lm.lines, text) for text in texts]
        with torch.inference_mode():
            states = self._lm.read_trees([(p, tree.tokens, tree.parents) for p in prompts])
        return [self._answers(own) for own in states]

    def _answers(self, states: torch.Tensor) -> ReadRequest:
        found = {}
        for name, plan in self._tree.plans.items():
            with torch.inference_mode():
                vocabulary = torch.from_numpy(plan.vocabulary).to(self._lm.device)
                places, row = np.unique(self._tree.places[name], return_inverse=True)
                raw = self._lm.hidden_to_logits(states[torch.from_numpy(places)], vocabulary)
            logits = raw.cpu().numpy().astype(np.float64)[row, plan.edge_column]
            logprobs = plan.item_logprobs(logits, np.ones(len(plan.item_ids)))
            found[name] = dict(zip(plan.item_ids, np.exp(logprobs).tolist(), strict=True))
        return ReadRequest(**found)
