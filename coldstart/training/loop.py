"""Training loop: fine-tune a LoRA adapter, with validation, early stopping and checkpoints."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from coldstart.data.dataset import Dataset
from coldstart.errors import ArtifactError, ConfigError
from coldstart.generation.decoding.exact import exact_logprobs
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.line_tokenizer import LineTokenizer
from coldstart.generation.trie.prompt_titles import prompt_titles
from coldstart.generation.trie.trie import TitleTrie
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.runtime.cache import new_folder
from coldstart.runtime.hardware import pick_device, pick_dtype
from coldstart.runtime.models import fingerprint, load_causal_lm, load_tokenizer
from coldstart.schema import Pick, UserProfile
from coldstart.settings import PRIOR_COUNT, TrainConfig
from coldstart.splitting.user_splits import Split
from coldstart.training.adapter import earlier_adapter, new_adapter, template_of
from coldstart.training.loss import BatchShare, TrainingLoss
from coldstart.training.processes import Processes
from coldstart.training.sequences import SequenceBuilder
from coldstart.training.sharding import shard_layers
from coldstart.training.teacher import Teacher

log = logging.getLogger(__name__)

_TOGETHER = 16  # validation users
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training run.

    Args:
        adapter: folder of the best LoRA adapter, in peft's format.
        history: metrics of each epoch, the untrained model first.
        best_epoch: epoch of the best adapter.
    """

    adapter: Path
    history: list[dict[str, float]]
    best_epoch: int


