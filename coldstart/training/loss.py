"""Training losses on the hidden states of one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coldstart.generation.models.causal import CausalLM
from coldstart.generation.trie.trie import TriePlan
from coldstart.settings import TrainConfig
from coldstart.training.sequences import Batch, Sizes


@dataclass(frozen=True)
class BatchShare:
    """Position of a process's share within the global batch.

    Args:
        before: total sizes of the shares of lower ranks.
        whole: sizes of the global batch.
    """

    before: Sizes
    whole: Sizes

    @classmethod
    def of(cls, sizes: Sequence[Sizes], index: int) -> BatchShare:
        """Share of a process, given the sizes of all shares by rank."""
        sums = [
            Sizes(*map(sum, zip(Sizes(0, 0, 0), *some, strict=True)))
            for some in (sizes[:index], sizes)
        ]
        return cls(*sums)


@dataclass(frozen=True)
class Losses:
    """Summed losses of a batch, in nats.

    Args:
        total: the training loss.
        decisions: KL divergence of the trie decisions from their targets.
        validity: negative log-probability of staying in the catalog in free generation, unweighted.
        titles: number of titles, the normaliser.
    """

    total: Tensor
    decisions: float
    validity: float
    titles: int


class TrainingLoss:
    """Training loss under a configuration.

    Args:
        lm: the model being trained.
        plan: the trie's decisions.
        edge_prior: log share of each edge under the prior, shape (E,).
        config: training settings.
    """

    def __init__(
        self, lm: CausalLM, plan: TriePlan, edge_prior: Tensor, config: TrainConfig
    ) -> None:
        self.lm, self.config = lm, config
        self.vocabulary = torch.from_numpy(plan.vocabulary).to(lm.device)
        self.edge_column = torch.from_numpy(plan.edge_column).to(lm.device)
        self.edge_prior = edge_prior.to(lm.device)

    def __call__(
        self, batch: Batch, sample: torch.Generator | None = None, share: BatchShare | None = None
    ) -> Losses:
        """Compute the loss.

        Args:
            batch: sequences.
            sample: random generator for the positions of the validity loss, drawn from the global
                batch; ``None``: all positions.
            share: position of ``batch`` in the global batch; ``None``: it is the global batch.
        """
        share = share or BatchShare.of([batch.sizes], 0)
        device, config = self.lm.device, self.config
        states = self.lm.decoder(
            input_ids=batch.tokens.to(device), use_cache=False
        ).last_hidden_state
        if config.objective == "completion":
            loss = self._completion(states, batch)
            return Losses(loss, loss.item(), 0.0, batch.titles)
        deciding = states[batch.row.to(device), batch.position.to(device)]
        raw = self.lm.hidden_to_logits(deciding, self.vocabulary)
        edge, of = batch.edge.to(device), batch.of.to(device)
        target = batch.target.to(device)
        alternatives = raw[of, self.edge_column[edge]]
        tau = config.tau if config.use_prior else 1.0
        logits = alternatives * tau + self.edge_prior[edge]
        log_q = logits - _logsumexp(logits, of, len(batch.row))[of]
        # KL(target ‖ q): zero when the model agrees with the target, whatever its entropy.
        kl = (torch.special.xlogy(target, target) - target * log_q).sum()
        total, valid = kl, 0.0
        if config.validity > 0:
            loss = self._validity(states, deciding, alternatives, of, batch, sample, share)
            total, valid = kl + config.validity * loss, loss.item()
        return Losses(total, kl.item(), valid, batch.titles)

    def _completion(self, states: Tensor, batch: Batch) -> Tensor:
        logits = self.lm.hidden_to_logits(states[batch.title_row, batch.title_position])
        target = batch.title_token.to(logits.device)
        return torch.nn.functional.cross_entropy(logits, target, reduction="sum")

    def _validity(
        self,
        states: Tensor,
        deciding: Tensor,
        alternatives: Tensor,
        of: Tensor,
        batch: Batch,
        sample: torch.Generator | None,
        share: BatchShare,
    ) -> Tensor:
        """Negative log of the vocabulary mass on catalog continuations, at sampled positions.

        At a trie decision all children count as valid: their order is left to the decision loss.
        """
        part = self.config.validity_share if sample is not None else 1.0
        before, whole = share.before, share.whole
        pick = _some(len(batch.title_row), part, sample, before.title_rows, whole.title_rows)
        forced = states[batch.title_row[pick], batch.title_position[pick]]
        target = batch.title_token[pick].to(forced.device)
        forced_loss = torch.nn.functional.cross_entropy(
            self.lm.hidden_to_logits(forced), target, reduction="sum"
        )
        pick = _some(len(deciding), part, sample, before.decisions, whole.decisions)
        pick = pick.to(deciding.device)
        inside = _logsumexp(alternatives, of, len(deciding))[pick]
        everything = torch.logsumexp(self.lm.hidden_to_logits(deciding[pick]), dim=-1)
        return (forced_loss + (everything - inside).sum()) / part


def _some(n: int, part: float, sample: torch.Generator | None, before: int, whole: int) -> Tensor:
    """Sample a part of ``whole`` positions; returns those in the ``n`` after ``before``."""
    if sample is None or part >= 1:
        return torch.arange(n)
    drawn = torch.randperm(whole, generator=sample)[: max(1, int(whole * part))] - before
    return drawn if n == whole else drawn[(drawn >= 0) & (drawn < n)]


def _logsumexp(values: Tensor, group: Tensor, n: int) -> Tensor:
    """Log-sum-exp of ``values`` (F,) within each of ``n`` groups, shape (n,)."""
    top = torch.full((n,), -torch.inf, device=values.device)
    top = top.scatter_reduce(0, group, values.detach(), "amax")
    total = torch.zeros(n, device=values.device).index_add(0, group, (values - top[group]).exp())
    return total.log() + top
