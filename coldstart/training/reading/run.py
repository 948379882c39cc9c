"""Fine-tune a language model to read requests: the loss is taken where the reader decides.

Training and reading share prompt and tree (``generation.reading``). The target of each question is
a distribution over its answers; the loss is its cross-entropy under the model, summed over the
trie's decisions (the chain rule) and over questions, averaged over requests.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.errors import ConfigError, DataError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.reading import (
    AUDIENCES,
    NOTHING,
    QuestionTree,
    question_tree,
    reading_prompt,
)
from coldstart.runtime.cache import new_folder
from coldstart.training.reading.corpus import LabelledWish
from coldstart.training.reading.frozen_layers import FrozenLayers

Floats = NDArray[np.float64]
_FITS = 0.3  # weight of a category that would also suit, beside 1 of one that is wanted
_ADULT = 18


@dataclass(frozen=True)
class ReadingConfig:
    """Settings of the training.

    Args:
        epochs: passes over the sentences.
        batch: sentences per step.
        learning_rate: peak; one cycle, warm-up over a twentieth of the steps.
        frozen_layers: share of the layers, the lower ones, that keep the adapter they have.
        seed: of the order.

    Raises:
        ConfigError: a number out of range.
    """

    epochs: int = 4
    batch: int = 16
    learning_rate: float = 8e-4
    frozen_layers: float = 2 / 3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected at least 1")
        if not 0 <= self.frozen_layers < 1:
            raise ConfigError(f"frozen_layers is {self.frozen_layers}, expected a share below 1")


def targets_of(wish: LabelledWish, tree: QuestionTree) -> dict[str, Floats]:
    """Target probability of every answer in plan order, shape (answers,), by question."""
    wanted: dict[str, float] = dict.fromkeys(wish.fits, _FITS)
    wanted |= dict.fromkeys(wish.wants, 1.0)
    if not wish.wants:
        wanted[NOTHING] = max(_FITS, 1 - _FITS * len(wish.fits))
    avoided: dict[str, float] = dict.fromkeys(wish.rejects or (NOTHING,), 1.0)
    given = {"wanted": wanted, "avoided": avoided, "audience": {_audience(wish.age): 1.0}}
    out = {}
    for name, plan in tree.plans.items():
        mass = np.array([given[name].get(answer, 0.0) for answer in plan.item_ids])
        out[name] = mass / mass.sum()
    return out


def _audience(age: int | None) -> str:
    """The answer on the audience whose age is closest; adults are anyone."""
    known = {a: years for a, years in AUDIENCES.items() if years is not None}
    if age is None or age >= _ADULT:
        return next(a for a, years in AUDIENCES.items() if years is None)
    return min(known, key=lambda a: abs(known[a] - age))


class ReadingLoss:
    """Cross-entropy of the answers to all questions, in nats per request.

    Args:
        lm: the model being trained.
        tree: the questions.
        frozen_layers: number of lower layers that are not trained.
    """

    def __init__(self, lm: CausalLM, tree: QuestionTree, frozen_layers: int = 0) -> None:
        self._lm, self._tree = lm, tree
        self._decoder = FrozenLayers(lm.decoder, frozen_layers)

    def __call__(self, texts: Sequence[str], wishes: Sequence[LabelledWish]) -> Tensor:
        """Mean loss of a batch, with its gradient.

        Args:
            texts: how each request is written.
            wishes: what it means.
        """
        prompts = [reading_prompt(self._lm.lines, text) for text in texts]
        states = self._states(prompts)
        total = states.new_zeros((), dtype=torch.float32)
        for name, plan in self._tree.plans.items():
            places, row = np.unique(self._tree.places[name], return_inverse=True)
            at = torch.tensor([[len(p) + place for place in places] for p in prompts])
            own = states[torch.arange(len(prompts))[:, None], at]
            raw = self._lm.hidden_to_logits(own, torch.from_numpy(plan.vocabulary))
            logits = raw[:, torch.from_numpy(row), torch.from_numpy(plan.edge_column)]
            mass = np.stack([targets_of(w, self._tree)[name] for w in wishes])
            below = np.pad(np.cumsum(mass, axis=1), ((0, 0), (1, 0)))
            weight = torch.from_numpy(below[:, plan.edge_hi] - below[:, plan.edge_lo]).float()
            for start, end in zip(
                plan.starts, [*plan.starts[1:], len(plan.edge_token)], strict=True
            ):
                log_q = torch.log_softmax(logits[:, start:end], dim=1)
                total = total - (weight[:, start:end] * log_q).sum()
        return total / len(prompts)

    def _states(self, prompts: Sequence[list[int]]) -> Tensor:
        """Last-layer states of prompts and trees, shape (B, longest, H), right-padded."""
        tree, size = self._tree, len(self._tree.tokens)
        longest = max(map(len, prompts)) + size
        ids = torch.zeros(len(prompts), longest, dtype=torch.long)
        where = torch.zeros(len(prompts), longest, dtype=torch.long)
        seen = torch.zeros(len(prompts), longest, longest, dtype=torch.bool)
        ancestors, depth = _ancestors(tree)
        for n, prompt in enumerate(prompts):
            k = len(prompt)
            ids[n, :k], ids[n, k : k + size] = torch.tensor(prompt), torch.from_numpy(tree.tokens)
            where[n, :k], where[n, k : k + size] = torch.arange(k), k + depth
            seen[n, :k, :k] = torch.ones(k, k).tril().bool()
            seen[n, k : k + size, :k] = True
            seen[n, k : k + size, k : k + size] = ancestors
        seen |= torch.eye(longest, dtype=torch.bool)
        dtype = self._lm.model.dtype
        mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)
        return self._decoder(ids, mask[:, None], where, [len(p) + size for p in prompts])


def _ancestors(tree: QuestionTree) -> tuple[Tensor, Tensor]:
    """Which tokens of the tree each one sees, itself included, shape (T, T), and its depth (T,)."""
    size = len(tree.tokens)
    seen, depth = torch.eye(size, dtype=torch.bool), torch.zeros(size, dtype=torch.long)
    for n, parent in enumerate(tree.parents.tolist()):
        if parent >= 0:
            seen[n] |= seen[parent]
            depth[n] = depth[parent] + 1
    return seen, depth


def teach_reading(
    model: Any,
    tokenizer: Any,
    categories: Sequence[str],
    train: Sequence[LabelledWish],
    valid: Sequence[LabelledWish],
    out: Path,
    config: ReadingConfig | None = None,
    report: Callable[[dict[str, float]], None] = lambda row: None,
) -> list[dict[str, float]]:
    """Fine-tune the trainable parameters of a model; the best epoch's adapter is saved.

    Args:
        model: a causal LM with a LoRA adapter, as ``training.adapter`` makes it.
        tokenizer: its tokenizer.
        categories: of the catalog.
        train: labelled requests.
        valid: others, which choose the epoch.
        out: folder of the adapter, replaced at every better epoch.
        config: settings.
        report: called after every step and every epoch.

    Returns:
        The figures of every epoch: ``epoch``, ``train_loss``, ``valid_loss``, ``seconds``.

    Raises:
        DataError: no requests to train or to validate on.
    """
    config = config or ReadingConfig()
    if not train or not valid:
        raise DataError(
            f"{len(train)} labelled requests to train on, {len(valid)} to validate on",
            "give at least one of each",
        )
    lm = CausalLM(model, tokenizer)
    frozen = int(config.frozen_layers * model.config.num_hidden_layers)
    loss_of = ReadingLoss(lm, question_tree(lm.lines, categories), frozen)
    rng = random.Random(config.seed)
    torch.manual_seed(config.seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    masters = [torch.nn.Parameter(p.detach().float().clone()) for p in trained]
    steps = config.epochs * -(-len(train) // config.batch)
    optimiser = torch.optim.AdamW(masters, lr=config.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps + 1, pct_start=0.05
    )
    history: list[dict[str, float]] = []
    best, best_epoch, started = float("inf"), 0, time.monotonic()
    for epoch in range(1, config.epochs + 1):
        order = list(train)
        rng.shuffle(order)
        model.train()
        losses = []
        for start in range(0, len(order), config.batch):
            some = order[start : start + config.batch]
            loss = loss_of([w.text for w in some], some)
            torch.autograd.backward(loss)
            for ours, theirs in zip(masters, trained, strict=True):
                ours.grad = None if theirs.grad is None else theirs.grad.float()
                theirs.grad = None
            torch.nn.utils.clip_grad_norm_(masters, 1.0)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for ours, theirs in zip(masters, trained, strict=True):
                    theirs.copy_(ours)
            losses.append(loss.item())
            step = {"step": len(losses), "steps": -(-len(order) // config.batch)}
            report({"epoch": epoch, "epochs": config.epochs, **step, "loss": losses[-1]})
        model.eval()
        row = {
            "epoch": float(epoch),
            "train_loss": float(np.mean(losses)),
            "valid_loss": _mean_loss(loss_of, valid, config.batch),
            "seconds": time.monotonic() - started,
        }
        history.append(row)
        if row["valid_loss"] < best:
            best, best_epoch = row["valid_loss"], epoch
            with new_folder(out) as work:
                model.save_pretrained(work)
        report({"epochs": config.epochs, **row, "best_epoch": best_epoch})
    return history


@torch.inference_mode()
def _mean_loss(loss_of: ReadingLoss, wishes: Sequence[LabelledWish], batch: int) -> float:
    parts = [wishes[n : n + batch] for n in range(0, len(wishes), batch)]
    sums = [loss_of([w.text for w in part], part).item() * len(part) for part in parts]
    return sum(sums) / len(wishes)
