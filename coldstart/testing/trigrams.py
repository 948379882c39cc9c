"""A sentence encoder without a model, for tests."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coldstart.protocols import Float


class TrigramEncoder:
    """Hashed character trigrams: texts of similar spelling have similar vectors.

    Args:
        name: see ``protocols.Encoder``.
        dim: length of the vectors.
    """

    def __init__(self, name: str = "trigrams", dim: int = 256) -> None:
        self.name, self.dim = name, dim
        #: Texts of each call of ``encode``, in order.
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Float:
        """Counts of the trigrams of each text, scaled to length 1; shape (len(texts), dim)."""
        self.calls.append(list(texts))
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = f"  {text.casefold()}  "
            for at in range(len(padded) - 2):
                trigram = padded[at : at + 3].encode("utf-8", "surrogatepass")
                row[zlib.crc32(trigram) % self.dim] += 1
            row /= np.linalg.norm(row)
        return vectors

    @property
    def texts(self) -> list[str]:
        """All texts of all calls, in order."""
        return [text for call in self.calls for text in call]
