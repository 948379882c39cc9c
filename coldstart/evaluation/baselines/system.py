"""System under test: a recommender as the evaluation engine trains and identifies it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.protocols import Recommends
from coldstart.runtime.code_fingerprint import outside_source, source_digest
from coldstart.splitting.user_splits import Split

Factory = Callable[[TrainingData, Split, Dataset], Recommends]

_ENGINE = "coldstart.evaluation.benchmark"


@dataclass(frozen=True)
class System:
    """Recommender under test, trained once per fold.

    Args:
        name: in tables; unique within a benchmark.
        make: (training users, the fold's users, data of the training and validation users) → a
            trained recommender of the training users' catalog. That may have items which the last
            argument lacks: they came later. Settings may be tuned on the fold's validation users,
            never on its test users.
        description: one line for a legend.
        settings: plain data; whatever changes the lists belongs here, since cached results are
            keyed by it.
        requires: library that has to be installed, or ``None``.
        ours: whether it is the subject of the benchmark, rather than a baseline.
        code: modules of this package that ``make`` is from; cached results are valid as long as
            neither they nor what they import has changed, nor a file elsewhere that ``make`` is
            from.
        source: function that ``make`` wraps, if its file is part of that code; ``None``: ``make``.
    """

    name: str
    make: Factory
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    requires: str | None = None
    ours: bool = False
    code: tuple[str, ...] = ("coldstart.evaluation.baselines.selection",)
    source: Callable[..., object] | None = None

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the code that makes its lists and of the engine's."""
        ours = source_digest(_ENGINE, *self.code).encode()
        return hashlib.sha256(ours + outside_source(self.source or self.make)).hexdigest()
