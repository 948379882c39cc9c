"""Read tables: files, polars and pandas frames, pyarrow tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.errors import CatalogError, ColdstartError, DataError
from coldstart.tabular.reading import read_file

if TYPE_CHECKING:  # importing polars takes longer than the rest of coldstart
    import polars as pl

Columns = dict[str, list[Any]]


def read_table(path: str | Path, *, error: type[ColdstartError] = DataError) -> pl.DataFrame:
    """Read a file as ``read_file`` does, without an account of how.

    Raises:
        ColdstartError: (as ``error``) a file that is missing, of an unknown kind, empty or
            malformed.
    """
    return read_file(path, error=error).frame


def columns_of(frame: Any) -> Columns:
    """Convert a polars, pandas or pyarrow table to lists of Python values, nulls as ``None``."""
    makers = {cls.__module__.partition(".")[0] for cls in type(frame).__mro__}
    if "polars" in makers and hasattr(frame, "lazy"):
        frame = frame.lazy().collect()
        return dict(frame.to_dict(as_series=False))
    names = list(getattr(frame, "column_names", getattr(frame, "columns", ())))
    if len(set(names)) < len(names):
        raise CatalogError(f"column names repeat: {', '.join(map(str, names))}", "rename them")
    if "pandas" in makers and hasattr(frame, "isna"):
        nulls = frame.isna()
        return {
            str(n): [
                None if null else v
                for v, null in zip(frame[n].tolist(), nulls[n].tolist(), strict=True)
            ]
            for n in names
        }
    if "pyarrow" in makers and hasattr(frame, "to_pydict"):
        return dict(frame.to_pydict())
    raise CatalogError(
        f"expected a polars or pandas frame or a pyarrow table, got {type(frame).__name__}"
    )
