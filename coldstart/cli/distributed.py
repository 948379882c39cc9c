"""Output of distributed runs: rank 0 prints, and the first process to fail prints the error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

_FAILED = "coldstart/failed"


def is_distributed() -> bool:
    """True if a launcher such as torchrun started several processes."""
    return os.environ.get("WORLD_SIZE", "1") not in ("", "1")


def is_other_rank() -> bool:
    """True for a process of several that is not rank 0."""
    return is_distributed() and os.environ.get("RANK", "0") != "0"


def silence_other_ranks() -> None:
    """Suppress the output of this process, if it is one of several and not rank 0."""
    if is_other_rank():
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()


@contextmanager
def main_process_output() -> Iterator[None]:
    """Restrict output to rank 0, and error messages to the first process that fails.

    Processes that fail as a consequence exit silently. No effect without a launcher.
    """
    if not is_distributed():
        yield
        return
    silence_other_ranks()
    try:
        yield
    except Exception as e:
        if not _first_to_fail():
            raise SystemExit(1) from e
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        raise


def _first_to_fail() -> bool:
    """Register the failure in the launcher's store, which outlives the processes."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    try:
        store = TCPStore(
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=False,
            timeout=timedelta(seconds=5),
            wait_for_workers=False,
        )
        return bool(store.add(f"{_FAILED}/{attempt}", 1) == 1)
    except (KeyError, ValueError, RuntimeError):
        return True  # repeated output is better than none
