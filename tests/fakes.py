"""Small deterministic stand-ins for heavy parts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np


class FakeEncoder:
    """Hashed character trigrams: similar spelling, similar vector. Counts what it was given."""

    def __init__(self, name: str = "fake", dim: int = 256) -> None:
        self.name = name
        self.dim = dim
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(list(texts))
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = f"  {text.casefold()}  "
            for at in range(len(padded) - 2):
                row[zlib.crc32(padded[at : at + 3].encode()) % self.dim] += 1
            row /= np.linalg.norm(row)
        return vectors

    @property
    def texts(self) -> list[str]:
        """Everything encoded so far, in order."""
        return [text for call in self.calls for text in call]
