"""Fair (first in, first out) lock for workers that share a processor."""

from __future__ import annotations

import threading
from itertools import count
from types import TracebackType


class FairLock:
    """Ticket lock: a mutex granted in the order of arrival.

    One forward pass of torch uses all cores; two concurrent passes take several times as long as
    two in sequence. A plain lock may be granted to the same thread repeatedly (starvation).
    """

    def __init__(self) -> None:
        self._tickets, self._served = count(), 0
        self._next = threading.Condition()

    def __enter__(self) -> None:
        with self._next:
            ticket = next(self._tickets)
            self._next.wait_for(lambda: self._served == ticket)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._next:
            self._served += 1
            self._next.notify_all()
