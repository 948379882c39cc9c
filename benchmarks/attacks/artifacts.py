"""Changed artifacts with right hashes: each is refused in one line, or serves numbers."""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attacks import Outcome
from attacks.mutations import (
    change_arrays,
    change_bytes,
    change_json,
    change_template,
    write_mutant,
)

ROOT = Path(__file__).parents[2]
LONGEST = 120.0  # seconds of processor time that one change may take
FINE = ("refused by ArtifactError", "refused by another typed error", "accepted, lists of numbers")
BAD = ("process died", "untyped error", "list of NaN", "error of several lines", "no end")

_SCORERS = tuple(f"scorers/{name}" for name in ("mentions", "request_memory"))
_TOWER = "scorers/request_encoder"
_MODEL = {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}
_MODEL |= {"prompt/template.j2"}  # files that decide what the model reads and writes
# (artifact, file, change, share)
PLAN: list[tuple[str, str, Any, int]] = [
    ("ml-100k", "counts.safetensors", change_arrays, 250),
    ("ml-100k", "counts.safetensors", change_bytes, 20),
    ("ml-100k", "ranker.json", change_json, 150),
    ("ml-100k", "manifest.json", change_json, 130),
    ("ml-100k", "prompt/template.j2", change_template, 60),
    ("ml-100k", "adapter/adapter_config.json", change_json, 60),
    ("ml-100k", "adapter/adapter_model.safetensors", change_arrays, 25),
    ("ml-100k", "adapter/adapter_model.safetensors", change_bytes, 5),
    ("ml-100k", "split.json", change_json, 20),
    ("movies", "counts.safetensors", change_arrays, 20),
    ("movies", "counts.safetensors", change_bytes, 10),
    ("movies", "ranker.json", lambda d, r: change_json(d, r, ("requests",)), 30),
    ("movies", "manifest.json", change_json, 20),
    *(("movies", f"{folder}/state.safetensors", change_arrays, 50) for folder in _SCORERS),
    *(("movies", f"{folder}/state.json", change_json, 15) for folder in _SCORERS),
    ("movies", f"{_TOWER}/tower.safetensors", change_arrays, 40),
    ("movies", f"{_TOWER}/tower.json", change_json, 15),
    ("movies", f"{_TOWER}/adapter.safetensors", change_arrays, 10),
    ("movies", f"{_TOWER}/adapter_config.json", change_json, 5),
]


def options(parser: argparse.ArgumentParser) -> None:
    """Options of this part."""
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--mutation-seed", type=int, default=0)
    parser.add_argument("--mutation-log", type=Path, help="JSON lines, to go on where it ended")


def _logged(path: Path | None) -> dict[int, dict[str, Any]]:
    """Ends of an interrupted run, by seed."""
    if path is None or not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {found["seed"]: found for found in map(json.loads, lines)}


def plan(n: int, seed: int) -> Iterator[tuple[str, str, Any, int]]:
    """``n`` changes in the shares of ``PLAN``: artifact, file, change, seed."""
    rng, whole = random.Random(seed), sum(share for *_, share in PLAN)
    jobs = [row[:3] for row in PLAN for _ in range(round(row[3] * n / whole))]
    while len(jobs) < n:
        jobs.append(rng.choice(PLAN)[:3])
    rng.shuffle(jobs)
    for number, (artifact, name, change) in enumerate(jobs[:n]):
        yield artifact, name, change, seed * 1_000_003 + number


class Worker:
    """A process that loads artifacts one after another, and may die."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def ask(self, folder: Path, strategies: str) -> dict[str, Any]:
        """What became of an artifact, and of lists by some strategies."""
        if self.process is None:
            environment = os.environ | {"PYTHONPATH": str(ROOT), "COLDSTART_OFFLINE": "1"}
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("load_mutants.py"))],
                env=environment | {"HF_HUB_OFFLINE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{folder}\t{strategies}\n")
        process.stdin.flush()
        begun = _processor_time(process.pid)
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while not ready.select(10):
                if _processor_time(process.pid) - begun > LONGEST:
                    self.stop()
                    return {"end": "no end"}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self.process = None
            told = signal.Signals(-code).name if code < 0 else f"exit {code}"
            return {"end": "process died", "detail": told}
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _processor_time(pid: int) -> float:
    """Seconds that a process has computed; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attack(options: argparse.Namespace) -> Outcome:
    """Change artifacts, and load each and recommend with it in a process of its own."""
    done = _logged(options.mutation_log)
    worker, found, earlier = Worker(), [], len(done)
    with tempfile.TemporaryDirectory(prefix=".attack-", dir=ROOT) as tmp:
        for artifact, name, change, seed in plan(options.mutations, options.mutation_seed):
            if seed not in done:
                source, target = ROOT / "adapters" / artifact, Path(tmp, "mutant")
                shutil.rmtree(target, ignore_errors=True)
                data = change((source / name).read_bytes(), random.Random(seed))
                write_mutant(source, target, name, data)
                with_model = artifact == "ml-100k" and name in _MODEL
                done[seed] = worker.ask(target, "prior,catalog" if with_model else "prior")
                done[seed] |= {"seed": seed, "file": f"{artifact}/{name}"}
                if options.mutation_log:
                    with options.mutation_log.open("a", encoding="utf-8") as log:
                        log.write(json.dumps(done[seed]) + "\n")
                if done[seed]["end"] in BAD:
                    print(json.dumps(done[seed]), file=sys.stderr, flush=True)
            found.append(done[seed])
    worker.stop()
    counted = outcome(found, options.mutation_seed)
    if earlier:
        counted.text.append(f"{earlier} of the ends are from the log of an interrupted run.")
    return counted


def outcome(found: Sequence[dict[str, Any]], seed: int) -> Outcome:
    """Counts of what became of some changed artifacts."""
    ends: Counter[str] = Counter()
    by_file: dict[str, Counter[str]] = {}
    for one in sorted(found, key=lambda one: one["file"]):
        ends[one["end"]] += 1
        by_file.setdefault(one["file"], Counter())[one["end"]] += 1
    rows = ["| file | " + " | ".join(FINE) + " | bad |", "|" + "---|" * (len(FINE) + 2)]
    for file, counts in by_file.items():
        fine = " | ".join(str(counts[end]) for end in FINE)
        rows.append(f"| {file} | {fine} | {sum(counts[end] for end in BAD)} |")
    return Outcome(
        attempts=sum(ends.values()),
        bad={end: ends[end] for end in BAD},
        fine={end: ends[end] for end in FINE},
        text=[
            "Each attempt is a copy of a shipped artifact in which one value, array, name or "
            "stretch of one file was changed; the SHA-256 of the file and the seal of the manifest "
            "were then made right. A separate process loads it and, if it is accepted, asks it for "
            "a list of `prior` and, where adapter or template of ML-100K were changed, "
            "of `catalog`. Whatever is neither "
            "refused by an error of one line nor served with finite scores counts as bad. A typed "
            "error that is no `ArtifactError` tells of this machine, such as an encoder of another "
            "name that cannot be fetched.",
            "\n".join(rows),
        ],
        figures={"seed": seed, "bad": [one for one in found if one["end"] in BAD]},
    )
