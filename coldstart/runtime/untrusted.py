"""Reading of files from elsewhere: JSON and arrays whose every value is checked before use.

Artifacts are shared, so their files are data of strangers even where the checksums match. Every
reader of an artifact gets its values from here: a wrong type, shape, range or size, a number that
is not finite, and text that nests too deeply, are one ``ArtifactError`` of one line.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

HINT = "copy the artifact again; if it is unchanged, it was made wrongly: do not use it"
MOST = 1e6
"""Largest magnitude of a weight, a learned number or a coordinate."""
WIDEST = 1 << 53
"""Largest whole number: a double holds all up to it exactly."""
_DEEPEST = 200  # brackets within brackets
_DTYPES = {
    "BOOL": "?",
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}


def refuse(what: str, found: object, expected: str) -> ArtifactError:
    """The error for a value of an artifact, quoted in short."""
    return ArtifactError(f"{what} is {shown(found)}, expected {expected}", HINT)


@contextmanager
def within(what: str) -> Iterator[None]:
    """Name the part of an artifact before the errors that are raised in a block."""
    try:
        yield
    except ArtifactError as e:
        raise ArtifactError(f"{what}: {e.message}", e.hint) from e


def shown(value: object) -> str:
    """A value in at most some eighty characters of one line that any terminal can print."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    try:
        text = reprlib.repr(value)
    except Exception:  # a plug-in's object
        text = type(value).__name__
    return text.encode("ascii", "backslashreplace").decode()[:80]


def first_line(error: BaseException) -> str:
    """Kind and first line of an error of a library."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text.encode("ascii", "backslashreplace").decode()[:200]


def read_json(data: bytes, what: str) -> Any:
    """Parse JSON of finite numbers, nested at most 200 deep.

    Args:
        data: UTF-8.
        what: name of the file, for errors.

    Raises:
        ArtifactError: malformed, too deep, or with a number that no double holds.
    """
    try:
        text = data.decode("utf-8")
        found = json.loads(
            text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole_number
        )
        _check_depth(found)
    except (ValueError, RecursionError) as e:
        raise ArtifactError(f"{what} is damaged: {first_line(e)}", HINT) from None
    return found


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"it nests more than {_DEEPEST} deep")
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]


def _no_number(text: str) -> float:
    raise ValueError(f"it has the number {text}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it has the number {text[:40]}, which is too large")
    return value


def _whole_number(text: str) -> int:
    if len(text) > 19 or abs(value := int(text)) > WIDEST:
        raise ValueError(f"it has the number {text[:40]}, which is too large")
    return value


def whole(value: object, what: str, low: int = 0, high: int = WIDEST) -> int:
    """A whole number in a range."""
    if type(value) is not int or not low <= value <= high:
        raise refuse(what, value, f"a whole number from {low} to {high}")
    return value


def number(value: object, what: str, low: float = -MOST, high: float = MOST) -> float:
    """A finite number in a range."""
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise refuse(what, value, f"a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def text(value: object, what: str, most: int = 200) -> str:
    """A text of 1 to ``most`` characters that UTF-8 can hold."""
    if not isinstance(value, str) or not 0 < len(value) <= most or not is_plain(value):
        raise refuse(what, value, f"a text of 1 to {most} characters")
    return value


def is_plain(value: str) -> bool:
    """Whether a text has neither lone surrogates nor NUL."""
    try:
        return b"\0" not in value.encode("utf-8")
    except UnicodeEncodeError:
        return False


def names(value: object, what: str, most: int = 200) -> tuple[str, ...]:
    """A list of different texts."""
    if not isinstance(value, list):
        raise refuse(what, value, "a list of texts")
    found = tuple(text(name, f"an entry of {what}", most) for name in value)
    if len(set(found)) < len(found):
        raise ArtifactError(f"{what} has repeats, expected each text once", HINT)
    return found


def mapping(value: object, what: str, needed: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON object that has some keys."""
    if not isinstance(value, dict):
        raise refuse(what, value, "a JSON object")
    if missing := [key for key in needed if key not in value]:
        raise ArtifactError(f"{what} lacks {', '.join(missing)}", HINT)
    return value


def pair(value: object, what: str) -> tuple[float, float]:
    """A list of two finite numbers."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refuse(what, value, "two numbers")
    return number(value[0], what), number(value[1], what)


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
