"""Beam search over the catalog's trie, for catalogs too large to score exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from coldstart.errors import ConfigError
from coldstart.generation.trie import TitleTrie

if TYPE_CHECKING:
    from coldstart.generation.causal import CausalLM, TreeReader

Floats = NDArray[np.float64]


class BeamScores(NamedTuple):
    """A distribution over all items, in the order of ``trie.item_ids``.

    Args:
        logprobs: log-probability of each item, shape (N,); they sum to 1 in probability.
        reached: items whose log-probability is exact, shape (N,). Below a branch that fell off
            the beam the model was not asked: the branch's probability is split by the prior.
    """

    logprobs: Floats
    reached: NDArray[np.bool_]


class _Node(NamedTuple):
    """Items lo…hi, whose titles share ``depth`` tokens; ``token`` is the last of them."""

    logprob: float
    lo: int
    hi: int
    depth: int = 0
    token: int | None = None
    parent: int = -1  # tree position of the token before


def beam_logprobs(
    lm: CausalLM,
    prompt: str,
    trie: TitleTrie,
    mass: Floats,
    tau: float,
    width: int = 32,
    *,
    prior: bool = True,
) -> BeamScores:
    """Log-probabilities by the rule of ``scoring.exact_logprobs``, asking only likely branches.

    At every level of decisions the ``width`` likeliest branches are followed. Titles come for
    free: one that nothing is left to decide about takes no room on the beam. With a width of the
    number of titles the result is exact.

    Args:
        lm: the model.
        prompt: rendered prompt, ending with a newline.
        trie: the catalog.
        mass: the prior, > 0, shape (N,) in the order of ``trie.item_ids``.
        tau: weight of the model's logits.
        width: branches followed at each level.
        prior: leave the prior out of followed decisions if false.

    Raises:
        ConfigError: ``width`` is less than 1.
    """
    if width < 1:
        raise ConfigError(f"beam width is {width}", hint="at least 1; 32 is a good start")
    if not len(trie):
        return BeamScores(np.zeros(0), np.zeros(0, dtype=np.bool_))
    below = np.concatenate([[0.0], np.cumsum(mass)])
    search = _Search(lm.read(lm.lines.encode(prompt)), lm, trie)
    leaves: list[tuple[int, int, float, bool]] = []
    nodes = [_Node(0.0, 0, len(trie))]
    while nodes:
        undecided = []
        for node in nodes:
            if trie.is_title(node.lo, node.hi):
                leaves.append((node.lo, node.hi, node.logprob, True))
            else:
                undecided.append(node)
        undecided.sort(key=lambda node: (-node.logprob, node.lo))
        leaves.extend((node.lo, node.hi, node.logprob, False) for node in undecided[width:])
        nodes = search.expand(undecided[:width], tau, below if prior else None)
    # The leaves split the items into adjacent ranges; within each, the prior decides.
    lo, hi, logprob, reached = (np.array(column) for column in zip(*sorted(leaves), strict=True))
    share = logprob - np.log(below[hi] - below[lo])
    size = hi - lo
    return BeamScores(np.log(mass) + np.repeat(share, size), np.repeat(reached, size))


class _Search:
    """The tokens read so far, and how to read on."""

    def __init__(self, reader: TreeReader, lm: CausalLM, trie: TitleTrie) -> None:
        self._reader, self._lm, self._trie = reader, lm, trie
        self._read = 0

    def expand(self, nodes: Sequence[_Node], tau: float, below: Floats | None) -> list[_Node]:
        """Children of the next decision of each node, all from one forward pass."""
        if not nodes:
            return []
        tokens: list[int] = []
        parents: list[int] = []
        rows: list[int] = []  # of each decision's context among the new states; -1: prompt's end
        decisions = []
        for node in nodes:
            ghosts, branches = self._trie.next_decision(node.lo, node.hi, node.depth)
            path = ghosts if node.token is None else (node.token, *ghosts)
            at = self._read + len(tokens)
            parents += [node.parent, *range(at, at + len(path) - 1)][: len(path)]
            tokens += path
            rows.append(len(tokens) - 1 if path else -1)
            decisions.append((node.depth + len(ghosts), np.array(branches)))
        vocabulary = np.unique(np.concatenate([children[:, 0] for _, children in decisions]))
        with torch.inference_mode():
            states = torch.cat([self._reader.extend(tokens, parents), self._reader.end])[rows]
            wanted = torch.from_numpy(vocabulary).to(self._lm.device)
            raw = self._lm.hidden_to_logits(states, wanted).cpu().numpy().astype(np.float64)
        found = []
        for node, row, (depth, children), scores in zip(nodes, rows, decisions, raw, strict=True):
            token, lo, hi = children.T
            logits = tau * scores[np.searchsorted(vocabulary, token)]
            if below is not None:
                logits = logits + np.log(below[hi] - below[lo])
            logprobs = node.logprob + logits - np.logaddexp.reduce(logits)
            position = -1 if row < 0 else self._read + row
            for logprob, (t, a, b) in zip(logprobs.tolist(), children.tolist(), strict=True):
                found.append(_Node(logprob, a, b, depth + 1, t, position))
        self._read += len(tokens)
        return found
