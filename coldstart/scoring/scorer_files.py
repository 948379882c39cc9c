"""Scorer state as files: tensors in safetensors, names in JSON; damaged files are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from coldstart.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[Any]]

_TENSORS, _ABOUT = "state.safetensors", "state.json"
_HINT = "save the artifact again"


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
    from safetensors import SafetensorError
    from safetensors.numpy import load

    missing = {_TENSORS, _ABOUT} - files.keys()
    if missing:
        raise ArtifactError(f"state of the scorer {scorer!r} lacks {sorted(missing)}", _HINT)
    try:
        tensors, about = dict(load(files[_TENSORS])), json.loads(files[_ABOUT].decode())
    except (SafetensorError, ValueError) as e:
        raise ArtifactError(f"state of the scorer {scorer!r} is damaged: {e}", _HINT) from e
    if not isinstance(about, dict):
        raise ArtifactError(f"state of the scorer {scorer!r} is no JSON object", _HINT)
    for name, dimensions in shapes.items():
        if name not in tensors or tensors[name].ndim != dimensions:
            raise ArtifactError(
                f"state of the scorer {scorer!r} has no {dimensions}-dimensional array {name!r}",
                _HINT,
            )
    return tensors, about


def names_of(about: Mapping[str, Any], key: str, scorer: str) -> tuple[str, ...]:
    """A list of different texts.

    Raises:
        ArtifactError: it is missing, or something else.
    """
    found = about.get(key)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ArtifactError(f"state of the scorer {scorer!r}: {key!r} is no list of texts", _HINT)
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
    tensors: Tensors, name: str, shape: tuple[int, int], scorer: str
) -> sparse.csr_array:
    """Read what ``sparse_tensors`` made.

    Raises:
        ArtifactError: an array is missing, or the matrix is not of that shape.
    """
    parts = [tensors.get(f"{name}_{part}") for part in ("start", "column", "value")]
    starts, columns, values = (np.zeros(0) if p is None else p.astype(np.int64) for p in parts)
    good = (
        starts.shape == (shape[0] + 1,)
        and columns.shape == values.shape == (starts[-1],)
        and starts[0] == 0
        and (np.diff(starts) >= 0).all()
        and (columns >= 0).all()
        and (columns < shape[1]).all()
    )
    if not good:
        raise ArtifactError(
            f"state of the scorer {scorer!r} has no sparse matrix {name!r} of shape {shape}", _HINT
        )
    return sparse.csr_array((values.astype(np.float64), columns, starts), shape=shape)


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers of at least 0 in the smallest unsigned type that holds them."""
    top = int(values.max()) if len(values) else 0
    return values.astype(np.uint8 if top < 1 << 8 else np.uint16 if top < 1 << 16 else np.uint32)
