"""Who speaks where a launcher has started the command line several times.

The main process speaks; of errors, the one that fails first tells.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

_FAILED = "coldstart/failed"


def is_one_of_several() -> bool:
    """True if a launcher such as torchrun started this process beside others."""
    return os.environ.get("WORLD_SIZE", "1") not in ("", "1")


def hush() -> None:
    """Print nothing more from this process, if it is one of several and not the main one."""
    if is_one_of_several() and os.environ.get("RANK", "0") != "0":
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()


@contextmanager
def one_voice() -> Iterator[None]:
    """Let one process of a launcher's explain what went wrong in any of them.

    The processes that fail because another one did end without a word. Without a launcher, nothing
    is different.
    """
    if not is_one_of_several():
        yield
        return
    hush()
    try:
        yield
    except Exception as e:
        if not _first_to_fail():
            raise SystemExit(1) from e
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        raise


def _first_to_fail() -> bool:
    """Ask the launcher's store, which outlives any of the processes."""
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
        return True  # twice is better than not at all
