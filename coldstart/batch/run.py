"""Batch execution: in process, in a pool of local processes, or on Ray actors."""

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

from coldstart.batch.job import BatchJob
from coldstart.batch.part_file import (
    RECEIPTS,
    PartReceipt,
    check_part,
    disk_errors,
    has_users,
    part_path,
    receipt_path,
    unknown_parts,
)
from coldstart.batch.part_writer import PartWriter
from coldstart.batch.plan import PLAN_FILE, BatchOptions, BatchPlan, artifact_digest
from coldstart.batch.users import UserTable
from coldstart.errors import ColdstartError, ConfigError, DataError
from coldstart.generation.remote.vllm import GeneratorOptions
from coldstart.profile.resolve import AMBIGUOUS, LEFT_OUT
from coldstart.runtime.cache import leftovers, write_atomic

Engine = Literal["local", "ray"]
Report = Callable[[int, int], None]
DONE = "_SUCCESS.json"
_STALE = 3600.0  # seconds after which a temporary file is considered abandoned
_PREFETCH = 2  # parts queued per process, including the one in progress


@dataclass(frozen=True)
class BatchSummary:
    """Outcome of one batch run.

    Args:
        users: users in this shard.
        skipped: users of this shard whose parts an earlier run had written.
        errors: users without a list, over all parts; ``None`` while parts of other shards are
            missing.
        missing: number of parts of other shards that are not written yet, or damaged.
        seconds: wall-clock time of the run.
        damaged: number of parts of this shard that an earlier run had written, and that were
            damaged or exchanged since; they have been written again.
        left_out: picks that were unknown or ambiguous, over all parts; why is in their notes.
            ``None`` while parts of other shards are missing.
        read: what was read in the users table, in one paragraph.
    """

    users: int
    skipped: int
    errors: int | None
    missing: int
    seconds: float
    damaged: int = 0
    left_out: int | None = None
    read: str = ""


def run_batch(
    artifact: Path,
    users: Path,
    out: Path,
    options: BatchOptions | None = None,
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
) -> BatchSummary:
    """Recommend to every user of a table, into Parquet files of ``size`` users each.

    Parts are written atomically. After a crash the same call resumes with the missing parts; the
    output is byte-identical to that of an uninterrupted run (with the same number of threads).
    Before ``_SUCCESS.json`` is written, every part is checked: file hash, Parquet footer, number of
    rows, and that its users are those of its rows of the table. Damaged parts are written again.

    Args:
        artifact: folder of the recommender.
        users: path of the users table, see ``UserTable``.
        out: output folder; shards may share it.
        options: recommendation options.
        size: users per part.
        shard: (index, number of shards); each shard writes its own parts.
        jobs: number of processes, or of Ray actors.
        engine: ``local``, or ``ray`` (``pip install 'coldstart-rec[ray]'``).
        address: address of a Ray cluster; ``None`` starts a local one.
        gpus: GPUs per Ray actor.
        device: see ``Recommender.from_pretrained``.
        dtype: likewise.
        generator: remote text generator, if not the local language model.
        report: progress callback, called with (users done, users in this shard).

    Raises:
        ConfigError: an option is out of range.
        DataError: the users table cannot be read, the folder belongs to another batch or holds
            parts of none, the disk is full, or parts are damaged as soon as they are written.
        ArtifactError: the artifact cannot be loaded.
    """
    if jobs < 1:
        raise ConfigError(f"{jobs} jobs, expected at least 1")
    if engine not in ("local", "ray"):
        raise ConfigError(f"engine is {engine!r}", "local or ray")
    start, progress = time.monotonic(), report or (lambda done, total: None)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        table = UserTable(users, out)
        read = table.paragraph()
        options = replace(options or BatchOptions(), writer=generator.name if generator else None)
        plan = BatchPlan(table.digest, table.rows, artifact_digest(artifact), size, options)
        numbers = list(plan.shard(*shard))
        plan.open(out)
        _tidy(out, plan)
        job = BatchJob(artifact, users, plan, out, device, dtype, generator)
        todo = [n for n in numbers if _complete(out, plan, table, n) is None]
        damaged = sum(part_path(out, n).exists() for n in todo)
        for n in todo:
            (out / DONE).unlink(missing_ok=True)
            receipt_path(out, n).unlink(missing_ok=True)
        total = sum(plan.chunk(n)[1] for n in numbers)
        skipped = done = total - sum(plan.chunk(n)[1] for n in todo)
        progress(done, total)
        for users_written in _write_parts(job, todo, jobs, engine, address, gpus):
            done += users_written
            progress(done, total)
        errors, bad = _finish(out, plan, table)
    if own := sorted(set(bad) & set(numbers)):
        raise DataError(
            f"{part_path(out, own[0])} is damaged as soon as it is written ({len(own)} in all)",
            "check disk and memory, then repeat the command",
        )
    took = time.monotonic() - start
    left_out = None if errors is None else _left_out(out)
    return BatchSummary(total, skipped, errors, len(bad), took, damaged, left_out, read)


