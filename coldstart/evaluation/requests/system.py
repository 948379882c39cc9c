"""Systems that score a catalog for recorded requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coldstart.data.requests.recorded import RecordedRequest, RequestLog

Floats = NDArray[np.floating[Any]]


class RequestSystem(Protocol):
    """Anything that can be judged on requests; see ``LearnedOnce`` for a base class."""

    @property
    def name(self) -> str:
        """Identifies it in tables."""
        ...

    @property
    def description(self) -> str:
        """What it is, in one line."""
        ...

    def fit(self, log: RequestLog) -> None:
        """Learn from ``log.train``, and tune on ``log.valid``; never look at ``log.test``."""
        ...

    def scores(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Score of every item of the catalog, shape (B, N), higher is better; finite.

        Args:
            requests: without chosen items, and without the questionnaire (``inputs.blinded``).
        """
        ...


class LearnedOnce(ABC):
    """Base of systems that other systems use as parts: fits once, remembers its last answer.

    The answer is remembered by the identity of ``requests``, so that the parts that several systems
    share score a batch once.

    Args:
        name: see ``RequestSystem``.
        description: likewise.
    """

    def __init__(self, name: str, description: str) -> None:
        self.name, self.description = name, description
        self._log: RequestLog | None = None
        self._last: tuple[Sequence[RecordedRequest], Floats] | None = None

    def fit(self, log: RequestLog) -> None:
        """Learn from a log, unless that is what was learned from last."""
        if self._log is not log:
            self._last = None
            self.learn(log)
            self._log = log

    def scores(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Score of every item, shape (B, N)."""
        if self._last is None or self._last[0] is not requests:
            self._last = requests, self.compute(requests)
        return self._last[1]

    @abstractmethod
    def learn(self, log: RequestLog) -> None:
        """Learn from ``log.train``, and tune on ``log.valid``."""

    @abstractmethod
    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Score of every item, shape (B, N)."""