class Trainer:
    """Fine-tuning of a causal LM on the training users of a split.

    All randomness is seeded by (seed, epoch, step), so that a resumed run continues exactly as the
    interrupted one would have. In data-parallel training each process takes a share of every
    batch's users; losses are normalised by the titles of the global batch and gradients summed, so
    that the optimiser steps equal those of a single process up to rounding.

    Args:
        data: items, attributes, likes.
        split: training and validation users.
        config: settings, equal in all processes.
        out: folder of checkpoints and the best adapter; written by the main process.
        teacher: provides the targets.
        processes: process group; ``None``: a single process.
    """

    def __init__(
        self,
        data: Dataset,
        split: Split,
        config: TrainConfig,
        out: Path,
        teacher: Teacher,
        processes: Processes | None = None,
    ) -> None:
        self.data, self.split, self.config, self.out = data, split, config, out
        self.processes = processes or Processes()
        torch.manual_seed(config.seed)
        tokenizer = load_tokenizer(config.base)
        device, sharded = pick_device(config.device), self.processes.sharded
        self.dtype = str(pick_dtype(device, config.dtype)).removeprefix("torch.")
        base = load_causal_lm(
            config.base, device="cpu" if sharded else config.device, dtype=self.dtype
        )
        self.base_fingerprint = fingerprint(base, tokenizer)
        # Sequences are short: plain attention trains faster on a CPU than the fused kernel.
        if device.type == "cpu":
            base.set_attn_implementation("eager")
        model = (
            earlier_adapter(base, Path(config.start), self.base_fingerprint)
            if config.start
            else new_adapter(base, config)
        )
        if sharded:
            shard_layers(model, device)
        self.model = model
        self.lm = CausalLM(model, tokenizer)
        lines = LineTokenizer(tokenizer)
        titles = prompt_titles(data.catalog)
        self.tokens_of = {item: lines.title(title) for item, title in titles.items()}
        self.plan = TitleTrie(self.tokens_of).plan()
        self.counts = teacher.out_of_fold.everyone.counts
        by_item = dict(zip(self.counts.item_ids, self.counts.likes, strict=True))
        self.mass = np.array([by_item[i] for i in self.plan.item_ids]) + PRIOR_COUNT
        self.builder = SequenceBuilder(
            data,
            titles,
            self.plan,
            lines,
            template_of(config),
            teacher,
            config,
            self.lm.max_tokens,
        )
        edge_prior = torch.zeros(len(self.plan.edge_token))
        if config.use_prior:
            edge_prior = torch.from_numpy(self.plan.edge_prior(self.mass)).float()
        self.objective = TrainingLoss(self.lm, self.plan, edge_prior, config)
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.masters = [torch.nn.Parameter(p.detach().float().clone()) for p in self.trained]
        if self.processes.count > 1:
            self._start_alike()
        self.optimiser = torch.optim.AdamW(
            self.masters, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.steps_per_epoch = -(-len(split.train) // config.batch_users)
        self.epoch = self.step = 0
        self.history: list[dict[str, float]] = []
        self.best_epoch = -1

    @torch.no_grad()
    def _start_alike(self) -> None:
        """Broadcast the main process's adapter; dropout seeds differ between processes.

        Raises:
            ConfigError: base models or data differ between processes.
        """
        given = self.processes.gather((self.base_fingerprint, self.data.fingerprint))
        if len(set(given)) > 1:
            raise ConfigError(
                f"the processes differ in base model or data: {', '.join(map('/'.join, given))}",
                hint="every machine needs the same files",
            )
        main = self.processes.broadcast(lambda: [ours.detach().cpu() for ours in self.masters])
        for ours, theirs in zip(self.masters, main, strict=True):
            ours.copy_(theirs)
        self._publish()
        torch.manual_seed(self.config.seed + self.processes.index)

    # -- one step -------------------------------------------------------------------------------

    def users_of(self, epoch: int) -> list[list[str]]:
        """Batches of an epoch: training users, sampled in proportion to their number of likes."""
        rng = np.random.default_rng([self.config.seed, epoch])
        users = np.array(self.split.train, dtype=object)
        weight = np.array([len(self.data.likes[u]) for u in users], dtype=float)
        drawn = rng.choice(users, size=len(users), p=weight / weight.sum())
        size = self.config.batch_users
        return [list(drawn[i : i + size]) for i in range(0, len(drawn), size)]

    def train_step(self, users: list[str]) -> dict[str, float]:
        """One optimiser step on the global batch; returns losses in nats per title."""
        processes = self.processes
        seed = [self.config.seed, 1, self.epoch, self.step]
        rng, mine = np.random.default_rng(seed), processes.partition(len(users))
        batch = self.builder.batch(users, self.tokens_of, rng, mine)
        share = BatchShare.of(processes.gather(batch.sizes), processes.index)
        positions = torch.Generator().manual_seed(
            int(np.random.SeedSequence(seed).generate_state(1)[0])
        )
        rate = self._learning_rate(self.updates)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = self.objective(batch, positions, share)
        titles = max(1, share.whole.titles)
        torch.autograd.backward(losses.total / titles)
        self._take_gradients()
        torch.nn.utils.clip_grad_norm_(self.masters, 1.0)
        self.optimiser.step()
        self._publish()
        sums = processes.gather((losses.decisions, losses.validity))
        loss, validity = (sum(values) / titles for values in zip(*sums, strict=True))
        return {"loss": loss, "validity": validity, "lr": rate}

    def _take_gradients(self) -> None:
        """Move the adapter's gradients to its float32 master weights, summed over processes."""
        found = [p.grad for p in self.trained]
        for theirs in self.trained:
            theirs.grad = None
        grads: list[torch.Tensor | None] = [None if g is None else g.float() for g in found]
        if self.processes.count > 1:
            known = [
                torch.zeros_like(ours) if grad is None else grad
                for ours, grad in zip(self.masters, grads, strict=True)
            ]
            grads = list(self.processes.all_reduce(known))
        for ours, grad in zip(self.masters, grads, strict=True):
            ours.grad = grad

    def _learning_rate(self, step: int) -> float:
        steps = max(1, self.config.epochs * self.steps_per_epoch)
        # Short runs get a short warm-up.
        warm = min(1.0, (step + 1) / max(1, min(self.config.warmup_steps, steps // 10)))
        share = min(1.0, step / steps)
        return float(self.config.learning_rate * warm * 0.5 * (1 + np.cos(np.pi * share)))

    @torch.no_grad()
    def _publish(self) -> None:
        for ours, theirs in zip(self.masters, self.trained, strict=True):
            theirs.copy_(ours)

    # -- validation -----------------------------------------------------------------------------

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Validation losses in nats per title, and NDCG@10 of the language model alone."""
        self.model.eval()
        starts = range(0, len(self.split.valid), _TOGETHER)
        sums = self.processes.map(starts, self._validate_some)
        total, valid, titles = (sum(values) for values in zip(*sums, strict=True))
        out = {"valid_loss": total / titles, "valid_validity": valid / titles}
        for k in (0, 5):
            out[f"valid_ndcg@10_k{k}"] = self._ndcg(k)
        self.model.train()
        return out

    def _validate_some(self, start: int) -> tuple[float, float, int]:
        users = list(self.split.valid[start : start + _TOGETHER])
        rng = np.random.default_rng([self.config.seed, 2, start])
        batch = self.builder.batch(users, self.tokens_of, rng)
        losses = self.objective(batch, torch.Generator().manual_seed(start))
        return losses.decisions, losses.validity, losses.titles

    def _ndcg(self, k: int) -> float:
        enough = [u for u in self.split.valid if len(self.data.likes[u]) >= k + 5]
        users = enough[: self.config.valid_users]
        values = self.processes.map(users, lambda user: self._ndcg_of(user, k))
        return float(np.mean(values)) if values else 0.0

    def _ndcg_of(self, user: str, k: int) -> float:
        items = np.array(self.plan.item_ids, dtype=object)
        template, prior = self.builder.template, self.config.use_prior
        likes = self.data.likes[user]
        picks: tuple[Pick, ...] = tuple(Pick(item=i, by="id") for i in likes[:k])
        said = {"liked": picks, "history": True}
        profile: UserProfile = self.data.users[user].model_copy(update=said)
        prompt = template.render(profile, title_of=self.builder.titles.__getitem__).text
        tau = self.config.tau if prior else 1.0
        scores = exact_logprobs(self.lm, prompt, self.plan, self.mass, tau, prior=prior)
        scores[[self.builder.place[i] for i in likes[:k]]] = -np.inf
        top = items[np.argsort(-scores, kind="stable")[:10]]
        return ndcg(list(top), set(likes[k:]), 10)

    # -- the run --------------------------------------------------------------------------------

    def run(self, report: Report | None = None) -> TrainingResult:
        """Train to the last epoch or until early stopping, with regular checkpoints.

        Args:
            report: progress callback of the main process: ``stage`` is ``train`` after every step
                (``epoch``, ``step``, ``steps``, metrics) and ``epoch`` after every validation
                (metrics, the ``best_epoch`` so far).
        """
        report = report if report and self.processes.is_main else (lambda row: None)
        self.out.mkdir(parents=True, exist_ok=True)
        if not self.history:
            report(self._end_of_epoch({"epoch": 0.0}))
        last_save = time.monotonic()
        while self.epoch < self.config.epochs and not self._stale():
            self.model.train()
            sums: dict[str, float] = {}
            started, first = time.monotonic(), self.step
            for users in self.users_of(self.epoch)[self.step :]:
                figures = self.train_step(users)
                self.step += 1
                for name, value in figures.items():
                    sums[name] = sums.get(name, 0.0) + value
                place = {"epoch": self.epoch, "step": self.step, "steps": self.steps_per_epoch}
                report({"stage": "train", **place, "update": self.updates, **figures})
                if time.monotonic() - last_save > 300:
                    self.save_checkpoint()
                    last_save = time.monotonic()
            done = max(1, self.step - first)
            self.epoch, self.step = self.epoch + 1, 0
            row = {f"train_{n}": v / done for n, v in sums.items()}
            row |= {"epoch": float(self.epoch), "seconds": time.monotonic() - started}
            report(self._end_of_epoch(row))
        return TrainingResult(self.out / "best", self.history, self.best_epoch)

    def score_of(self, row: dict[str, float]) -> float:
        """Model selection criterion: mean validation NDCG@10 over k."""
        return float(np.mean([v for n, v in row.items() if n.startswith("valid_ndcg")]))

    def _stale(self) -> bool:
        return self.epoch - max(self.best_epoch, 0) >= self.config.patience

    def _end_of_epoch(self, row: dict[str, float]) -> dict[str, Any]:
        row |= self.validate()
        best = max((self.score_of(r) for r in self.history), default=float("-inf"))
        self.history.append(row)
        log.info("%s", json.dumps({n: round(v, 4) for n, v in row.items()}))
        if self.score_of(row) > best:
            self.best_epoch = int(row["epoch"])
            if self.processes.is_main:
                with new_folder(self.out / "best") as work:
                    self.model.save_pretrained(work)
        self.save_checkpoint()
        return {"stage": "epoch", **row, "best_epoch": self.best_epoch}

    @property
    def updates(self) -> int:
        """Number of optimiser steps so far."""
        return self.epoch * self.steps_per_epoch + self.step

    # -- kill and resume ------------------------------------------------------------------------

    def save_checkpoint(self) -> None:
        """Write a checkpoint to resume from, atomically, in the main process."""
        if not self.processes.is_main:
            return
        tensors: dict[str, torch.Tensor] = {}
        for n, master in enumerate(self.masters):
            tensors[f"{n}.weight"] = master.detach()
            state = self.optimiser.state.get(master, {})
            for name in ("exp_avg", "exp_avg_sq"):
                if name in state:
                    tensors[f"{n}.{name}"] = state[name]
        with new_folder(self.out / "checkpoint") as work:
            save_file(tensors, work / "state.safetensors")
            place: dict[str, Any] = {
                "epoch": self.epoch,
                "step": self.step,
                "updates": self.updates,
                "history": self.history,
                "best_epoch": self.best_epoch,
                "config": self.config.to_dict(),
                "data": self.data.fingerprint,
            }
            (work / "place.json").write_text(json.dumps(place, indent=1), encoding="utf-8")

    def resume(self) -> bool:
        """Restore the last checkpoint, written by any number of processes; False if there is none.

        Raises:
            ArtifactError: a damaged checkpoint, or one of another configuration or data.
        """
        found = self.processes.broadcast(self._read_checkpoint)
        if found is None:
            return False
        place, tensors = found
        with torch.no_grad():
            for n, master in enumerate(self.masters):
                master.copy_(tensors[f"{n}.weight"])
                if f"{n}.exp_avg" in tensors:
                    self.optimiser.state[master] = {
                        "step": torch.tensor(float(place["updates"])),
                        "exp_avg": tensors[f"{n}.exp_avg"].clone(),
                        "exp_avg_sq": tensors[f"{n}.exp_avg_sq"].clone(),
                    }
        self._publish()
        self.epoch, self.step = place["epoch"], place["step"]
        self.history, self.best_epoch = place["history"], place["best_epoch"]
        return True

    def _read_checkpoint(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]] | None:
        folder = self.out / "checkpoint"
        if not folder.is_dir():
            return None
        try:
            place = json.loads((folder / "place.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "state.safetensors")
        except Exception as e:
            raise ArtifactError(
                f"{folder}: damaged checkpoint: {e}", hint="start anew in another --out folder"
            ) from e
        if place["config"] != self.config.to_dict() or place["data"] != self.data.fingerprint:
            raise ArtifactError(
                f"{folder} belongs to a run with other settings or data",
                hint="repeat its settings, or start anew in another --out folder",
            )
        return place, tensors
