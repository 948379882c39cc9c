"""Who of several may use the processor: one at a time, in the order in which they came."""

from __future__ import annotations

import threading
from itertools import count
from types import TracebackType


class Turns:
    """A lock that is given in the order in which it is asked for.

    Torch takes all cores for one pass; two passes at a time take several times as long as one after
    the other. A plain lock may go to the same thread again and again.
    """

    def __init__(self) -> None:
        self._tickets, self._served = count(), 0
        self._next = threading.Condition()

    def __enter__(self) -> None:
        with self._next:
            mine = next(self._tickets)
            self._next.wait_for(lambda: self._served == mine)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._next:
            self._served += 1
            self._next.notify_all()
