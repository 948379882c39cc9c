"""Exact probability of every title in the catalog: one pass over the trie's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from coldstart.generation.trie import TriePlan

if TYPE_CHECKING:
    from coldstart.generation.causal import CausalLM

Floats = NDArray[np.float64]


def exact_logprobs(
    lm: CausalLM, prompt: str, plan: TriePlan, mass: Floats, tau: float, *, prior: bool = True
) -> Floats:
    """Log-probability of every item given a prompt, shape (N,) in the plan's item order.

    At each decision, ``logits = τ · LM logits + log(prior mass below the child)``; log-softmax over
    the children; sums along each title's path. Costs one forward pass over the prompt and the
    plan's T tree tokens.

    Args:
        lm: the model.
        prompt: rendered prompt, ending with a newline.
        plan: the catalog's decisions, or those towards some items (``TriePlan.towards``), whose
            log-probabilities are exact; the prior decides below what it leaves out.
        mass: the prior, > 0, shape (N,) in the plan's item order.
        tau: weight of the model's logits.
        prior: leave the prior out if false (the model's own renormalised probability).
    """
    with torch.inference_mode():
        states = lm.read_tree(lm.lines.encode(prompt), plan.tree_token, plan.tree_parent)
        places, row = np.unique(plan.edge_position, return_inverse=True)
        vocabulary = torch.from_numpy(plan.vocabulary).to(lm.device)
        raw = lm.hidden_to_logits(states[torch.from_numpy(places)], vocabulary).cpu().numpy()
    logits = tau * raw[row, plan.edge_column].astype(np.float64)
    if prior:
        logits = logits + plan.edge_prior(mass)
    return plan.item_logprobs(logits, mass)
