"""Running a batch: one process or several here, or the actors of a Ray cluster."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from coldstart.batch.plan import FILE, Options, Plan, digest_of_artifact
from coldstart.batch.stage import Stage, part_of
from coldstart.batch.users import UserTable
from coldstart.errors import ColdstartError, ConfigError
from coldstart.generation.remote.vllm import GeneratorOptions
from coldstart.recommender import Recommender
from coldstart.runtime.cache import leftovers, write_atomic

Engine = Literal["local", "ray"]
Report = Callable[[int, int], None]
DONE = "_SUCCESS.json"
_STALE = 3600.0  # seconds after which nobody still writes a file
_AHEAD = 2  # parts that wait for each process, besides the one it makes


@dataclass(frozen=True)
class Made:
    """What a run did.

    Args:
        users: of this shard.
        skipped: of these, answered by an earlier run.
        errors: users of all finished parts who could not be answered; ``None`` while other
            shards' parts are missing.
        missing: parts of other shards that are not there yet.
        seconds: that it took.
    """

    users: int
    skipped: int
    errors: int | None
    missing: int
    seconds: float


@dataclass(frozen=True)
class Job:
    """What a process needs to know to make parts; it loads the rest itself."""

    artifact: Path
    users: Path
    plan: Plan
    out: Path
    device: str = "auto"
    dtype: str = "auto"
    generator: GeneratorOptions | None = None

    def stage(self) -> Stage:
        """Load everything."""
        recommender = Recommender.from_pretrained(
            self.artifact,
            device=self.device,
            dtype=self.dtype,
            generator=self.generator.open() if self.generator else None,
        )
        return Stage(recommender, UserTable(self.users, self.out), self.plan, self.out)


def run_batch(
    artifact: Path,
    users: Path,
    out: Path,
    options: Options | None = None,
    *,
    size: int = 1000,
    shard: tuple[int, int] = (0, 1),
    jobs: int = 1,
    engine: Engine = "local",
    address: str | None = None,
    gpus: float = 0.0,
    device: str = "auto",
    dtype: str = "auto",
    generator: GeneratorOptions | None = None,
    report: Report | None = None,
) -> Made:
    """Recommend to every user of a table, into Parquet files of ``size`` users each.

    A part is there as a whole or not at all. Killed at any moment, the same command goes on with
    the parts that are missing, and what comes out is the same, byte by byte (with as many threads).

    Args:
        artifact: folder of the recommender.
        users: table of users, see ``UserTable``.
        out: folder of the parts; other shards may share it.
        options: what everyone is asked for.
        size: users per part.
        shard: (which one, of how many): each makes the parts of its own.
        jobs: processes, or actors.
        engine: ``local``, or ``ray`` (``pip install 'coldstart-rec[ray]'``).
        address: of a Ray cluster; ``None`` starts one here.
        gpus: per actor, for ``ray``.
        device: as for ``Recommender.from_pretrained``.
        dtype: likewise.
        generator: where titles are written, if not here.
        report: called with (users done, users of this shard).

    Raises:
        ConfigError: an option out of range.
        DataError: a table that cannot be read, or a folder of another batch.
        ArtifactError: the artifact cannot be loaded.
    """
    if jobs < 1:
        raise ConfigError(f"{jobs} jobs, expected at least 1")
    if engine not in ("local", "ray"):
        raise ConfigError(f"engine is {engine!r}", "local or ray")
    start, tell = time.monotonic(), report or (lambda done, total: None)
    out.mkdir(parents=True, exist_ok=True)
    table = UserTable(users, out)
    asked = replace(options or Options(), writer=generator.name if generator else None)
    plan = Plan(table.digest, table.rows, digest_of_artifact(artifact), size, asked)
    mine = list(plan.shard(*shard))
    plan.open(out)
    for names in ("part-*.parquet", "_users-*.parquet", FILE, DONE):
        leftovers(out, names, _STALE)
    job = Job(artifact, users, plan, out, device, dtype, generator)
    todo = [n for n in mine if not part_of(out, n).exists()]
    total = sum(plan.chunk(n)[1] for n in mine)
    skipped = done = total - sum(plan.chunk(n)[1] for n in todo)
    tell(done, total)
    for made in _made(job, todo, jobs, engine, address, gpus):
        done += made
        tell(done, total)
    missing = sum(not part_of(out, n).exists() for n in range(plan.parts))
    errors = None if missing else _finish(out, plan)
    return Made(total, skipped, errors, missing, time.monotonic() - start)


def _made(
    job: Job, todo: list[int], jobs: int, engine: Engine, address: str | None, gpus: float
) -> Iterator[int]:
    """Users of each part as it is made."""
    if not todo:
        return
    if engine == "ray":
        from coldstart.batch.ray_engine import made_by_ray

        yield from made_by_ray(job, todo, jobs, address, gpus)
    elif jobs == 1:
        stage = job.stage()
        yield from map(stage.make, todo)
    else:
        yield from _by_processes(job, todo, min(jobs, len(todo)))


_stage: Stage | None = None  # of this process


def _load(job: Job, threads: int) -> None:
    global _stage
    import torch

    torch.set_num_threads(threads)
    _stage = job.stage()


def _make(number: int) -> int:
    assert _stage is not None
    return _stage.make(number)


def _by_processes(job: Job, todo: Iterable[int], jobs: int) -> Iterator[int]:
    threads = max(1, len(os.sched_getaffinity(0)) // jobs)
    waiting = iter(todo)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_load, initargs=(job, threads)) as pool:
        running = {pool.submit(_make, n) for n in islice(waiting, jobs * _AHEAD)}
        try:
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield one.result()
                running |= {pool.submit(_make, n) for n in islice(waiting, len(ended))}
        except BrokenProcessPool:
            raise ColdstartError(
                "a process of the batch died", "for lack of memory? Fewer --jobs; then go on"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _finish(out: Path, plan: Plan) -> int:
    """Count who could not be answered, and leave a mark that every part is there."""
    import polars as pl

    parts = pl.scan_parquet(out / "part-*.parquet")
    rows, errors = parts.select(rows=pl.len(), errors=pl.col("error").count()).collect().row(0)
    found = {"users": rows, "errors": errors, "parts": plan.parts}
    write_atomic(out / DONE, json.dumps(found, indent=1) + "\n")
    for converted in out.glob("_users-*.parquet"):
        converted.unlink(missing_ok=True)
    return int(errors)
