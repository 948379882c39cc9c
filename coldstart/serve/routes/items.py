"""``/v1/items``: the catalog while the service runs, and who would like an item of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from coldstart.schema import Item
from coldstart.serve import catalogs
from coldstart.serve.audience import Audience, Group, audience, places, sample_profiles, suits
from coldstart.serve.errors import invalid
from coldstart.serve.models import EXAMPLE_ITEM, ItemIn, ItemsIn, ItemsPage, ItemsPut
from coldstart.serve.routes.common import KEYS, Admin, ItemPath, Served, errors

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.schema import UserProfile

router = APIRouter(prefix="/v1/items", tags=["items"], dependencies=KEYS)
_AT_A_TIME = 8  # people whose ranks are looked up before others get their turn
_Fields = Annotated[
    dict[str, Any],
    Body(
        openapi_examples={"an item": {"value": EXAMPLE_ITEM}},
        json_schema_extra={"description": "Fields of an item, without its id."},
    ),
]


@router.get("", responses=errors())
async def list_items(
    service: Served,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ItemsPage:
    """The catalog, page by page."""

    def page(rec: Recommender) -> ItemsPage:
        items = rec.catalog.items
        after = offset + limit
        return ItemsPage(
            items=list(items[offset:after]),
            total=len(items),
            next=after if after < len(items) else None,
        )

    return await service.worker.call(page, service.arm)


@router.post("", responses=errors(403))
async def put_items(sent: ItemsIn, service: Served, _: Admin) -> ItemsPut:
    """Add items, or replace those whose id is taken; all of them or none."""
    if len(sent.items) > service.settings.max_items:
        raise invalid(f"at most {service.settings.max_items} at a time", "send them in parts")
    new = await service.put([_plain(item) for item in sent.items])
    return ItemsPut(added=len(new), updated=len(sent.items) - len(new))


@router.get("/{item_id}", responses=errors(404))
async def get_item(item_id: ItemPath, service: Served) -> Item:
    """One item."""
    return await service.worker.call_all(partial(catalogs.get, item_id=item_id))


@router.put("/{item_id}", responses=errors(403))
async def put_item(item_id: ItemPath, fields: _Fields, service: Served, _: Admin) -> Item:
    """Add an item, or replace it as a whole; recommendable from the next request on."""
    await service.put([_read(fields, item_id)])
    return await get_item(item_id, service)


@router.patch("/{item_id}", responses=errors(403, 404))
async def patch_item(item_id: ItemPath, fields: _Fields, service: Served, _: Admin) -> Item:
    """Change some fields of an item; ``null`` puts a field back to its default."""
    item = await get_item(item_id, service)
    there = item.model_dump(mode="json", exclude_defaults=True)
    merged = {name: value for name, value in (there | fields).items() if value is not None}
    await service.put([_read(merged, item_id)])
    return await get_item(item_id, service)


@router.delete("/{item_id}", status_code=204, responses=errors(403, 404, 409))
async def delete_item(item_id: ItemPath, service: Served, _: Admin) -> None:
    """Take an item out of the catalog."""
    await service.remove(item_id)


@router.get("/{item_id}/audience", responses=errors(404))
async def get_audience(item_id: ItemPath, service: Served) -> Audience:
    """Who would like this item: how high it ranks for people of every kind.

    The kinds are the commonest ages, genders and occupations of the training data, and their
    combinations; scores are those without the language model.
    """
    item = await get_item(item_id, service)

    def people_of(rec: Recommender) -> tuple[list[UserProfile], int]:
        people = [p for p in sample_profiles(rec.counts.group_sizes) if suits(item, p)]
        return people, len(rec.catalog)

    people, size = await service.worker.call(people_of, service.arm)
    groups: list[Group] = []
    for start in range(0, len(people), _AT_A_TIME):
        part = people[start : start + _AT_A_TIME]
        groups += await service.worker.call(partial(_places, item_id, part), service.arm)
    return audience(item, groups, size)


def _places(item_id: str, people: list[UserProfile], rec: Recommender) -> list[Group]:
    catalogs.get({"": rec}, item_id)  # it may have been taken out between two parts
    return list(places(rec, item_id, people))


def _read(fields: dict[str, Any], item_id: str) -> Item:
    """An item of these fields.

    Raises:
        Refusal: 422, another id.
        RequestValidationError: 422, fields that do not fit.
    """
    if fields.get("item_id", item_id) != item_id:
        raise invalid("item_id differs from that of the path", "leave it out")
    try:
        return _plain(ItemIn.model_validate({**fields, "item_id": item_id}))
    except ValidationError as e:
        raise RequestValidationError(e.errors()) from None


def _plain(item: ItemIn) -> Item:
    return Item.model_validate(item.model_dump())
