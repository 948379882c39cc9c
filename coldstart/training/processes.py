"""Data-parallel process group: partitioning and collective operations.

Group, backend and devices are accelerate's. Every collective returns the same results in the same
order in all processes; without a launcher the group has one process.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor

from coldstart.errors import ColdstartError
from coldstart.runtime.hardware import pick_device

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = timedelta(days=7)
"""Timeout of collectives: the others wait while the main process works alone, e.g. on trees. A
process that dies ends the wait."""


def partition_of(n: int, index: int, count: int) -> range:
    """Contiguous partition of ``range(n)`` for one process; sizes differ by at most one.

    Args:
        n: number of elements.
        index: rank of the process, from 0.
        count: number of processes.

    >>> [list(partition_of(5, index, 2)) for index in (0, 1)]
    [[0, 1], [2, 3, 4]]
    """
    return range(n * index // count, n * (index + 1) // count)


class Processes:
    """Process group of a training run.

    Args:
        index: rank of this process; rank 0 is the main process, which alone writes and reports.
        count: number of processes.
        sharded: whether the model is sharded, so that all processes must run it equally often.
    """

    def __init__(self, index: int = 0, count: int = 1, *, sharded: bool = False) -> None:
        self.index, self.count, self.sharded = index, count, sharded

    @classmethod
    def join(cls, device: str = "auto", *, sharded: bool = False) -> Processes:
        """Initialise the process group from the launcher's environment; without one, of size 1.

        Args:
            device: to train on; of several GPUs, each process gets one.
            sharded: as for the class; ignored for a single process.
        """
        from accelerate import PartialState
        from accelerate.utils import InitProcessGroupKwargs, disable_fsdp_ram_efficient_loading

        if sharded:
            disable_fsdp_ram_efficient_loading()  # Transformers would leave weights out
        is_cpu = pick_device(device).type == "cpu"
        patience = InitProcessGroupKwargs(timeout=_PATIENCE).to_kwargs()
        try:
            state = PartialState(cpu=is_cpu, **patience)
        except (RuntimeError, ValueError) as e:
            raise _process_lost(e) from e
        if state.num_processes > 1:
            atexit.register(state.destroy_process_group)
        is_several = state.num_processes > 1
        return cls(state.process_index, state.num_processes, sharded=sharded and is_several)

    @property
    def is_main(self) -> bool:
        """True in the process that writes and reports."""
        return self.index == 0

    def partition(self, n: int) -> range:
        """Partition of ``range(n)`` of this process."""
        return partition_of(n, self.index, self.count)

    def gather(self, value: T) -> list[T]:
        """All-gather: the values of all processes, by rank."""
        if self.count == 1:
            return [value]
        from accelerate.utils import gather_object

        return _checked(lambda: list(gather_object([value])))

    def map(self, things: Sequence[T], work: Callable[[T], R]) -> list[R]:
        """Map over items, partitioned across processes.

        Args:
            things: the same items in every process.
            work: computes the result of one item; may run the model.

        Returns:
            All results, in order, in every process.
        """
        if self.sharded or self.count == 1:
            return [work(thing) for thing in things]
        own = [work(things[n]) for n in self.partition(len(things))]
        return [result for part in self.gather(own) for result in part]

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Sum tensors over all processes; shapes and dtype must agree."""
        if self.count == 1:
            return list(tensors)
        from accelerate.utils import reduce

        flat = torch.cat([t.flatten() for t in tensors])
        total = _checked(lambda: reduce(flat, reduction="sum"))
        pieces = total.split([t.numel() for t in tensors])
        return [piece.view_as(t) for piece, t in zip(pieces, tensors, strict=True)]

    def broadcast(self, make: Callable[[], T]) -> T:
        """Compute a value in the main process and broadcast it.

        Args:
            make: called in the main process only; the others wait.
        """
        if self.count == 1:
            return make()
        from accelerate.utils import broadcast_object_list

        made = [make() if self.is_main else None]
        whole: T = _checked(lambda: broadcast_object_list(made))[0]
        return whole


def _checked(exchange: Callable[[], T]) -> T:
    try:
        return exchange()
    except RuntimeError as e:
        raise _process_lost(e) from e


def _process_lost(e: Exception) -> ColdstartError:
    lines = str(e).strip().splitlines() or [type(e).__name__]
    return ColdstartError(
        f"a process of this run has ended or cannot be reached: {lines[0][:160]}",
        hint="the same command, on as many processes as you like, goes on from the last checkpoint",
    )
