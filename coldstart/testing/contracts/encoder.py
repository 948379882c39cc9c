"""Contract of ``protocols.Encoder``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest

from coldstart.protocols import Encoder

TEXTS = ("Toy Story", "Heat", "七人の侍", "🎬", "", "Heat", "a\ud800b", "a very long title " * 30)
"""Among them an empty text, one twice, and one that is no valid Unicode."""


class EncoderContract(ABC):
    """Unit vectors that depend on nothing but their text."""

    tolerance: ClassVar[float] = 1e-5
    """Absolute difference of numbers that is rounding."""

    @abstractmethod
    def make(self) -> Encoder:
        """An encoder; may be the same one every time."""

    def test_is_an_encoder(self) -> None:
        """It has a name, the same one when it is made again, and ``encode``."""
        encoder = self.make()
        assert isinstance(encoder, Encoder)
        assert isinstance(encoder.name, str)
        assert encoder.name
        assert encoder.name == self.make().name

    def test_unit_vectors_of_single_precision(self) -> None:
        """Of any text."""
        vectors = self.make().encode(TEXTS)
        assert vectors.shape[0] == len(TEXTS)
        assert vectors.ndim == 2
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)

    def test_no_texts(self) -> None:
        """Have no rows, of the usual length."""
        encoder = self.make()
        assert encoder.encode([]).shape == (0, encoder.encode(["x"]).shape[1])

    def test_a_batch_equals_the_singles(self) -> None:
        """What else is encoded makes no difference."""
        encoder = self.make()
        singles = np.concatenate([encoder.encode([text]) for text in TEXTS])
        assert np.abs(encoder.encode(TEXTS) - singles).max() < self.tolerance

    def test_similar_titles_are_near(self) -> None:
        """Nearer than others."""
        one, same, other = self.make().encode(["The Godfather", "Godfather, The", "Toy Story"])
        assert one @ same > one @ other

    def test_threads_may_share_it(self) -> None:
        """Their vectors are those of one thread."""
        encoder = self.make()
        expected = encoder.encode(["Heat"])
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda _: encoder.encode(["Heat"]), range(15)))
        assert max(np.abs(vectors - expected).max() for vectors in found) < self.tolerance
