"""Exact probability of every catalog title: one forward pass over the trie's decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.generation.trie.mass import Ints, Mass
from coldstart.generation.trie.plan import TriePlan

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

Floats = NDArray[np.float64]

TOGETHER = 4096
"""Most tokens, of prompts and trees together, in one forward pass."""
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
        plan: the catalog's decisions, or those on the paths to some items (``TitleTrie.towards``):
            exact for these items; elsewhere the prior decides.
        mass: the prior, > 0, shape (N,) in the plan's item order.
        tau: weight of the model's logits.
        prior: if false, without the prior (the model's own renormalised probability).
        items: restrict the result to these positions, ascending, shape (R,); it has their shape.
        most: tree tokens per forward pass; larger trees are read in pieces. ``None``: no limit.
    """
    (found,) = exact_logprobs_of(lm, [(prompt, plan, items)], mass, tau, prior=prior, most=most)
    return found


def exact_logprobs_of(
    lm: CausalLM,
    requests: Sequence[tuple[str, TriePlan, Ints | None]],
    mass: Floats | Mass,
    tau: float,
    *,
    prior: bool = True,
    most: int | None = None,
) -> list[Floats]:
    """``exact_logprobs`` of several prompts, batched up to ``TOGETHER`` tokens per forward pass.

    Args:
        lm: the model.
        requests: (prompt, plan, items) of each, as for ``exact_logprobs``; plans of one trie.
        mass: prior of the trie's items.
        tau: as for ``exact_logprobs``.
        prior: as for ``exact_logprobs``.
        most: tree tokens of one prompt per forward pass.
    """
    mass = Mass.of(mass)
    logits = [np.empty(len(plan.edge_token)) for _, plan, _ in requests]
    pieces = (
        (n, piece)
        for n, (prompt, plan, _) in enumerate(requests)
        for piece in _pieces(lm.lines.encode(prompt), plan, most or len(plan.tree_token) + 1)
    )
    for some in _passes(pieces):
        with torch.inference_mode():
            states = lm.read_trees([(p.prompt, p.tokens, p.parents) for _, p in some])
        for (n, piece), own in zip(some, states, strict=True):
            wanted = requests[n][1].edge_token[piece.edges]
            logits[n][piece.edges] = tau * _raw(lm, own, piece.place, wanted)
    if prior:
        logits = [
            x + plan.edge_prior(mass) for x, (_, plan, _) in zip(logits, requests, strict=True)
        ]
    each = zip(logits, requests, strict=True)
    return [plan.item_logprobs(x, mass, items) for x, (_, plan, items) in each]


class _Piece(NamedTuple):
    """Part of a tree for one forward pass.

    Args:
        prompt: token ids.
        tokens, parents: as for ``CausalLM.read_tree``.
        edges: edges of the plan that it scores, shape (E,).
        place: index of each edge's context among the returned states, shape (E,).
    """

    prompt: list[int]
    tokens: Ints
    parents: Ints
    edges: Ints
    place: Ints


def _passes(pieces: Iterable[tuple[int, _Piece]]) -> Iterator[list[tuple[int, _Piece]]]:
    """Batch pieces: at most ``TOGETHER`` tokens, at least one piece."""
    some: list[tuple[int, _Piece]] = []
    tokens = 0
    for n, piece in pieces:
        size = len(piece.prompt) + len(piece.tokens)
        if some and tokens + size > TOGETHER:
            yield some
            some, tokens = [], 0
        some.append((n, piece))
        tokens += size
    if some:
        yield some


def _pieces(prompt: list[int], plan: TriePlan, most: int) -> Iterator[_Piece]:
    """Split a tree into pieces of at most ``most`` tokens, ancestors included."""
    size, done = len(plan.tree_token), -1
    while done < size:
        # The ancestors of a piece's tokens outside the piece are those of its first token.
        first, before = max(done, 0), []
        above = int(plan.tree_parent[first]) if size else -1
        while above >= 0:
            before.append(above)
            above = int(plan.tree_parent[above])
        end = min(size, first + max(1, most - len(before)))
        read = np.array([*reversed(before), *range(first, end)], dtype=np.int64)
        parent = plan.tree_parent[read]
        inside = np.where(parent < 0, -1, np.searchsorted(read, parent))
        edges = np.flatnonzero((plan.edge_position >= done) & (plan.edge_position < end))
        at = plan.edge_position[edges]
        place = np.where(at < 0, len(read), np.searchsorted(read, at))
        yield _Piece(prompt, plan.tree_token[read], inside, edges, place)
        done = end


def _raw(lm: CausalLM, states: Tensor, place: Ints, token: Ints) -> Floats:
    """The model's logit of each edge's token at the edge's context, shape (E,)."""
    out = np.empty(len(token))
    sizes = np.bincount(place)
    # A wide decision is scored alone: its vocabulary would multiply the work of the others.
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
