"""Recorded requests as a folder of two tables: ``items.parquet`` and ``requests.parquet``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import read_table
from coldstart.data.requests.recorded import Part, RecordedRequest, RequestItem, RequestLog
from coldstart.errors import CatalogError, ColdstartError, DataError
from coldstart.schema import Item, parse

ITEMS, REQUESTS = "items.parquet", "requests.parquet"

_LIKED: dict[object, bool] = {0: False, 1: True}
_NEEDED = ("split", "dialog_id", "user_text", "mentioned", "recommended")


def load_request_folder(
    folder: Path, *, exact_only: bool = False, fidelity: float = 0.0, name: str = "redial"
) -> RequestLog:
    """Read a folder of requests.

    ``items.parquet`` holds ``item_id``, ``title`` and any of ``year``, ``description``, and, with
    ``|`` between values, ``genres``, ``directors`` and ``stars``. ``requests.parquet`` holds
    ``split`` (train, valid, test), ``dialog_id``, ``user_text``, ``mentioned`` (structs of
    ``item_id``, ``liked``: 1 yes, 0 no, else unknown, and ``by_seeker``), ``recommended`` (structs
    of ``item_id`` and ``liked``), and any of ``first``, ``exact`` and ``fidelity``.

    Args:
        folder: of the two tables.
        exact_only: keep training requests in their original wording only.
        fidelity: lowest fidelity of training requests that are not, in [0, 1].
        name: of the log.

    Raises:
        DataError: a table is missing or malformed, or requests name items outside the catalog.
    """
    catalog = load_items(folder / ITEMS)
    path = folder / REQUESTS
    frame = read_table(path)
    if missing := [c for c in _NEEDED if c not in frame.columns]:
        raise DataError(
            f"{path}: no column {missing[0]!r}", hint=f"columns needed: {', '.join(_NEEDED)}"
        )
    parts: dict[str, list[RecordedRequest]] = {part: [] for part in get_args(Part)}
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        if row["split"] not in parts:
            raise DataError(
                f"{path}, row {number}: split {row['split']!r}",
                hint=f"one of {', '.join(parts)}",
            )
        request = _request(row, path, number)
        if row["split"] != "train" or request.exact or _faithful(request, exact_only, fidelity):
            parts[row["split"]].append(request)
    log = RequestLog(name, catalog, **{part: tuple(rows) for part, rows in parts.items()})
    refuse_unknown_items(log, str(path))
    return log


def load_items(path: Path) -> Catalog:
    """Read the items of a folder of requests.

    Genres become categories in title case ("sci-fi" → "Sci-Fi"); directors and stars become
    attributes, with ``|`` between names.

    Raises:
        DataError: the table is missing or malformed.
    """
    frame = read_table(path)
    if missing := [c for c in ("item_id", "title") if c not in frame.columns]:
        raise DataError(f"{path}: no column {missing[0]!r}", hint="item_id and title are needed")
    items = []
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        try:
            items.append(_item(row))
        except ColdstartError as e:
            raise DataError(f"{path}, row {number}: {e.message}", hint=e.hint) from None
    try:
        return Catalog(items)
    except CatalogError as e:
        raise DataError(f"{path}: {e.message}", hint=e.hint) from None


def refuse_unknown_items(log: RequestLog, where: str) -> None:
    """Raise if a request mentions or chose an item that the catalog lacks.

    Args:
        log: the requests.
        where: they come from, for the message.

    Raises:
        DataError: it names the first such item.
    """
    named = (
        item.item_id
        for part in (log.train, log.valid, log.test)
        for request in part
        for item in (*request.mentioned, *request.chosen)
    )
    if unknown := list(dict.fromkeys(i for i in named if i not in log.catalog)):
        raise DataError(
            f"{where}: {len(unknown)} items, first {unknown[0]!r}, are not in the catalog",
            hint="add them to the table of items, or leave them out of the requests",
        )


def _faithful(request: RecordedRequest, exact_only: bool, fidelity: float) -> bool:
    return not exact_only and (request.fidelity or 0.0) >= fidelity


def _item(row: Mapping[str, Any]) -> Item:
    people = {n: text for n in ("directors", "stars") if (text := _text(row.get(n)))}
    categories = [g.strip().title() for g in _text(row.get("genres")).split("|") if g.strip()]
    year = row.get("year")
    data = {
        "item_id": row["item_id"],
        "title": row["title"],
        "year": None if year is None or year != year else int(year),
        "description": _text(row.get("description")),
        "categories": categories,
        "attributes": people,
    }
    return parse(Item, data, "item")


def _request(row: Mapping[str, Any], path: Path, number: int) -> RecordedRequest:
    try:
        exact, fidelity = bool(row.get("exact", True)), row.get("fidelity")
        return RecordedRequest(
            text=_text(row["user_text"]),
            chosen=_items(row["recommended"]),
            mentioned=_items(row["mentioned"]),
            dialogue=str(row["dialog_id"]),
            first=bool(row.get("first", True)),
            exact=exact,
            fidelity=None if fidelity is None or math.isnan(fidelity) else float(fidelity),
        )
    except (TypeError, ValueError, LookupError) as e:
        raise DataError(
            f"{path}, row {number}: {type(e).__name__}: {e}",
            hint="mentioned and recommended are lists of structs with an item_id",
        ) from None


def _items(found: Sequence[Mapping[str, Any]] | None) -> tuple[RequestItem, ...]:
    return tuple(
        RequestItem(str(m["item_id"]), _LIKED.get(m.get("liked")), bool(m.get("by_seeker", False)))
        for m in found or ()
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
