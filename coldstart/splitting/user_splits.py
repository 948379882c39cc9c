"""Split by user: training, validation and test users."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from coldstart.errors import DataError
from coldstart.runtime.cache import write_atomic


@dataclass(frozen=True)
class Split:
    """Disjoint user ids; every user is in exactly one list."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        everyone = [*self.train, *self.valid, *self.test]
        if len(everyone) != len(set(everyone)):
            raise DataError("a user is in more than one part of the split")

    def save(self, path: Path) -> None:
        """Write ``{"train": […], "valid": […], "test": […]}``."""
        write_atomic(path, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what ``save`` wrote."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            parts = [data[part] for part in ("train", "valid", "test")]
            if not all(isinstance(part, list) for part in parts):
                raise TypeError("a part is no list")
            return cls(*(tuple(map(str, part)) for part in parts))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as e:
            raise DataError(
                f"{path} is no split file: {e}", hint="expected lists train, valid and test"
            ) from e


def split_users(
    users: Sequence[str], *, seed: int = 0, test: float = 0.2, valid: float = 0.1
) -> Split:
    """Shuffle users and cut: the first ``test`` share, then ``valid``, the rest trains."""
    mixed = shuffled_ids(users, seed)
    n_test, n_valid = int(test * len(mixed)), int(valid * len(mixed))
    return Split(mixed[n_test + n_valid :], mixed[n_test : n_test + n_valid], mixed[:n_test])


def shuffled_ids(ids: Iterable[str], seed: int = 0) -> tuple[str, ...]:
    """Put ids into a random order that depends on the seed only, not on the order they came in."""
    # Numbers sort as numbers, so that the order does not depend on how ids were written.
    ordered = sorted(ids, key=lambda u: (0, int(u), u) if u.isdecimal() else (1, 0, u))
    mixed = np.array(ordered, dtype=object)
    np.random.default_rng(seed).shuffle(mixed)
    return tuple(map(str, mixed))
