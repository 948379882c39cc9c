"""Picks: items that a user names, and how they were read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from coldstart.schema.base import Frozen, Input


class Pick(Input):
    """One item of a profile: an item id or a title, and an optional time.

    Args:
        by: what ``item`` is; ``None``: a title or an id as a person types it, refused if it is the
            title of one item and the id of another.
    """

    item: str = Field(min_length=1, max_length=1000)
    at: datetime | None = None
    by: Literal["id", "title"] | None = None

    @field_validator("item", mode="before")
    @classmethod
    def _item_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class PickReading(Frozen):
    """How a typed pick was read.

    Args:
        field: of the profile, or ``viewing``.
        text: the pick as written, or the part of it between separators.
        item_id: the item it was taken for.
        title: its title.
        year: its year.
        by: whether the text is the item's id or a title of it.
        note: what else it could have been; empty if it is certain.
    """

    field: Literal["liked", "disliked", "seen", "viewing"]
    text: str
    item_id: str
    title: str
    year: int | None = None
    by: Literal["id", "title"]
    note: str = ""


def as_picks(value: object) -> object:
    """Accept "Toy Story", 50, {"item": …, "at": …} or a list of these."""
    if isinstance(value, str | int | Pick | Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    return tuple(as_pick(v) for v in value)


def as_pick(value: object) -> object:
    """Accept "Toy Story", 50 or {"item": …, "at": …}."""
    is_name = isinstance(value, str | int) and not isinstance(value, bool)
    return {"item": str(value)} if is_name else value


Picks = Annotated[tuple[Pick, ...], BeforeValidator(as_picks), Field(max_length=10_000)]
