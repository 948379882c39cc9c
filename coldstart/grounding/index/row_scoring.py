"""Top-k rows of a matrix by cosine, reproducible to six decimals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Piece = slice | NDArray[np.int64]

DECIMALS = 6  # cosines are reported and ordered at this precision
_SLACK = 1e-4  # above the float32 error of a product of unit vectors
_BLOCK = 2**25  # similarities held in memory at once
_GATHER = 128  # scattered rows copied at once, within the processor's cache


def nearest(
    matrix: Float, pieces: Sequence[Piece], queries: Float, k: int, ids: Sequence[str]
) -> list[list[tuple[str, float]]]:
    """Return per query the top ``k`` (id, cosine) pairs, best first, equal cosines by id.

    A float32 product yields a generous shortlist, whose cosines are then computed in float64 and
    rounded, so that results do not depend on the other queries.

    Args:
        matrix: unit rows, shape (N, dim).
        pieces: rows to score: row numbers, or a slice (with both ends) of adjacent rows, which is
            faster. Rows are distinct; at least one in all.
        queries: unit rows, shape (n, dim).
        k: most pairs per query.
        ids: of the rows, at least N.
    """
    rows = np.concatenate([_numbers(piece) for piece in pieces])
    step = max(1, _BLOCK // len(rows))
    cut = max(len(rows) - k, 0)
    found = []
    for at in range(0, len(queries), step):
        block = queries[at : at + step]
        for query, scores in zip(block, _scores(matrix, pieces, block, len(rows)), strict=True):
            short = rows[scores >= np.partition(scores, cut)[cut] - _SLACK]
            exact = np.einsum("ij,j->i", matrix[short], query, dtype=np.float64)
            pairs = zip([ids[row] for row in short], exact.round(DECIMALS).tolist(), strict=True)
            found.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k])
    return found


def _scores(matrix: Float, pieces: Sequence[Piece], queries: Float, total: int) -> Float:
    """Products in float32, shape (n, total)."""
    out = np.empty((len(queries), total), dtype=np.float32)
    gathered = np.empty((_GATHER, matrix.shape[1]), dtype=np.float32)
    at = 0
    for piece in pieces:
        if isinstance(piece, slice):
            adjacent = matrix[piece]
            out[:, at : at + len(adjacent)] = queries @ adjacent.T
            at += len(adjacent)
            continue
        for start in range(0, len(piece), _GATHER):
            some = piece[start : start + _GATHER]
            rows = gathered[: len(some)]
            np.take(matrix, some, axis=0, out=rows, mode="clip")  # other modes copy ``out``
            out[:, at : at + len(some)] = queries @ rows.T
            at += len(some)
    return out


def _numbers(piece: Piece) -> NDArray[np.int64]:
    return np.arange(piece.start, piece.stop) if isinstance(piece, slice) else piece
