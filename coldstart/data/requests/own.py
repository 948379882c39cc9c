"""Recorded requests of any service: one JSON object per line, over its own catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.lookup import look_up
from coldstart.data.requests.lines import json_lines
from coldstart.data.requests.recorded import Part, RecordedRequest, RequestItem, RequestLog
from coldstart.errors import ColdstartError, DataError
from coldstart.schema import UserProfile

FIELDS = ("text", "chosen", "mentioned", "profile", "dialogue", "split", "first")
SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
"""Share of the dialogues in each part, where a line names none."""


def load_requests_file(path: Path, catalog: Catalog) -> RequestLog:
    """Read requests from a JSON lines file.

    A line holds ``text`` and ``chosen``, and any of ``mentioned`` (both lists of ids or titles, or
    of ``{"item": …, "liked": true}``), ``profile`` (as ``UserProfile``), ``dialogue`` (requests of
    one person or conversation), ``split`` (train, valid or test) and ``first``. Without ``split``,
    the part follows from a hash of the dialogue, else of the profile's ``user_id``, else of the
    text, so that one dialogue is in one part and stays there when lines are added.

    Args:
        path: of the file.
        catalog: in which items are looked up.

    Returns:
        The log, named after the file.

    Raises:
        DataError: the file is missing or empty, or a line is malformed or names an unknown or
            ambiguous item; the message has its number.
    """
    parts: dict[Part, list[RecordedRequest]] = {part: [] for part in get_args(Part)}
    for number, line in json_lines(path):
        try:
            part, request = _request(line, catalog)
        except ColdstartError as e:
            raise DataError(f"{path}, line {number}: {e.message}", hint=e.hint) from None
        parts[part].append(request)
    if not any(parts.values()):
        raise DataError(f"{path}: no requests", hint="write one JSON object per line")
    return RequestLog(path.stem, catalog, **{p: tuple(rows) for p, rows in parts.items()})


def part_of(key: str) -> Part:
    """Part that a hash of ``key`` falls into, by ``SHARES``."""
    place = int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8]) / 2**64
    if place < SHARES["train"]:
        return "train"
    return "valid" if place < SHARES["train"] + SHARES["valid"] else "test"


def _request(line: Mapping[str, Any], catalog: Catalog) -> tuple[Part, RecordedRequest]:
    if unknown := sorted(set(line) - set(FIELDS)):
        raise DataError(f"unknown field {unknown[0]!r}", hint=f"fields are {', '.join(FIELDS)}")
    text = line.get("text")
    if not isinstance(text, str):
        raise DataError(
            f"text is {text!r}, expected what the person wrote", hint="write it as a JSON string"
        )
    chosen = _items(line.get("chosen"), "chosen", catalog)
    if not chosen:
        raise DataError("nothing is chosen", hint='name what was taken: "chosen": ["Emma"]')
    profile = UserProfile.parse(line.get("profile") or {})
    dialogue = line.get("dialogue")
    key = str(dialogue) if dialogue is not None else profile.user_id or text
    request = RecordedRequest(
        text=text,
        chosen=chosen,
        mentioned=_items(line.get("mentioned"), "mentioned", catalog),
        profile=profile,
        dialogue=key,
        first=bool(line.get("first", True)),
    )
    part = line.get("split") or part_of(key)
    if part not in get_args(Part):
        raise DataError(f"split {part!r}", hint=f"one of {', '.join(get_args(Part))}")
    return cast(Part, part), request


def _items(value: Any, field: str, catalog: Catalog) -> tuple[RequestItem, ...]:
    """Items of a field: an id or title, a mapping, or a list of these."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(_item(entry, field, catalog) for entry in entries)


def _item(entry: Any, field: str, catalog: Catalog) -> RequestItem:
    more = entry if isinstance(entry, Mapping) else {"item": entry}
    name, liked, by_user = more.get("item"), more.get("liked"), more.get("by_user", True)
    readable = isinstance(name, str | int) and not isinstance(name, bool)
    if not readable or not isinstance(liked, bool | None) or not isinstance(by_user, bool):
        raise DataError(
            f"{field} holds {entry!r}",
            hint='an id, a title, or {"item": id or title, "liked": true or false}',
        )
    looked_up = look_up(catalog, str(name))
    found = looked_up.ids
    if not found:
        near = catalog.suggest(str(name), 1)
        raise DataError(
            f"{field}: no item {str(name)!r} in the catalog",
            hint=f"did you mean {near[0]!r}?" if near else "give an id or a title of the catalog",
        )
    if looked_up.other:
        raise DataError(
            f"{field}: {str(name)!r} is the title of item {found[0]!r} and the id of another",
            hint=f"write 'title:{name}' or 'id:{name}'",
        )
    if len(found) > 1:
        raise DataError(
            f"{field}: {str(name)!r} is the title of {len(found)} items",
            hint=f"give one of the ids {', '.join(found[:5])}, or the year in parentheses",
        )
    return RequestItem(found[0], liked, by_user)
