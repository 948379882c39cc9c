"""Safe reader of pickled pandas tables, without pandas and without executing the pickle.

A pickle is a program. The reader allows only the few classes and functions that a plain table
consists of, and does not call even these: each becomes an inert record of its arguments, from which
the columns are extracted.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import polars as pl

from coldstart.errors import DataError

_DTYPES = {"f8": "<f8", "i8": "<i8"}


class _Record:
    """Inert stand-in for an object of the pickle: its arguments and state."""

    args: tuple[Any, ...]
    state: Any = None

    def __new__(cls, *args: Any) -> _Record:
        made = object.__new__(cls)
        made.args = args
        return made

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Table(_Record): ...


class _Blocks(_Record): ...


class _Block(_Record): ...


class _Slice(_Record): ...


class _Numbers(_Record): ...


class _Objects(_Record): ...


class _Dtype(_Record): ...


class _Axis(_Record): ...


class _Name(_Record): ...


_ALLOWED: dict[tuple[str, str], type[_Record]] = {
    ("pandas.core.frame", "DataFrame"): _Table,
    ("pandas.core.internals.managers", "BlockManager"): _Blocks,
    ("pandas._libs.internals", "_unpickle_block"): _Block,
    ("builtins", "slice"): _Slice,
    ("numpy.core.numeric", "_frombuffer"): _Numbers,
    ("numpy.core.multiarray", "_reconstruct"): _Objects,
    ("numpy", "dtype"): _Dtype,
    ("pandas.core.indexes.base", "_new_Index"): _Axis,
    ("numpy", "ndarray"): _Name,
    ("pandas.core.indexes.base", "Index"): _Name,
    ("pandas.core.indexes.range", "RangeIndex"): _Name,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no plain table needs")
        return _ALLOWED[module, name]


def read_pickled_table(data: bytes, what: str = "the pickle") -> pl.DataFrame:
    """Read a table of numbers and strings pickled under numpy 1 (numpy 2 has other names).

    Args:
        data: the pickle.
        what: name of the pickle in messages.

    Returns:
        Columns of 64-bit floats, 64-bit integers and strings; other values in string columns are
        null.

    Raises:
        DataError: a damaged pickle, or one that names anything a plain table does not need.
    """
    try:
        return pl.DataFrame(_columns(_Reader(io.BytesIO(data)).load()))
    except Exception as e:  # damaged pickles fail in every way there is
        raise DataError(
            f"{what} is no table we read: {e}", hint="is it damaged, or of another version?"
        ) from e


def _columns(table: Any) -> dict[str, Any]:
    if not isinstance(table, _Table):
        raise ValueError(f"it holds a {type(table).__name__}")
    blocks, (names, _) = table.state["_mgr"].args
    columns: dict[int, Any] = {}
    for block in blocks:
        values, places, _ = block.args
        at = range(*places.args) if isinstance(places, _Slice) else _array(places).tolist()
        columns |= zip(at, _array(values), strict=True)
    title = _array(names.args[1]["data"]).tolist()
    return {name: _column(columns[n]) for n, name in enumerate(title)}


def _column(values: np.ndarray) -> Any:
    if values.dtype != object:
        return values
    return pl.Series([v if isinstance(v, str) else None for v in values], dtype=pl.String)


def _array(record: Any) -> np.ndarray:
    if isinstance(record, _Numbers):
        raw, dtype, shape, order = record.args
        return np.frombuffer(raw, dtype=_DTYPES[dtype.args[0]]).reshape(shape, order=order)
    _, shape, _, by_column, flat = record.state
    values = np.empty(len(flat), dtype=object)
    values[:] = flat
    return values.reshape(shape, order="F" if by_column else "C")
