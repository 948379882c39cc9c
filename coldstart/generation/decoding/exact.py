"""Exact probability of every title in the catalog: one pass over the trie's decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.generation.trie.plan import Ints, Mass, TriePlan

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

Floats = NDArray[np.float64]

TOGETHER = 4096
"""Tokens of several prompts and their trees that one pass reads at most."""
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
    (found,) = exact_logprobs_of(lm, [(prompt, plan, items)], mass, tau, prior=prior, most=most)
    return found


def exact_logprobs_of(
    lm: CausalLM,
    asked: Sequence[tuple[str, TriePlan, Ints | None]],
    mass: Floats | Mass,
    tau: float,
    *,
    prior: bool = True,
    most: int | None = None,
) -> list[Floats]:
    """``exact_logprobs`` of several prompts, as many in one forward pass as ``TOGETHER`` allows.

    Args:
        lm: the model.
        asked: prompt, plan and items of each, as ``exact_logprobs`` takes them; the plans are
            of one trie.
        mass: of the trie's items.
        tau: as there.
        prior: as there.
        most: tree tokens of one prompt read at once.
    """
    mass = Mass.of(mass)
    logits = [np.empty(len(plan.edge_token)) for _, plan, _ in asked]
    pieces = (
        (n, piece)
        for n, (prompt, plan, _) in enumerate(asked)
        for piece in _pieces(lm.lines.encode(prompt), plan, most or len(plan.tree_token) + 1)
    )
    for some in _passes(pieces):
        with torch.inference_mode():
            states = lm.read_trees([(p.prompt, p.tokens, p.parents) for _, p in some])
        for (n, piece), own in zip(some, states, strict=True):
            wanted = asked[n][1].edge_token[piece.edges]
            logits[n][piece.edges] = tau * _raw(lm, own, piece.place, wanted)
    if prior:
        logits = [x + plan.edge_prior(mass) for x, (_, plan, _) in zip(logits, asked, strict=True)]
    each = zip(logits, asked, strict=True)
    return [plan.item_logprobs(x, mass, items) for x, (_, plan, items) in each]


class _Piece(NamedTuple):
    """A part of a tree that is read at once.

    Args:
        prompt: token ids.
        tokens, parents: as ``CausalLM.read_tree`` takes them.
        edges: those of the plan that it tells about, shape (E,).
        place: at which of the states that come back each of them begins, shape (E,).
    """

    prompt: list[int]
    tokens: Ints
    parents: Ints
    edges: Ints
    place: Ints


def _passes(pieces: Iterable[tuple[int, _Piece]]) -> Iterator[list[tuple[int, _Piece]]]:
    """Put pieces together, ``TOGETHER`` tokens at most, one piece at least."""
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
    """A tree, some tokens at a time."""
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
        edges = np.flatnonzero((plan.edge_position >= done) & (plan.edge_position < end))
        at = plan.edge_position[edges]
        place = np.where(at < 0, len(read), np.searchsorted(read, at))
        yield _Piece(prompt, plan.tree_token[read], inside, edges, place)
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
