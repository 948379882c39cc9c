"""Reading of arrays from elsewhere, whose every value is checked before use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError
from coldstart.runtime.untrusted import HINT, MOST, WIDEST, first_line, refuse, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

_DTYPES = {
    "BOOL": "?",
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}


def read_arrays(data: bytes, what: str) -> dict[str, NDArray[Any]]:
    """Arrays of a safetensors file; bfloat16 becomes float32.

    Args:
        data: the file.
        what: its name, for errors.

    Raises:
        ArtifactError: truncated or malformed, a type that artifacts do not have, or a number that
            is not finite.
    """
    from safetensors import deserialize

    try:
        tensors = deserialize(data)  # type: ignore[no-untyped-call]
        found = {name: _array(tensor) for name, tensor in tensors}
    except Exception as e:  # safetensors raises its own, and more
        raise ArtifactError(f"{what} is damaged: {first_line(e)}", HINT) from None
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ArtifactError(f"{what}: {shown(name)} has numbers that are not finite", HINT)
    return found


def _array(tensor: Mapping[str, Any]) -> NDArray[Any]:
    kind, shape = tensor["dtype"], tensor["shape"]
    if kind == "BF16":
        high = np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16
        return high.view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        raise ValueError(f"arrays of type {kind} are unknown")
    return np.frombuffer(tensor["data"], _DTYPES[kind]).reshape(shape)


def array(
    arrays: Arrays,
    name: str,
    what: str,
    shape: tuple[int | None, ...],
    kinds: str = "u",
    *,
    low: float = 0,
    high: float | NDArray[Any] = MOST,
) -> NDArray[Any]:
    """One array of a file.

    Args:
        arrays: as ``read_arrays`` returns them.
        name: of the array.
        what: name of the file, for errors.
        shape: expected; ``None``: any length of that axis.
        kinds: expected kinds of NumPy types: ``u`` unsigned, ``i`` signed, ``f`` floating point.
        low: least value.
        high: largest value, or one that broadcasts to the largest of each cell.

    Raises:
        ArtifactError: missing, or of another kind, shape or range.
    """
    found = arrays.get(name)
    if found is None:
        raise ArtifactError(f"{what} lacks the array {name}", HINT)
    fits = len(shape) == found.ndim and all(
        size in (None, have) for size, have in zip(shape, found.shape, strict=True)
    )
    if not fits or found.dtype.kind not in kinds:
        sizes = " × ".join("any" if size is None else str(size) for size in shape)
        raise refuse(f"{what}: {name}", found, f"shape {sizes}, kind {kinds!r}")
    above = (found > high).any() if isinstance(high, np.ndarray) else _top(found) > high
    if above or (found.size and found.min().item() < low):
        raise ArtifactError(f"{what}: {name} has values out of range", HINT)
    return found


def _top(values: NDArray[Any]) -> float:
    return values.max().item() if values.size else -math.inf


def compressed_rows(
    arrays: Arrays,
    parts: tuple[str, str, str],
    what: str,
    shape: tuple[int, int],
    *,
    high: float = MOST,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Starts, columns and counts of a sparse matrix in compressed rows, safe to hand to SciPy.

    SciPy reads memory out of bounds where these are wrong.

    Args:
        arrays: as ``read_arrays`` returns them.
        parts: names of the starts, the columns and the values.
        what: name of the file, for errors.
        shape: of the matrix.
        high: largest value.

    Raises:
        ArtifactError: a missing array, a column out of bounds or twice in a row, starts that fall
            or do not end at the number of values, or a value out of range.
    """
    starts, columns, values = (
        array(arrays, name, what, (size,), high=top)
        for name, size, top in zip(
            parts, (shape[0] + 1, None, None), (WIDEST, shape[1] - 1, high), strict=True
        )
    )
    starts = starts.astype(np.int64)
    if starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] != len(columns):
        raise ArtifactError(f"{what}: {parts[0]} does not divide {parts[1]} into rows", HINT)
    if len(columns) != len(values):
        raise ArtifactError(f"{what}: {parts[1]} and {parts[2]} differ in length", HINT)
    falls = np.flatnonzero(columns[1:] <= columns[:-1]) + 1
    columns = columns.astype(np.int64)
    if not np.isin(falls, starts).all():  # within a row: not sorted, or a repeat
        rows = np.repeat(np.arange(shape[0]), np.diff(starts))
        cells = rows * max(shape[1], 1) + columns
        if len(np.unique(cells)) < len(cells):
            raise ArtifactError(f"{what}: {parts[1]} has a column twice in a row", HINT)
    return starts, columns, values.astype(np.float64)
