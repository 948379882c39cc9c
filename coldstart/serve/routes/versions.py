"""Versions of items (``ETag``), and updates on the condition of one (``If-Match``)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header

from coldstart.schema import Item
from coldstart.serve.errors import ApiError

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="`ETag` of the version to change, or `*` for any; otherwise 412.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(max_length=1000, description="`*`: only if there is no such item; otherwise 412."),
]


def etag(item: Item) -> str:
    """Entity tag of an item: a digest of its content."""
    return f'"{hashlib.sha256(item.model_dump_json().encode()).hexdigest()[:32]}"'


def check_versions(
    item: Item | None, if_match: str | None, if_none_match: str | None = None
) -> None:
    """Check the preconditions of an update against the current item.

    Args:
        item: current item; ``None`` if there is none.
        if_match: value of ``If-Match``, if sent.
        if_none_match: value of ``If-None-Match``, if sent.

    Raises:
        ApiError: 412, a precondition does not hold.
    """
    current = None if item is None else etag(item)
    if if_match is not None and not _matches(if_match, current):
        raise _changed_meanwhile()
    if if_none_match is not None and _matches(if_none_match, current):
        raise _changed_meanwhile()


def _matches(tags: str, current: str | None) -> bool:
    """Whether a list of entity tags, or ``*``, has the current one."""
    return current is not None and (
        tags.strip() == "*" or current in (tag.strip() for tag in tags.split(","))
    )


def _changed_meanwhile() -> ApiError:
    return ApiError(
        412, "changed", "the item has another version by now", "GET it, and decide again"
    )
