"""Catalog updates at run time, on all arms at once: planned, applied, and replayed from the log.

Functions that take ``arms`` must be called from the worker's thread, or before the worker starts.
``catalog_writer`` has the order of steps: plan, log, apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_encoding import encode_items
from coldstart.errors import CatalogError
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.schema import Item
from coldstart.serve import logs
from coldstart.serve.errors import ApiError, invalid, not_found
from coldstart.serve.store.records import NewChange
from coldstart.serve.store.validation import check_text

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.store import CatalogChange
    from coldstart.serve.worker import Arms

DesiredItems = Mapping[str, Item | None]
"""Desired catalog content by item id; ``None``: no such item."""


@dataclass(frozen=True)
class CatalogPlan:
    """A validated update, not yet logged or applied.

    Args:
        desired: content after the update.
        before: content of the first arm before it, for the same ids.
    """

    desired: DesiredItems
    before: DesiredItems

    @property
    def added(self) -> list[str]:
        """Ids that are new to the first arm."""
        return [i for i, item in self.desired.items() if item and self.before[i] is None]

    @property
    def changes(self) -> list[NewChange]:
        """Entries of the log that make the update."""
        return [_change(i, item, self.before[i]) for i, item in self.desired.items()]

    @property
    def reversal(self) -> list[NewChange]:
        """Entries of the log that take it back."""
        return [_change(i, item, self.desired[i]) for i, item in self.before.items()]


def _change(item_id: str, item: Item | None, before: Item | None) -> NewChange:
    if item is None:
        return NewChange("remove", item_id)
    return NewChange("update" if before else "add", item_id, item.model_dump_json())


def plan_put(arms: Arms, items: Sequence[Item]) -> CatalogPlan:
    """Plan to add or replace items.

    Their texts are encoded and tokenized, so that what a model refuses is refused here.

    Raises:
        ApiError: 422, an item is not valid for the catalog or a model.
        StoreError: an id cannot be stored.
    """
    for item in items:
        check_text(item.item_id, "item id")
    try:
        clean = {item.item_id: item for item in Catalog(items)}
    except CatalogError:
        raise invalid("an id comes twice, or a title has nothing in it", "mend the items") from None
    try:
        for rec in arms.values():
            encode_items(rec.item_store.encoder, [item.content_text() for item in clean.values()])
            if rec.lm is not None:
                list(rec.lm.lines.titles([item.title for item in clean.values()]))
    except Exception as e:
        raise refused_by_model() from e
    return CatalogPlan(clean, _snapshot(_first(arms), clean))


def refused_by_model() -> ApiError:
    """422: a model cannot process an item."""
    return invalid("a title or description cannot be used by the model", "shorten or mend it")


def plan_removal(arms: Arms, item_id: str) -> CatalogPlan:
    """Plan to remove an item.

    Raises:
        ApiError: 404, no such item; 409, it is the last one.
    """
    catalogs = [rec.catalog for rec in arms.values()]
    if not any(item_id in catalog for catalog in catalogs):
        raise not_found("item", "GET /v1/items lists them")
    if any(len(catalog) == 1 for catalog in catalogs if item_id in catalog):
        raise ApiError(409, "conflict", "it is the only item", "put another one first")
    return CatalogPlan({item_id: None}, _snapshot(_first(arms), [item_id]))


def get(arms: Arms, item_id: str) -> Item:
    """Item of the first arm's catalog.

    Raises:
        ApiError: 404, no such item.
    """
    item = find(arms, item_id)
    if item is None:
        raise not_found("item", "GET /v1/items lists them")
    return item


def find(arms: Arms, item_id: str) -> Item | None:
    """Item of the first arm's catalog, or ``None``."""
    catalog = _first(arms)
    return catalog[item_id] if item_id in catalog else None


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


def replay(arms: Arms, changes: Iterable[CatalogChange]) -> dict[int, str]:
    """Apply logged changes in their order; the last change of each item wins.

    The changes of a transaction are applied together or not at all. What cannot be applied is set
    aside and logged: a row that cannot be read, and a transaction that a model refuses, for example
    after a change of model.

    Returns:
        Ids of the items whose changes were set aside, by ``seq``; empty for unreadable rows.

    Raises:
        IndexUnavailable: a server is away; nothing is set aside for it.
    """
    aside: dict[int, str] = {}
    batches: list[dict[str, Item | None]] = []
    sources: list[dict[int, str]] = []
    for _, batch in groupby(changes, key=lambda change: change.batch):
        desired: dict[str, Item | None] = {}
        numbers: dict[int, str] = {}
        for change in batch:
            try:
                desired[change.item_id] = item_of(change)
                numbers[change.seq] = change.item_id
            except (ValueError, CatalogError) as e:  # pydantic's is a ValueError
                aside[change.seq] = change.item_id
                logs.failure("catalog_change_set_aside", e, seq=change.seq)
        if desired:
            batches.append(desired)
            sources.append(numbers)
    for n, error in _refused(arms, batches, 0, len(batches)):
        aside |= sources[n]
        size, seq = len(sources[n]), min(sources[n])
        logs.failure("catalog_change_set_aside", error, seq=seq, changes=size)
    return aside


def change_items(catalog: Catalog, changes: Iterable[CatalogChange]) -> int:
    """Bring a catalog that nothing serves to the state after logged changes.

    Returns:
        Number of changes that cannot be read, which are left out.
    """
    desired: dict[str, Item | None] = {}
    bad = 0
    for change in changes:
        try:
            desired[change.item_id] = item_of(change)
        except (ValueError, CatalogError):
            bad += 1
    _set(catalog, desired)
    return bad


def item_of(change: CatalogChange) -> Item | None:
    """Item of a logged change; ``None``: it was removed. Raises if the row is not valid."""
    if change.kind == "remove":
        return None
    if change.item is None:
        raise ValueError("the row is damaged")
    item = Item.model_validate_json(change.item)
    if item.item_id != change.item_id:
        raise ValueError("the row is of one item, its content of another")
    (clean,) = Catalog([item])
    return clean


def _refused(
    arms: Arms, batches: Sequence[DesiredItems], start: int, end: int
) -> Iterator[tuple[int, Exception]]:
    """Apply batches in order; yield the positions of those refused, found by bisection."""
    if start == end:
        return
    latest: dict[str, Item | None] = {}
    for desired in batches[start:end]:
        latest |= desired
    try:
        apply(arms, latest)
    except IndexUnavailable:
        raise
    except Exception as e:
        if end - start == 1:
            yield start, e
            return
        middle = (start + end) // 2
        yield from _refused(arms, batches, start, middle)
        yield from _refused(arms, batches, middle, end)


def _first(arms: Arms) -> Catalog:
    return next(iter(arms.values())).catalog


def _snapshot(catalog: Catalog, ids: Iterable[str]) -> dict[str, Item | None]:
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
