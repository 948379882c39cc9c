"""Trie-constrained beam search, for catalogs too large for exact scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from coldstart.errors import ConfigError
from coldstart.generation.trie.trie import Mass, TitleTrie

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM, TreeReader

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class BeamScores(NamedTuple):
    """Distribution over all items, in the order of ``trie.item_ids``.

    Args:
        logprobs: log-probability of each item, shape (N,); the probabilities sum to 1.
        reached: whether an item's log-probability is exact, shape (N,). The probability of a
            pruned branch is divided among its items by the prior.
    """

    logprobs: Floats
    reached: NDArray[np.bool_]


class _Nodes(NamedTuple):
    """Trie nodes: ranges of items with ``depth`` title tokens in common, shapes (M,).

    Args:
        logprob: of each node.
        lo, hi: its items, half-open.
        depth: number of shared title tokens.
        parent: tree position of the token before the last of these; -1 for the prompt's end.
    """

    logprob: Floats
    lo: Ints
    hi: Ints
    depth: Ints
    parent: Ints

    def take(self, which: NDArray[Any]) -> _Nodes:
        """Select nodes by mask or index."""
        return _Nodes(*(column[which] for column in self))


def beam_logprobs(
    lm: CausalLM,
    prompt: str,
    trie: TitleTrie,
    mass: Floats | Mass,
    tau: float,
    width: int = 32,
    *,
    prior: bool = True,
) -> BeamScores:
    """Log-probabilities by the rule of ``exact.exact_logprobs``, along the likeliest branches only.

    At every level of decisions the ``width`` likeliest branches are expanded. Complete titles,
    without further decisions, take no room on the beam. With ``width`` ≥ number of titles the
    result is exact.

    Args:
        lm: the model.
        prompt: rendered prompt, ending with a newline.
        trie: the catalog.
        mass: the prior, > 0, shape (N,) in the order of ``trie.item_ids``.
        tau: weight of the model's logits.
        width: branches expanded per level, at least 1.
        prior: if false, expanded decisions are without the prior.

    Raises:
        ConfigError: ``width`` is less than 1.
    """
    if width < 1:
        raise ConfigError(f"beam width is {width}", hint="at least 1; 32 is a good start")
    if not len(trie):
        return BeamScores(np.zeros(0), np.zeros(0, dtype=np.bool_))
    mass = Mass.of(mass)
    search = _Search(lm.read(lm.lines.encode(prompt)), lm, trie)
    zero = np.zeros(1, dtype=np.int64)
    nodes = _Nodes(np.zeros(1), zero, zero + len(trie), zero, zero - 1)
    leaves: list[tuple[_Nodes, bool]] = []
    while len(nodes.lo):
        decided = trie.is_title(nodes.lo, nodes.hi)
        leaves.append((nodes.take(decided), True))
        open_ = nodes.take(~decided)
        best = np.lexsort((open_.lo, -open_.logprob))
        leaves.append((open_.take(best[width:]), False))
        nodes = search.expand(open_.take(best[:width]), tau, mass if prior else None)
    # The leaves split the items into adjacent ranges; within each, the prior decides.
    lo, hi, logprob = (
        np.concatenate([getattr(part, name) for part, _ in leaves])
        for name in ("lo", "hi", "logprob")
    )
    asked = np.concatenate([np.full(len(part.lo), whole) for part, whole in leaves])
    order = np.argsort(lo)
    share = (logprob - np.log(mass.between(lo, hi)))[order]
    size = (hi - lo)[order]
    return BeamScores(np.log(mass.values) + np.repeat(share, size), np.repeat(asked[order], size))


class _Search:
    """State of one search: the tree tokens read so far."""

    def __init__(self, reader: TreeReader, lm: CausalLM, trie: TitleTrie) -> None:
        self._reader, self._lm, self._trie = reader, lm, trie
        self._read = 0

    def expand(self, nodes: _Nodes, tau: float, mass: Mass | None) -> _Nodes:
        """Expand each node's next decision, all in one forward pass."""
        if not len(nodes.lo):
            return nodes
        plan, titles = self._trie.towards(nodes.lo), self._trie.titles(nodes.lo)
        # The next decision of a node is the one over exactly its items.
        spans = zip(plan.span_lo.tolist(), plan.span_hi.tolist(), strict=True)
        decision_of = {span: n for n, span in enumerate(spans)}
        ends = np.append(plan.starts, len(plan.edge_token))[1:]
        depth_at = np.append(plan.tree_depth, -1) + 1
        tokens: list[int] = []
        parents: list[int] = []
        rows: list[int] = []  # of each decision's context among the new states; -1: prompt's end
        decisions: list[tuple[int, int]] = []
        for n, (lo, hi) in enumerate(zip(nodes.lo.tolist(), nodes.hi.tolist(), strict=True)):
            decision = decision_of[lo, hi]
            start, end = int(plan.starts[decision]), int(ends[decision])
            begin = max(int(nodes.depth[n]) - 1, 0)
            path = titles[n][begin : depth_at[plan.edge_position[start]]].tolist()
            at = self._read + len(tokens)
            parents += [int(nodes.parent[n]), *range(at, at + len(path) - 1)][: len(path)]
            tokens += path
            rows.append(len(tokens) - 1 if path else -1)
            decisions.append((start, end))
        vocabulary = np.unique(np.concatenate([plan.edge_token[a:b] for a, b in decisions]))
        with torch.inference_mode():
            states = torch.cat([self._reader.extend(tokens, parents), self._reader.end])[rows]
            wanted = torch.from_numpy(vocabulary).to(self._lm.device)
            raw = self._lm.hidden_to_logits(states, wanted).cpu().numpy().astype(np.float64)
        found = []
        for n, (a, b) in enumerate(decisions):
            logits = tau * raw[n, np.searchsorted(vocabulary, plan.edge_token[a:b])]
            lo, hi = plan.edge_lo[a:b], plan.edge_hi[a:b]
            if mass is not None:
                logits = logits + np.log(mass.between(lo, hi))
            logprob = nodes.logprob[n] + logits - np.logaddexp.reduce(logits)
            depth = depth_at[plan.edge_position[a:b]] + 1
            position = np.full(b - a, -1 if rows[n] < 0 else self._read + rows[n])
            found.append(_Nodes(logprob, lo, hi, depth, position))
        self._read += len(tokens)
        return _Nodes(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
