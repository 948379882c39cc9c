"""Target tokens per second while fine-tuning, against Transformers' Trainer on the same sequences.

    python benchmarks/training.py --steps 60 --out docs/results/training

Both train the same LoRA adapters on the same batches of MovieLens-100K in the same order, by
next-token loss on the titles (``objective="completion"``, the one both can do), with the same
learning rates; in turns, half the steps at a time. Reported are the titles' tokens per second and
the loss per title token on the validation users, all judged by one function. About twenty minutes
on two cores.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from results import Report, command_line, table
from torch.utils.data import SequentialSampler

from coldstart.artifacts.loading import make_encoder
from coldstart.data.named import NAMED
from coldstart.generation.models.causal import CausalLM
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.hardware import use_all_cores
from coldstart.runtime.models import DEFAULT_ENCODER, load_causal_lm, load_tokenizer
from coldstart.settings import TrainConfig
from coldstart.splitting.user_splits import split_users
from coldstart.training.adapter import new_adapter
from coldstart.training.loop import Trainer
from coldstart.training.loss import TrainingLoss
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.sequences import Batch
from coldstart.training.teacher import Teacher

IGNORED = -100
JUDGED = 48  # validation users


class Ours:
    """``coldstart train``'s loop, stopped after some steps."""

    def __init__(self, trainer: Trainer, batches: list[list[str]]) -> None:
        self.trainer, self._batches = trainer, batches

    @property
    def model(self) -> Any:
        """The model as it is now."""
        return self.trainer.model

    def train(self, first: int, last: int) -> float:
        """Seconds that the steps take."""
        start = time.perf_counter()
        self.trainer.model.train()
        for step in range(first, last):
            self.trainer.step = step
            self.trainer.train_step(self._batches[step])
        return time.perf_counter() - start


class InOrder(transformers.Trainer):
    """The plain Trainer, which takes the examples in their order."""

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset or self.train_dataset)


