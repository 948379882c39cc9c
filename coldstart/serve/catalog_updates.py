"""Catalog updates at run time, applied to all arms atomically.

Updates are logged in the store and replayed after a restart, after a reload and in other processes.
Functions that take ``arms`` must be called from the worker's thread, or before the worker starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError
from coldstart.schema import Item
from coldstart.serve import logs
from coldstart.serve.errors import ApiError, invalid, not_found

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.store import CatalogChange
    from coldstart.serve.worker import Arms

DesiredItems = Mapping[str, Item | None]
"""Desired catalog content by item id; ``None``: no such item."""


def put(arms: Arms, items: Sequence[Item]) -> list[str]:
    """Add or replace items; they can be recommended from the next request on.

    Returns:
        Ids that are new to the first arm.

    Raises:
        ApiError: 422, an item is not valid for the catalog or a model; nothing is changed.
    """
    try:
        clean = {item.item_id: item for item in Catalog(items)}
    except CatalogError:
        raise invalid("an id comes twice, or a title has nothing in it", "mend the items") from None
    first = _first(arms)
    new = [item_id for item_id in clean if item_id not in first]
    try:
        apply(arms, clean)
    except Exception as e:
        raise invalid(
            "a title or description cannot be used by the model", "shorten or mend it"
        ) from e
    return new


def remove(arms: Arms, item_id: str) -> None:
    """Remove an item.

    Raises:
        ApiError: 404, no such item; 409, it is the last one.
    """
    catalogs = [rec.catalog for rec in arms.values()]
    if not any(item_id in catalog for catalog in catalogs):
        raise not_found("item", "GET /v1/items lists them")
    if any(len(catalog) == 1 for catalog in catalogs if item_id in catalog):
        raise ApiError(409, "conflict", "it is the only item", "put another one first")
    apply(arms, {item_id: None})


def get(arms: Arms, item_id: str) -> Item:
    """Item of the first arm's catalog.

    Raises:
        ApiError: 404, no such item.
    """
    catalog = _first(arms)
    if item_id not in catalog:
        raise not_found("item", "GET /v1/items lists them")
    return catalog[item_id]


def apply(arms: Arms, desired: DesiredItems) -> None:
    """Bring all catalogs to the desired content; unchanged items are not touched.

    Item vectors, statistics and the token trie are updated at once, not at the next request.

    Raises:
        Exception: any error while a model processes an item; all catalogs are rolled back.
    """
    before = {arm: _snapshot(rec.catalog, desired) for arm, rec in arms.items()}
    try:
        for rec in arms.values():
            _set(rec.catalog, desired)
            _refresh(rec)
    except Exception:
        for arm, rec in arms.items():
            _set(rec.catalog, before[arm])
        raise


def replay(arms: Arms, changes: Iterable[CatalogChange]) -> int:
    """Apply logged changes; the last change of each item wins.

    A change that is not valid any more, for example after a change of model, is skipped and logged.

    Returns:
        Number of items affected.
    """
    latest: dict[str, Item | None] = {}
    for change in changes:
        item = None if change.item is None else Item.model_validate_json(change.item)
        latest[change.item_id] = item
    try:
        apply(arms, latest)
    except Exception:
        for item_id, item in latest.items():
            try:
                apply(arms, {item_id: item})
            except Exception as e:
                logs.failure("catalog_change_left_out", e)
    return len(latest)


def _first(arms: Arms) -> Catalog:
    return next(iter(arms.values())).catalog


def _snapshot(catalog: Catalog, ids: Iterable[str]) -> DesiredItems:
    return {i: catalog[i] if i in catalog else None for i in ids}


def _set(catalog: Catalog, desired: DesiredItems) -> None:
    given = {i: item for i, item in desired.items() if item is not None}
    catalog.remove([i for i in desired if i not in given and i in catalog])
    catalog.update([x for i, x in given.items() if i in catalog and catalog[i] != x])
    catalog.add([x for i, x in given.items() if i not in catalog])


def _refresh(rec: Recommender) -> None:
    rec.pipeline.sync()
    if rec.lm is not None and len(rec.catalog):
        rec.pipeline.resources.model.prompt(rec.resolve({}))
