"""Batches: users per second and memory over many users, and what is left of one that is killed.

    python benchmarks/batch.py --users 100000 --out docs/results/batch
    python benchmarks/batch.py --kills 50

Users are made up: age, gender, an occupation, and up to five films that they like, drawn by
popularity. With ``--kills`` the command ``coldstart batch`` is killed with SIGKILL at random
moments until it has been killed so often, then it is left to end; all parts must be those of an
uninterrupted run, byte by byte, with every user once. Exits with 1 if they are not.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from results import Report, command_line, memory, table

from coldstart.batch import BatchOptions, run_batch
from coldstart.data.named import NAMED

OCCUPATIONS = ("student", "engineer", "educator", "writer", "artist", "nurse", "lawyer")
FEW, SMALL = 400, 20  # users and users per part of the killed runs


def made_users(n: int, seed: int = 0) -> pl.DataFrame:
    """A table of users."""
    rng = np.random.default_rng(seed)
    data = NAMED["ml-100k"].load()
    likes = [i for liked in data.likes.values() for i in liked]
    picks = rng.choice(np.array(likes, dtype=object), (n, 5))
    sizes = rng.integers(0, 6, n)
    return pl.DataFrame(
        {
            "user_id": [f"user-{row:09d}" for row in range(n)],
            "age": rng.integers(14, 80, n),
            "gender": rng.choice(["M", "F"], n),
            "occupation": rng.choice(OCCUPATIONS, n),
            "liked": [
                list(dict.fromkeys(row[:size].tolist()))
                for row, size in zip(picks, sizes, strict=True)
            ],
        }
    )


def speed(artifact: Path, n: int, jobs: int, strategy: str) -> dict[str, object]:
    """Answer everyone once; returns the figures."""
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        users_file, out = Path(folder) / "users.parquet", Path(folder) / "out"
        made_users(n).write_parquet(users_file)
        seen: list[tuple[int, float, float]] = []

        def report(done: int, total: int) -> None:
            seen.append((done, time.monotonic(), memory("VmRSS")))
            if len(seen) % 10 == 0:
                print(f"{done:,} of {total:,}, {seen[-1][2]:.0f} MB", flush=True)

        asked = BatchOptions(strategy=strategy)  # type: ignore[arg-type]
        made = run_batch(artifact, users_file, out, asked, jobs=jobs, report=report)
        size = sum(p.stat().st_size for p in out.glob("part-*"))
        rows = pl.scan_parquet(out / "part-*.parquet").select(
            users=pl.len(), different=pl.col("user_id").n_unique()
        )
        users, different = rows.collect().row(0)
    tenth, end = seen[max(1, len(seen) // 10)], seen[-1]
    steady = (end[0] - tenth[0]) / max(end[1] - tenth[1], 1e-9)
    return {
        "users": users,
        "different_users": different,
        "strategy": strategy,
        "jobs": jobs,
        "seconds": round(made.seconds, 1),
        "users_per_s": round(steady, 1),
        "memory_mb_after_a_tenth": round(tenth[2]),
        "memory_mb_at_the_end": round(end[2]),
        "bytes_per_user": round(size / users),
    }


def kills(artifact: Path, wanted: int, seed: int) -> dict[str, object]:
    """Kill the command again and again; returns what came of it."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        users_file, whole = Path(folder) / "users.parquet", Path(folder) / "whole"
        made_users(FEW).write_parquet(users_file)

        def command(out: Path) -> list[str]:
            return [
                *(sys.executable, "-m", "coldstart", "batch", "--users", str(users_file)),
                *("--out", str(out), "--artifact", str(artifact), "--strategy", "prior"),
                *("--size", str(SMALL), "--json"),
            ]

        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        start = time.monotonic()
        subprocess.run(command(whole), check=True, **quiet)  # type: ignore[call-overload]
        longest = time.monotonic() - start
        expected = {p.name: p.read_bytes() for p in whole.iterdir()}
        killed = rounds = 0
        faults: list[str] = []
        while killed < wanted:
            out = Path(folder) / f"killed-{rounds}"
            rounds += 1
            ended = False
            while not ended and killed < wanted:
                child = subprocess.Popen(command(out), **quiet)  # type: ignore[call-overload]
                try:  # most of the time goes into starting: aim at what comes after
                    child.wait(longest * rng.uniform(0.5, 1.0))
                    ended = True
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                    killed += 1
                faults += [
                    f"{part.name} is not whole"
                    for part in out.glob("part-*")
                    if part.read_bytes() != expected[part.name]
                ]
                print(f"{killed} kills, {len(list(out.glob('part-*')))} parts", flush=True)
            subprocess.run(command(out), check=True, **quiet)  # type: ignore[call-overload]
            found = {p.name: p.read_bytes() for p in out.iterdir() if p.name[0] != "."}
            if found != expected:
                faults.append(f"round {rounds} left other files than an uninterrupted run")
            users = pl.read_parquet(out / "part-*.parquet")["user_id"].to_list()
            if sorted(users) != sorted(made_users(FEW)["user_id"].to_list()):
                faults.append(f"round {rounds} does not have every user once")
    return {
        "kills": killed,
        "rounds": rounds,
        "users": FEW,
        "parts": FEW // SMALL,
        "faults": faults,
    }


def main() -> None:
    """Measure what is asked for."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("adapters/ml-100k"))
    parser.add_argument("--users", type=int, default=0, help="made-up users to answer")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--strategy", default="prior")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    report = Report("Batches", "numpy", "polars")
    found: dict[str, dict[str, object]] = {}
    if chosen.users:
        found["speed"] = speed(chosen.artifact, chosen.users, chosen.jobs, chosen.strategy)
    if chosen.kills:
        found["crash"] = kills(chosen.artifact, chosen.kills, chosen.seed)
    text = [table([name, ""], list(figures.items())) for name, figures in found.items()]
    report.publish(chosen.out, text, found)
    sys.exit(1 if found.get("crash", {}).get("faults") else 0)


if __name__ == "__main__":
    main()
