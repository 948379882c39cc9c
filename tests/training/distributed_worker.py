"""What ``test_distributed.py`` starts several times: trainings of the tiny model, side by side."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from coldstart.settings import TrainConfig
from coldstart.training.launcher import join_processes
from coldstart.training.loop import Trainer
from coldstart.training.processes import Processes
from tests.toy import toy_config, toy_dataset, toy_split, toy_teacher

# Of 5 users to a batch, one process has two and the other three; of 1, one process has none.
SCENES: dict[str, dict[str, object]] = {
    "distil": {"batch_users": 5, "patience": 5},
    "branch": {"objective": "branch", "use_prior": True, "batch_users": 5, "epochs": 1},
    "completion": {"objective": "completion", "batch_users": 5, "epochs": 1},
    "alone": {"batch_users": 1, "epochs": 1},
    "bfloat16": {"batch_users": 5, "epochs": 1, "dtype": "bfloat16"},
}
SHARDED = ("distil", "alone")
CUT = 11  # updates, in the second epoch of "distil"


class CutError(Exception):
    """Stands for a kill."""


def config_of(scene: str, base: str) -> TrainConfig:
    return toy_config(base, **SCENES[scene])


def trainer_of(scene: str, base: str, out: Path, processes: Processes | None = None) -> Trainer:
    config = config_of(scene, base)
    return Trainer(toy_dataset(), toy_split(), config, out, toy_teacher(), processes)


@contextmanager
def watched_norms() -> Iterator[list[float]]:
    """The norms of the gradients before they are clipped."""
    clip, norms = torch.nn.utils.clip_grad_norm_, []

    def watch(parameters: Any, most: float) -> torch.Tensor:
        norm = clip(parameters, most)
        norms.append(float(norm))
        return norm

    torch.nn.utils.clip_grad_norm_ = watch  # type: ignore[assignment]
    try:
        yield norms
    finally:
        torch.nn.utils.clip_grad_norm_ = clip


def run(trainer: Trainer, cut: int | None = None) -> dict[str, Any]:
    """Train to the end, or up to an update; what came of it."""
    rows: list[dict[str, Any]] = []

    def report(row: dict[str, Any]) -> None:
        rows.append({n: v for n, v in row.items() if n != "seconds"})

    step = trainer.train_step

    def cutting(users: list[str]) -> dict[str, float]:
        if trainer.updates == cut:
            raise CutError
        return step(users)

    trainer.train_step = cutting  # type: ignore[method-assign]
    with watched_norms() as norms:
        try:
            trainer.run(report)
        except CutError:
            trainer.save_checkpoint()
    return {"rows": rows, "norms": norms, "best": trainer.best_epoch}


def held_bytes(trainer: Trainer) -> int:
    """What the base model's layers take in this process."""
    held = 0
    for name, parameter in trainer.model.named_parameters():
        if not parameter.requires_grad and ".layers." in name:
            own = parameter.to_local() if hasattr(parameter, "to_local") else parameter
            held += own.numel() * own.element_size()
    return held


def main(base: str, out: Path) -> None:
    """Train every scene with the other processes, and write down what this one has of it."""
    processes = join_processes(config_of("distil", base))
    for scene in SHARDED if processes.sharded else SCENES:
        trainer = trainer_of(scene, base, out / scene, processes)
        held = held_bytes(trainer)
        found = run(trainer) | {"held": held, "processes": processes.count}
        place = out / scene / f"{processes.index}"
        torch.save([m.detach() for m in trainer.masters], place.with_suffix(".pt"))
        place.with_suffix(".json").write_text(json.dumps(found), encoding="utf-8")
    if processes.sharded:
        return
    run(trainer_of("distil", base, out / "cut", processes), cut=CUT)
    going_on = trainer_of("distil", base, out / "from-one", processes)
    assert going_on.resume()
    run(going_on)


def _command(arguments: list[str]) -> None:
    from coldstart import cli  # the other processes need none

    sys.exit(cli.main(arguments))


def fail(arguments: list[str]) -> None:
    """``coldstart train`` whose second process finds its disk full after two steps."""
    if os.environ["RANK"] == "1":
        whole = Trainer.train_step

        def broken(trainer: Trainer, users: list[str]) -> dict[str, float]:
            if trainer.updates == 2:
                raise OSError(28, "No space left on device", "swap")
            return whole(trainer, users)

        Trainer.train_step = broken  # type: ignore[method-assign]
    _command(arguments)


def hold(arguments: list[str]) -> None:
    """``coldstart train`` whose second process stops after two epochs, until it is killed."""
    if os.environ["RANK"] == "1":
        whole = Trainer.train_step

        def held(trainer: Trainer, users: list[str]) -> dict[str, float]:
            lines = trainer.out / "metrics.jsonl"
            if lines.is_file() and lines.read_text(encoding="utf-8").count("\n") >= 2:
                threading.Event().wait()
            return whole(trainer, users)

        Trainer.train_step = held  # type: ignore[method-assign]
    _command(arguments)


if __name__ == "__main__":
    if sys.argv[1] == "fail":
        fail(sys.argv[2:])
    if sys.argv[1] == "hold":
        hold(sys.argv[2:])
    main(sys.argv[1], Path(sys.argv[2]))