def _tidy(out: Path, plan: BatchPlan) -> None:
    """Delete abandoned temporary files; refuse part files that are not of this plan."""
    for pattern in ("part-*.parquet", "_users-*.parquet", PLAN_FILE, DONE):
        leftovers(out, pattern, _STALE)
    leftovers(out / RECEIPTS, "*.json", _STALE)
    if unknown := unknown_parts(out, plan.parts):
        raise DataError(
            f"{out} holds {len(unknown)} files that are no part of this batch, such as "
            f"{unknown[0]}: readers of the folder would count them",
            "move them away",
        )


def _write_parts(
    job: BatchJob, todo: list[int], jobs: int, engine: Engine, address: str | None, gpus: float
) -> Iterator[int]:
    """Yield the number of users of each part once it is written."""
    if not todo:
        return
    if engine == "ray":
        from coldstart.batch.ray_engine import write_parts_on_ray

        yield from write_parts_on_ray(job, todo, jobs, address, gpus)
    elif jobs == 1:
        yield from map(job.writer().write, todo)
    else:
        yield from _write_in_processes(job, todo, min(jobs, len(todo)))


_writer: PartWriter | None = None  # one per worker process


def _load(job: BatchJob, threads: int) -> None:
    global _writer
    import torch

    torch.set_num_threads(threads)
    _writer = job.writer()


def _write(number: int) -> int:
    assert _writer is not None
    return _writer.write(number)


def _write_in_processes(job: BatchJob, todo: Iterable[int], jobs: int) -> Iterator[int]:
    threads = max(1, len(os.sched_getaffinity(0)) // jobs)
    waiting = iter(todo)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_load, initargs=(job, threads)) as pool:
        running = {pool.submit(_write, n) for n in islice(waiting, jobs * _PREFETCH)}
        try:
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield one.result()
                running |= {pool.submit(_write, n) for n in islice(waiting, len(ended))}
        except BrokenProcessPool:
            raise ColdstartError(
                "a process of the batch died", "for lack of memory? Fewer --jobs; then go on"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _complete(out: Path, plan: BatchPlan, table: UserTable, n: int) -> PartReceipt | None:
    """Receipt of a part that is intact and lists the users of its rows; else ``None``."""
    receipt = check_part(out, plan, n)
    return receipt if receipt and has_users(out, n, table.ids(*plan.chunk(n))) else None


def _finish(out: Path, plan: BatchPlan, table: UserTable) -> tuple[int | None, list[int]]:
    """Check all parts; write ``_SUCCESS.json`` if every one is complete.

    Returns:
        Number of users without a list, ``None`` if parts are missing; numbers of the missing or
        damaged parts.
    """
    errors, bad = 0, []
    for n in range(plan.parts):
        receipt = _complete(out, plan, table, n)
        if receipt is None:
            bad.append(n)
        else:
            errors += receipt.errors
    if bad:
        (out / DONE).unlink(missing_ok=True)
        return None, bad
    found = {"users": plan.rows, "errors": errors, "parts": plan.parts}
    write_atomic(out / DONE, json.dumps(found, indent=1) + "\n")
    for converted in out.glob("_users-*.parquet"):
        converted.unlink(missing_ok=True)
    return errors, []


def _left_out(out: Path) -> int:
    """Number of picks that the notes of all parts say were left out."""
    import polars as pl

    notes = pl.scan_parquet(out / "part-*.parquet").select(pl.col("notes").explode())
    note = pl.col("notes")
    found = notes.filter(note.str.starts_with(LEFT_OUT) | note.str.starts_with(AMBIGUOUS))
    return int(found.select(pl.len()).collect().item())