class Plain:
    """What people write: Trainer, a peft model, padding to the longest, labels for the titles."""

    def __init__(
        self, config: TrainConfig, examples: list[dict[str, list[int]]], *, bf16: bool, steps: int
    ) -> None:
        torch.manual_seed(config.seed)
        self._tokenizer = load_tokenizer(config.base)
        base = load_causal_lm(config.base, device="cpu", dtype="float32")
        self.model = new_adapter(base, config)
        self._config, self._examples, self._bf16 = config, examples, bf16
        self._steps = steps
        self._rates = torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=0.0,
        )
        warm = max(1, min(config.warmup_steps, steps // 10))
        self._schedule = transformers.get_cosine_schedule_with_warmup(self._rates, warm, steps)

    def train(self, first: int, last: int) -> float:
        """Seconds that the steps take."""
        size = self._config.batch_users
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            arguments = transformers.TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=size,
                max_steps=last - first,
                max_grad_norm=1.0,
                bf16=self._bf16,
                use_cpu=True,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
            )
            trainer = InOrder(
                model=self.model,
                args=arguments,
                train_dataset=self._examples[first * size : last * size],  # type: ignore[arg-type]
                data_collator=_padded,
                optimizers=(self._rates, self._schedule),
            )
            trainer.remove_callback(transformers.PrinterCallback)
            start = time.perf_counter()
            trainer.train()
            return time.perf_counter() - start


def _padded(examples: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    longest = max(len(e["input_ids"]) for e in examples)
    out = {
        name: torch.full((len(examples), longest), filler)
        for name, filler in (("input_ids", 0), ("labels", IGNORED), ("attention_mask", 0))
    }
    for row, example in enumerate(examples):
        n = len(example["input_ids"])
        out["input_ids"][row, :n] = torch.tensor(example["input_ids"])
        out["labels"][row, :n] = torch.tensor(example["labels"])
        out["attention_mask"][row, :n] = 1
    return out


def examples_of(batch: Batch) -> list[dict[str, list[int]]]:
    """The rows of a batch without padding, labelled where a title's token is."""
    labels = torch.full_like(batch.tokens, IGNORED)
    labels[batch.title_row, batch.title_position + 1] = batch.title_token
    out = []
    for tokens, label in zip(batch.tokens, labels, strict=True):
        n = int(torch.nonzero(label != IGNORED).max()) + 1
        out.append({"input_ids": tokens[:n].tolist(), "labels": label[:n].tolist()})
    return out


@torch.inference_mode()
def loss_of(model: Any, trainer: Trainer) -> float:
    """Nats per title token on validation users."""
    model.eval()
    lm = CausalLM(model, trainer.lm.tokenizer)
    prior = torch.zeros(len(trainer.plan.edge_token))
    judge = TrainingLoss(lm, trainer.plan, prior, trainer.config)
    total, tokens, users = 0.0, 0, list(trainer.split.valid)[:JUDGED]
    for start in range(0, len(users), 16):
        rng = np.random.default_rng([7, start])
        batch = trainer.builder.batch(users[start : start + 16], trainer.tokens_of, rng)
        total += judge(batch).decisions
        tokens += len(batch.title_token)
    return total / tokens


def main() -> None:
    """Train with both and print the comparison."""
    parser = command_line(__doc__)
    parser.add_argument("--steps", type=int, default=60, help="of 8 users each, an even number")
    chosen = parser.parse_args()
    report = Report("Training", "torch", "transformers", "peft")
    steps = max(2, chosen.steps - chosen.steps % 2)
    use_all_cores()
    transformers.logging.set_verbosity_error()
    data = NAMED["ml-100k"].load()
    split = split_users(list(data.likes))
    config = TrainConfig(objective="completion", epochs=1, validity=0.0)
    encoder = make_encoder(DEFAULT_ENCODER)
    out_of_fold = OutOfFold(data, split.train, encoder, seed=config.seed)
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        teacher = Teacher(out_of_fold, BlendRanker.classical(), config.likes_share)
        trainer = Trainer(data, split, config, Path(folder), teacher)
        trainer.steps_per_epoch = steps
        rounds = [users for epoch in range(20) for users in trainer.users_of(epoch)]
        batches = [users for users in rounds if len(users) == config.batch_users][:steps]
        examples: list[dict[str, list[int]]] = []
        for step, users in enumerate(batches):
            rng = np.random.default_rng([config.seed, 1, 0, step])
            examples += examples_of(trainer.builder.batch(users, trainer.tokens_of, rng))
        tokens = sum(label != IGNORED for e in examples for label in e["labels"])
        ways: dict[str, Ours | Plain] = {
            "coldstart": Ours(trainer, batches),
            "Trainer, float32": Plain(config, examples, bf16=False, steps=steps),
            "Trainer, bf16": Plain(config, examples, bf16=True, steps=steps),
        }
        seconds = dict.fromkeys(ways, 0.0)
        before = loss_of(trainer.model, trainer)
        for first, last in ((0, steps // 2), (steps // 2, steps)):
            for name, way in ways.items():
                seconds[name] += way.train(first, last)
                print(f"{name}: {last} of {steps} steps, {seconds[name]:.0f} s", flush=True)
        losses = {name: loss_of(way.model, trainer) for name, way in ways.items()}
    rows = [
        {
            "loop": name,
            "target_tokens_per_s": tokens / seconds[name],
            "ratio": seconds[name] / seconds["coldstart"],
            "valid_loss": losses[name],
        }
        for name in ways
    ]
    told = (
        f"{len(examples)} sequences with {tokens} title tokens; before training the loss was "
        f"{before:.3f}."
    )
    head = ["loop", "title tokens/s", "time ÷ that of coldstart"]
    head += ["loss per title token, validation"]
    cells = [
        (r["loop"], f"{r['target_tokens_per_s']:.0f}", f"{r['ratio']:.2f}")
        + (f"{r['valid_loss']:.3f}",)
        for r in rows
    ]
    report.publish(chosen.out, [told, table(head, cells)], {"rows": rows})


if __name__ == "__main__":
    main()
