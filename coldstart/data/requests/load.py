"""Load recorded requests from whatever a path holds."""

from __future__ import annotations

from pathlib import Path

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.folder import ITEMS, REQUESTS, load_request_folder
from coldstart.data.requests.own import load_requests_file
from coldstart.data.requests.recorded import RequestLog
from coldstart.data.requests.redial import TEST, TRAIN, load_redial
from coldstart.errors import DataError

OWN = "requests.jsonl"
_TABLES = ("items.csv", "items.tsv", "items.parquet", "items.jsonl")
_HINT = (
    f"give a file such as {OWN}, or a folder with {ITEMS} and {REQUESTS}, with {TRAIN} and {TEST} "
    f"(ReDial as published), or with {OWN} and items.csv"
)


def load_request_log(
    path: str | Path,
    catalog: Catalog | None = None,
    *,
    exact_only: bool = False,
    fidelity: float = 0.0,
) -> RequestLog:
    """Read recorded requests.

    Args:
        path: a JSON lines file of one's own requests; or a folder that holds such a file and its
            items, the tables of ``load_request_folder``, or ReDial as published.
        catalog: of one's own requests; by default the table of items beside them. Other formats
            bring their own.
        exact_only: see ``load_request_folder``; of no effect in other formats.
        fidelity: likewise.

    Raises:
        DataError: nothing is there that can be read, or it is malformed.
    """
    where = Path(path)
    if where.is_file():
        return load_requests_file(
            where, _catalog(where.parent, where) if catalog is None else catalog
        )
    if not where.is_dir():
        raise DataError(f"{where}: no such file or folder", hint=_HINT)
    if (where / REQUESTS).is_file():
        return load_request_folder(where, exact_only=exact_only, fidelity=fidelity)
    if (where / TRAIN).is_file():
        return load_redial(where)
    if (where / OWN).is_file():
        return load_request_log(where / OWN, catalog)
    raise DataError(f"{where}: no requests in this folder", hint=_HINT)


def _catalog(folder: Path, requests: Path) -> Catalog:
    for name in _TABLES:
        if (folder / name).is_file():
            return Catalog.load(folder / name)
    raise DataError(
        f"{requests}: no catalog", hint=f"lay {_TABLES[0]} beside the requests, or name a catalog"
    )
