"""Which users are trained on, which choose settings, and which are held out: split by user."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from coldstart.cache import write_atomic
from coldstart.errors import DataError


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
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise DataError(
                f"{path} is no split file: {e}", hint="expected lists train, valid and test"
            ) from e


def split_users(
    users: Sequence[str], *, seed: int = 0, test: float = 0.2, valid: float = 0.1
) -> Split:
    """Shuffle users and cut: the first ``test`` share, then ``valid``, the rest trains."""
    # Numbers sort as numbers, so that the split does not depend on how ids were written.
    ordered = sorted(users, key=lambda u: (0, int(u), u) if u.isdecimal() else (1, 0, u))
    shuffled = np.array(ordered, dtype=object)
    np.random.default_rng(seed).shuffle(shuffled)
    n_test, n_valid = int(test * len(shuffled)), int(valid * len(shuffled))
    cuts = (shuffled[n_test + n_valid :], shuffled[n_test : n_test + n_valid], shuffled[:n_test])
    return Split(*(tuple(map(str, part)) for part in cuts))
