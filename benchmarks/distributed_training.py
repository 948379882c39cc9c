"""Seconds per training step on one process of two threads, and on two processes of one thread.

    python benchmarks/distributed_training.py --steps 8 --out docs/results/distributed-training

The default model, MovieLens-100K and the default settings; torchrun starts the two processes. They
and the single ones take turns, ``--rounds`` times; the first step of each is not counted. Beside
the time: the part of it in which a process waits for the other, its memory at the peak, and how far
the losses of the same steps are apart. About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

WAYS = {  # name: (processes, threads of each)
    "1 process, 2 threads": (1, 2),
    "2 processes, 1 thread each": (2, 1),
    "1 process, 1 thread": (1, 1),
}


def work(out: Path, steps: int) -> None:
    """Be one of the processes: train some steps, and write down what they took."""
    from coldstart.artifacts.loading import make_encoder
    from coldstart.data.named import NAMED
    from coldstart.ranking.ranker import BlendRanker
    from coldstart.runtime.models import DEFAULT_ENCODER
    from coldstart.settings import TrainConfig
    from coldstart.splitting.user_splits import split_users
    from coldstart.training.loop import Trainer
    from coldstart.training.out_of_fold import OutOfFold
    from coldstart.training.processes import Processes
    from coldstart.training.teacher import Teacher

    class Timed(Processes):
        """Knows how long it has waited for the others."""

        waited = 0.0

        def gather(self, value: Any) -> Any:
            start = time.perf_counter()
            found = super().gather(value)
            self.waited += time.perf_counter() - start
            return found

        def all_reduce(self, tensors: Any) -> Any:
            start = time.perf_counter()
            found = super().add(tensors)
            self.waited += time.perf_counter() - start
            return found

    processes = Timed.join("cpu")
    data = NAMED["ml-100k"].load()
    split = split_users(list(data.likes))
    config = TrainConfig(device="cpu")
    out_of_fold = OutOfFold(data, split.train, make_encoder(DEFAULT_ENCODER), seed=config.seed)
    teacher = Teacher(out_of_fold, BlendRanker.classical(), config.likes_share)
    trainer = Trainer(data, split, config, out, teacher, processes)
    trainer.model.train()
    seconds: list[float] = []
    losses: list[float] = []
    waits: list[float] = []
    for step, users in enumerate(trainer.users_of(0)[: steps + 1]):
        trainer.step, start, before = step, time.perf_counter(), processes.waited
        losses.append(trainer.train_step(users)["loss"])
        seconds.append(time.perf_counter() - start)
        waits.append(processes.waited - before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found: dict[str, Any] = {"seconds": seconds[1:], "losses": losses, "waits": waits[1:]}
    found |= {"dtype": trainer.dtype, "peak_mb": peak}
    all_found = processes.gather(found)
    if processes.is_main:
        shared = found | {"waits": np.mean([f["waits"] for f in all_found], axis=0).tolist()}
        (out / "found.json").write_text(json.dumps(shared), encoding="utf-8")


def timed(processes: int, threads: int, steps: int) -> dict[str, Any]:
    """What the steps took on some processes."""
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        launcher = [sys.executable]
        if processes > 1:
            torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
            launcher += [*torchrun, str(processes)]
        command = [*launcher, __file__, "--worker", folder, "--steps", str(steps)]
        subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": str(threads)}, check=True)
        found: dict[str, Any] = json.loads((Path(folder) / "found.json").read_text("utf-8"))
        return found


def main() -> None:
    """Time every way in turns and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=8, help="of 8 users, timed in each round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, help="writes OUT.md and OUT.json")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        return work(chosen.worker, chosen.steps)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for _ in range(chosen.rounds):
        for name, (processes, threads) in WAYS.items():
            found[name].append(timed(processes, threads, chosen.steps))
            print(f"{name}: {np.mean(found[name][-1]['seconds']):.2f} s a step", flush=True)
    first = np.array(found["1 process, 2 threads"][0]["losses"])
    rows = [
        {
            "way": name,
            "seconds_per_step": float(np.mean([run["seconds"] for run in runs])),
            "fastest_round": float(min(np.mean(run["seconds"]) for run in runs)),
            "waiting": float(
                np.sum([r["waits"] for r in runs]) / np.sum([r["seconds"] for r in runs])
            ),
            "peak_mb": max(run["peak_mb"] for run in runs),
            "loss_apart": float(np.max(np.abs(np.array(runs[0]["losses"]) / first - 1))),
        }
        for name, runs in found.items()
    ]
    packages = ("coldstart-rec", "torch", "accelerate", "transformers", "peft")
    command = f"python benchmarks/distributed_training.py --steps {chosen.steps}"
    about = (
        f"`{command} --rounds {chosen.rounds}`: default settings, "
        f"{found['1 process, 2 threads'][0]['dtype']}; {len(os.sched_getaffinity(0))} cores, "
        f"load {os.getloadavg()[0]:.1f}, {platform.machine()}, Python "
        f"{platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in packages)
    )
    lines = [
        "# Training on several processes",
        "",
        about,
        "",
        "| | s/step | in the fastest round | of it waiting | peak MB each | losses apart |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r['way']} | {r['seconds_per_step']:.2f} | {r['fastest_round']:.2f} | "
            f"{r['waiting']:.0%} | {r['peak_mb']:.0f} | {r['loss_apart']:.2%} |"
            for r in rows
        ),
    ]
    print("\n".join(lines))
    if chosen.out:
        from coldstart.runtime.cache import write_atomic

        write_atomic(chosen.out.with_suffix(".md"), "\n".join(lines) + "\n")
        report = {"about": about, "rows": rows}
        write_atomic(chosen.out.with_suffix(".json"), json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
