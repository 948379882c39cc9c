"""Many unit vectors in little room: their main directions, one byte a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

DIRECTIONS = 128


@dataclass(frozen=True)
class CompressedVectors:
    """Vectors less their mean, in their softly whitened principal directions, 8 bits a coordinate.

    Sentence vectors of one kind of text have much in common, which tells nothing: without their
    mean, and with less of the directions in which all of them differ, near ones stand out.

    Args:
        mean: of the vectors, float16, shape (dim,).
        directions: principal directions as columns, each stretched, float16, shape (dim, D).
        steps: coordinates in the D directions, in steps of each vector's own, int8, shape (R, D).
    """

    mean: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.float16))
    directions: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    steps: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0), np.int8))

    @classmethod
    def of(cls, vectors: Float) -> CompressedVectors:
        """Compress vectors, shape (R, dim), to at most 128 directions."""
        if not len(vectors):
            return cls()
        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float16)
        centred = vectors.astype(np.float64) - mean
        squares, axes = np.linalg.eigh(centred.T @ centred)
        spread = np.sqrt(np.maximum(squares[::-1][:DIRECTIONS], 0.0))
        usual = max(spread[min(_USUAL, len(spread) - 1)], 0.1 * spread[0], _LEAST)
        stretch = (spread[0] + usual) / (spread + usual)
        directions = (axes[:, ::-1][:, :DIRECTIONS] * stretch).astype(np.float16)
        inside = _unit((centred @ directions).astype(np.float32))
        steps = inside / np.maximum(np.abs(inside).max(axis=1, keepdims=True), _LEAST) * 127
        return cls(mean, directions, np.rint(steps).astype(np.int8))

    def cosines(self, vector: Float) -> Float:
        """Cosine of every vector with another one within the directions, shape (R,).

        Raises:
            ArtifactError: the other one is of another length.
        """
        if len(vector) != len(self.mean):
            raise ArtifactError(
                f"the remembered requests have vectors of length {len(self.mean)}, the encoder's "
                f"have {len(vector)}",
                hint="use the encoder that the artifact was made with",
            )
        inside = (vector - self.mean.astype(np.float32)) @ self.directions.astype(np.float32)
        similarities: Float = self._rows @ _unit(inside[None])[0]
        return similarities

    @cached_property
    def _rows(self) -> Float:
        return _unit(self.steps.astype(np.float32))


_USUAL = 20  # direction whose spread is half whitened
_LEAST = 1e-6  # length of a vector that is not the mean itself


def _unit(rows: Float) -> Float:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Float = np.where(length > _LEAST, rows / np.maximum(length, _LEAST), 0.0)
    return unit.astype(np.float32)
