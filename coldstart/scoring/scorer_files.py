"""Scorer state as files: tensors in safetensors, names in JSON; damaged files are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted, untrusted_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[Any]]

_TENSORS, _ABOUT = "state.safetensors", "state.json"
_HINT = "save the artifact again"
MOST_COUNT = float((1 << 32) - 1)
"""Largest count of a state."""


def pack(tensors: Tensors, about: Mapping[str, Any]) -> dict[str, bytes]:
    """Serialise named arrays and plain data, as ``unpack`` reads them."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    text = json.dumps(about, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {_TENSORS: bytes(save(contiguous)), _ABOUT: text.encode()}


def unpack(
    files: Mapping[str, bytes], scorer: str, shapes: Mapping[str, int]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what ``pack`` wrote.

    Args:
        files: by plain name.
        scorer: its name, for errors.
        shapes: the number of dimensions of each expected array.

    Returns:
        Arrays by name, and the plain data.

    Raises:
        ArtifactError: a file or an array is missing, damaged, or of another form.
    """
    missing = {_TENSORS, _ABOUT} - files.keys()
    if missing:
        raise ArtifactError(f"state of the scorer {scorer!r} lacks {sorted(missing)}", _HINT)
    what = f"state of the scorer {scorer!r}"
    tensors = untrusted_arrays.read_arrays(files[_TENSORS], what)
    about = untrusted.read_json(files[_ABOUT], what)
    if not isinstance(about, dict):
        raise ArtifactError(f"{what} is no JSON object", _HINT)
    for name, dimensions in shapes.items():
        if name not in tensors or tensors[name].ndim != dimensions:
            raise ArtifactError(
                f"state of the scorer {scorer!r} has no {dimensions}-dimensional array {name!r}",
                _HINT,
            )
    return tensors, about


def counted(
    tensors: Tensors, name: str, scorer: str, shape: tuple[int | None, ...], kinds: str, most: float
) -> NDArray[Any]:
    """An array of a state, of magnitudes up to ``most``.

    Raises:
        ArtifactError: it is of another kind, shape or range.
    """
    what = f"state of the scorer {scorer!r}"
    return untrusted_arrays.array(tensors, name, what, shape, kinds, low=-most, high=most)


def names_of(about: Mapping[str, Any], key: str, scorer: str) -> tuple[str, ...]:
    """A list of different texts.

    Raises:
        ArtifactError: it is missing, or something else.
    """
    found = about.get(key)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ArtifactError(f"state of the scorer {scorer!r}: {key!r} is no list of texts", _HINT)
    for name in found:
        untrusted.text(name, f"state of the scorer {scorer!r}: an entry of {key!r}")
    if len(set(found)) < len(found):
        raise ArtifactError(f"state of the scorer {scorer!r}: {key!r} has repeats", _HINT)
    return tuple(found)


def sparse_tensors(matrix: sparse.csr_array, name: str) -> dict[str, NDArray[Any]]:
    """Arrays of a sparse matrix of whole numbers, each in the smallest type that holds it."""
    return {
        f"{name}_start": matrix.indptr.astype(np.uint32),
        f"{name}_column": smallest(matrix.indices),
        f"{name}_value": smallest(matrix.data),
    }


def sparse_from(
    tensors: Tensors, name: str, shape: tuple[int, int], scorer: str, most: float = untrusted.MOST
) -> sparse.csr_array:
    """Read what ``sparse_tensors`` made.

    Args:
        tensors: of the state.
        name: of the matrix.
        shape: of the matrix.
        scorer: its name, for errors.
        most: largest value.

    Raises:
        ArtifactError: an array is missing, the matrix is not of that shape, it has a column out of
            bounds or twice in a row, or a value is out of range.
    """
    parts = f"{name}_start", f"{name}_column", f"{name}_value"
    what = f"state of the scorer {scorer!r} has no sparse matrix {name!r} of shape {shape}"
    starts, columns, values = untrusted_arrays.compressed_rows(
        tensors, parts, what, shape, high=most
    )
    return sparse.csr_array((values, columns, starts), shape=shape)


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers of at least 0 in the smallest unsigned type that holds them."""
    top = int(values.max()) if len(values) else 0
    return values.astype(np.uint8 if top < 1 << 8 else np.uint16 if top < 1 << 16 else np.uint32)
