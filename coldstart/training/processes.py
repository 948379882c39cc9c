"""The processes that train together: one, or as many as a launcher started.

The process group, its backend and its devices are accelerate's. What is shared out, and what comes
back, is here: every process gets the same results in the same order.
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
"""For what the main process does alone, such as growing trees; a process that dies ends it."""


def share_of(n: int, index: int, count: int) -> range:
    """Which of ``n`` things are one process's: neighbours, as many as the others' or one more.

    Args:
        n: things, in an order that all processes agree on.
        index: of the process, from 0.
        count: processes.

    >>> [list(share_of(5, index, 2)) for index in (0, 1)]
    [[0, 1], [2, 3, 4]]
    """
    return range(n * index // count, n * (index + 1) // count)


class Processes:
    """This process and those it trains with.

    Args:
        index: of this process, from 0, which is the main one: it alone writes and reports.
        count: how many there are.
        sharded: each holds a part of the model, so all must run it equally often.
    """

    def __init__(self, index: int = 0, count: int = 1, *, sharded: bool = False) -> None:
        self.index, self.count, self.sharded = index, count, sharded

    @classmethod
    def join(cls, device: str = "auto", *, sharded: bool = False) -> Processes:
        """Join the processes that a launcher started, if one did.

        Args:
            device: what to train on; of several GPUs, each process gets one.
            sharded: as for the class; means nothing to one process.
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
            raise _lost(e) from e
        if state.num_processes > 1:
            atexit.register(state.destroy_process_group)
        is_several = state.num_processes > 1
        return cls(state.process_index, state.num_processes, sharded=sharded and is_several)

    @property
    def is_main(self) -> bool:
        """True in the one that writes and reports."""
        return self.index == 0

    def mine(self, n: int) -> range:
        """Which of ``n`` things are this process's."""
        return share_of(n, self.index, self.count)

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in their order."""
        if self.count == 1:
            return [value]
        from accelerate.utils import gather_object

        return _heard(lambda: list(gather_object([value])))

    def each(self, things: Sequence[T], work: Callable[[T], R]) -> list[R]:
        """Do some work on all things, shared out.

        Args:
            things: the same in every process.
            work: what makes a result of one; runs the model, perhaps.

        Returns:
            All results, in order, in every process.
        """
        if self.sharded or self.count == 1:
            return [work(thing) for thing in things]
        own = [work(things[n]) for n in self.mine(len(things))]
        return [result for part in self.gather(own) for result in part]

    def add(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Sums over the processes of tensors that have the same shapes and dtype in all."""
        if self.count == 1:
            return list(tensors)
        from accelerate.utils import reduce

        flat = torch.cat([t.flatten() for t in tensors])
        total = _heard(lambda: reduce(flat, reduction="sum"))
        pieces = total.split([t.numel() for t in tensors])
        return [piece.view_as(t) for piece, t in zip(pieces, tensors, strict=True)]

    def from_main(self, make: Callable[[], T]) -> T:
        """What the main process makes of it; the others wait for as long as that takes.

        Args:
            make: called in the main process only.
        """
        if self.count == 1:
            return make()
        from accelerate.utils import broadcast_object_list

        made = [make() if self.is_main else None]
        whole: T = _heard(lambda: broadcast_object_list(made))[0]
        return whole


def _heard(exchange: Callable[[], T]) -> T:
    try:
        return exchange()
    except RuntimeError as e:
        raise _lost(e) from e


def _lost(e: Exception) -> ColdstartError:
    lines = str(e).strip().splitlines() or [type(e).__name__]
    return ColdstartError(
        f"a process of this run has ended or cannot be reached: {lines[0][:160]}",
        hint="the same command, on as many processes as you like, goes on from the last checkpoint",
    )
