"""``/v1/items``: catalog management at run time, and an item's rank per user segment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from coldstart.schema import Item
from coldstart.serve import catalog_updates, costs
from coldstart.serve.admission import charge
from coldstart.serve.catalog_updates import CatalogPlan
from coldstart.serve.errors import invalid
from coldstart.serve.item_paths import ItemPath
from coldstart.serve.requests import EXAMPLE_ITEM, ItemIn, ItemsIn
from coldstart.serve.responses import ItemsFound, ItemsPage, ItemsPut
from coldstart.serve.routes.common import KEYS, Admin, Served, errors
from coldstart.serve.routes.versions import IfMatch, IfNoneMatch, check_versions, etag
from coldstart.serve.segments import (
    Audience,
    Group,
    is_suitable,
    rank_audience,
    segment_profiles,
    segment_ranks,
)

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.schema import UserProfile
    from coldstart.serve.worker import Arms

router = APIRouter(prefix="/v1/items", tags=["items"], dependencies=KEYS)
_CHUNK = 8  # segments per job, so that other requests are not blocked
_Fields = Annotated[
    dict[str, Any],
    Body(
        openapi_examples={"an item": {"value": EXAMPLE_ITEM}},
        json_schema_extra={"description": "Fields of the item, without its id."},
    ),
]


@router.get("", responses=errors())
async def list_items(
    service: Served,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ItemsPage:
    """List the catalog, page by page."""

    def page(rec: Recommender) -> ItemsPage:
        items = rec.catalog.items
        after = offset + limit
        return ItemsPage(
            items=list(items[offset:after]),
            total=len(items),
            next=after if after < len(items) else None,
        )

    return await service.worker.call(page, service.arm)


@router.get("/search", responses=errors())
async def search_items(
    service: Served,
    q: Annotated[
        str, Query(min_length=1, max_length=200, description="A title, as far as it is typed.")
    ],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> ItemsFound:
    """Find items by title: by the beginning of any word, by initials, in spite of slips.

    Of equally good matches, the most popular come first. The item whose id is `search` is
    `/v1/items/%73earch`.
    """
    cards = await service.worker.call(partial(service.search.cards, q, limit), service.arm)
    return ItemsFound(items=cards)


@router.post("", responses=errors(403, 409))
async def put_items(body: ItemsIn, service: Served, _: Admin) -> ItemsPut:
    """Add or replace items: all of them, or none."""
    if len(body.items) > service.settings.max_items:
        raise invalid(f"at most {service.settings.max_items} at a time", "send them in parts")
    charge(costs.of_items(len(body.items)))
    made = await service.put_items([_to_item(item) for item in body.items])
    return ItemsPut(added=len(made.added), updated=len(body.items) - len(made.added))


@router.get("/{item_id:path}/audience", responses=errors(404))
async def get_audience(item_id: ItemPath, service: Served) -> Audience:
    """Rank of this item per user segment.

    Segments are combinations of the most frequent ages, genders and occupations of the training
    users; scores are computed without the language model.
    """
    charge(costs.AUDIENCE)
    item = await service.worker.call_all(partial(catalog_updates.get, item_id=item_id))

    def segments(rec: Recommender) -> tuple[list[UserProfile], int]:
        profiles = [p for p in segment_profiles(rec.counts.group_sizes) if is_suitable(item, p)]
        return profiles, len(rec.catalog)

    profiles, size = await service.worker.call(segments, service.arm)
    groups: list[Group] = []
    for start in range(0, len(profiles), _CHUNK):
        part = profiles[start : start + _CHUNK]
        work = partial(_ranks, item_id, part)
        groups += await service.worker.call(work, service.arm, cost=1.0)
    return rank_audience(item, groups, size)


@router.get("/{item_id:path}", responses=errors(404))
async def get_item(item_id: ItemPath, service: Served, response: Response) -> Item:
    """Get an item; the header `ETag` is its version."""
    item = await service.worker.call_all(partial(catalog_updates.get, item_id=item_id))
    response.headers["ETag"] = etag(item)
    return item


@router.put("/{item_id:path}", responses=errors(403, 409, 412))
async def put_item(
    item_id: ItemPath,
    fields: _Fields,
    service: Served,
    _: Admin,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Item:
    """Add or replace an item; it can be recommended from the next request on."""
    item = _validate(fields, item_id)

    def plan(arms: Arms) -> CatalogPlan:
        check_versions(catalog_updates.find(arms, item_id), if_match, if_none_match)
        return catalog_updates.plan_put(arms, [item])

    return _changed(await service.change_catalog(plan), item_id, response)


@router.patch("/{item_id:path}", responses=errors(403, 404, 409, 412))
async def patch_item(
    item_id: ItemPath,
    fields: _Fields,
    service: Served,
    _: Admin,
    response: Response,
    if_match: IfMatch = None,
) -> Item:
    """Update fields of an item; `null` resets a field to its default.

    Fields that are not sent stay as they are at that moment: concurrent updates of different
    fields are all kept.
    """

    def plan(arms: Arms) -> CatalogPlan:
        item = catalog_updates.get(arms, item_id)
        check_versions(item, if_match)
        stored = item.model_dump(mode="json", exclude_defaults=True)
        merged = {name: value for name, value in (stored | fields).items() if value is not None}
        return catalog_updates.plan_put(arms, [_validate(merged, item_id)])

    return _changed(await service.change_catalog(plan), item_id, response)


@router.delete("/{item_id:path}", status_code=204, responses=errors(403, 404, 409, 412))
async def delete_item(
    item_id: ItemPath, service: Served, _: Admin, if_match: IfMatch = None
) -> None:
    """Remove an item from the catalog."""

    def plan(arms: Arms) -> CatalogPlan:
        check_versions(catalog_updates.find(arms, item_id), if_match)
        return catalog_updates.plan_removal(arms, item_id)

    await service.change_catalog(plan)


def _changed(made: CatalogPlan, item_id: str, response: Response) -> Item:
    item = made.desired[item_id]
    assert item is not None
    response.headers["ETag"] = etag(item)
    return item


def _ranks(item_id: str, profiles: list[UserProfile], rec: Recommender) -> list[Group]:
    catalog_updates.get({"": rec}, item_id)  # it may have been removed between two chunks
    return list(segment_ranks(rec, item_id, profiles))


def _validate(fields: dict[str, Any], item_id: str) -> Item:
    """Validate the fields of an item.

    Raises:
        ApiError: 422, the id differs from the path.
        RequestValidationError: 422, invalid fields.
    """
    if fields.get("item_id", item_id) != item_id:
        raise invalid("item_id differs from that of the path", "leave it out")
    try:
        return _to_item(ItemIn.model_validate({**fields, "item_id": item_id}))
    except ValidationError as e:
        raise RequestValidationError(e.errors()) from None


def _to_item(item: ItemIn) -> Item:
    return Item.model_validate(item.model_dump())
