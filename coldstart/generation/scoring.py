"""Exact probability of every title in the catalog: one pass over the trie's decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.generation.plan import Ints, Mass, TriePlan

if TYPE_CHECKING:
    from coldstart.generation.causal import CausalLM

Floats = NDArray[np.float64]

_WIDE = 256  # alternatives of a decision


def exact_logprobs(
    lm: CausalLM,
    prompt: str,
    plan: TriePlan,
    mass: Floats | Mass,
    tau: float,
    *,
    prior: bool = True,
    items: Ints | None = None,
    most: int | None = None,
) -> Floats:
    """Log-probability of every item given a prompt, shape (N,) in the plan's item order.

    At each decision, ``logits = τ · LM logits + log(prior mass below the child)``; log-softmax over
    the children; sums along each title's path. Costs one forward pass over the prompt and the
    plan's T tree tokens, or several over the prompt and ``most`` of them.

    Args:
        lm: the model.
        prompt: rendered prompt, ending with a newline.
        plan: the catalog's decisions, or those towards some items (``TitleTrie.towards``), whose
            log-probabilities are exact; the prior decides below what it leaves out.
        mass: the prior, > 0, shape (N,) in the plan's item order.
        tau: weight of the model's logits.
        prior: leave the prior out if false (the model's own renormalised probability).
        most: tree tokens read at once; a larger tree is read piece by piece. ``None``: all at once.
        items: the only ones to tell, ascending positions, shape (R,); the result has their shape.
    """
    mass, ids = Mass.of(mass), lm.lines.encode(prompt)
    logits = np.empty(len(plan.edge_token))
    for states, place, edges in _pieces(lm, ids, plan, most or len(plan.tree_token) + 1):
        logits[edges] = tau * _raw(lm, states, place, plan.edge_token[edges])
    if prior:
        logits = logits + plan.edge_prior(mass)
    return plan.item_logprobs(logits, mass, items)


def _pieces(
    lm: CausalLM, prompt: list[int], plan: TriePlan, most: int
) -> Iterator[tuple[Tensor, Ints, Ints]]:
    """Read the tree, some tokens at a time: the states, those of some edges, and these edges."""
    size, done = len(plan.tree_token), -1
    while done < size:
        # Of what comes before a piece, its tokens follow only those before the first of them.
        first, before = max(done, 0), []
        above = int(plan.tree_parent[first]) if size else -1
        while above >= 0:
            before.append(above)
            above = int(plan.tree_parent[above])
        end = min(size, first + max(1, most - len(before)))
        read = np.array([*reversed(before), *range(first, end)], dtype=np.int64)
        parent = plan.tree_parent[read]
        inside = np.where(parent < 0, -1, np.searchsorted(read, parent))
        with torch.inference_mode():
            states = lm.read_tree(prompt, plan.tree_token[read], inside)
        edges = np.flatnonzero((plan.edge_position >= done) & (plan.edge_position < end))
        at = plan.edge_position[edges]
        yield states, np.where(at < 0, len(read), np.searchsorted(read, at)), edges
        done = end


def _raw(lm: CausalLM, states: Tensor, place: Ints, token: Ints) -> Floats:
    """The model's logit of each token after the state at its place, shape (E,)."""
    out = np.empty(len(token))
    sizes = np.bincount(place)
    # One with many alternatives is asked alone, not for those of all others too.
    group = np.where(sizes[place] > _WIDE, place + 1, 0)
    for one in np.unique(group):
        edges = np.flatnonzero(group == one)
        places, row = np.unique(place[edges], return_inverse=True)
        vocabulary, column = np.unique(token[edges], return_inverse=True)
        with torch.inference_mode():
            wanted = torch.from_numpy(vocabulary).to(lm.device)
            raw = lm.hidden_to_logits(states[torch.from_numpy(places)], wanted).cpu().numpy()
        out[edges] = raw[row, column]
    return out
