"""Changes of the catalog while the service runs: in every arm at once, all or nothing.

Changes are logged in the store, so that a restart, a reload and other processes get them too.
Functions that take ``arms`` are to be called from the worker's thread, or before it owns them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError
from coldstart.schema import Item
from coldstart.serve import logs
from coldstart.serve.errors import Refusal, invalid, not_found

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.store import CatalogChange
    from coldstart.serve.worker import Arms

Wanted = Mapping[str, Item | None]
"""What a catalog is to hold under some ids; ``None``: nothing."""


def put(arms: Arms, items: Sequence[Item]) -> list[str]:
    """Add items, or replace those whose id is taken; recommendable from the next request on.

    Returns:
        The ids that were new to the first arm.

    Raises:
        Refusal: 422, an item that no catalog or model takes; nothing is changed then.
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
    """Take an item out.

    Raises:
        Refusal: 404, there is none; 409, it is the last one.
    """
    catalogs = [rec.catalog for rec in arms.values()]
    if not any(item_id in catalog for catalog in catalogs):
        raise not_found("item", "GET /v1/items lists them")
    if any(len(catalog) == 1 for catalog in catalogs if item_id in catalog):
        raise Refusal(409, "conflict", "it is the only item", "put another one first")
    apply(arms, {item_id: None})


def get(arms: Arms, item_id: str) -> Item:
    """The item, as the first arm has it.

    Raises:
        Refusal: 404.
    """
    catalog = _first(arms)
    if item_id not in catalog:
        raise not_found("item", "GET /v1/items lists them")
    return catalog[item_id]


def apply(arms: Arms, wanted: Wanted) -> None:
    """Make all catalogs hold what is wanted; what they hold already is left alone.

    Vectors, priors and the model's trie follow at once, not at the next request.

    Raises:
        Exception: whatever an item does to a model; the catalogs are as before then.
    """
    before = {arm: _now(rec.catalog, wanted) for arm, rec in arms.items()}
    try:
        for rec in arms.values():
            _set(rec.catalog, wanted)
            _follow(rec)
    except Exception:
        for arm, rec in arms.items():
            _set(rec.catalog, before[arm])
        raise


def replay(arms: Arms, changes: Iterable[CatalogChange]) -> int:
    """Apply logged changes, of which the last one of an item counts.

    One that no longer fits, say because an artifact has another model, is left out and logged.

    Returns:
        How many items were touched.
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


def _now(catalog: Catalog, ids: Iterable[str]) -> Wanted:
    return {i: catalog[i] if i in catalog else None for i in ids}


def _set(catalog: Catalog, wanted: Wanted) -> None:
    given = {i: item for i, item in wanted.items() if item is not None}
    catalog.remove([i for i in wanted if i not in given and i in catalog])
    catalog.update([x for i, x in given.items() if i in catalog and catalog[i] != x])
    catalog.add([x for i, x in given.items() if i not in catalog])


def _follow(rec: Recommender) -> None:
    rec.pipeline.sync()
    if rec.lm is not None and len(rec.catalog):
        rec.pipeline.resources.model.prompt(rec.resolve({}))
