"""Recorded requests over one catalog, carried over to another by title and year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from coldstart.catalog.titles import normalise_title
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import DataError

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

_YEARS_APART = 1  # release years differ between countries and sources


def match_items(source: Catalog, target: Catalog) -> dict[str, str]:
    """Item ids of a source catalog → those of a target, by normalised title and year.

    Years may differ by one; an item without a year matches a title that occurs once.

    Returns:
        The matches; an item of either catalog is matched once at most, the closest years first.
    """
    if source is target:
        return {item_id: item_id for item_id in source.ids}
    by_title: dict[str, list[str]] = {}
    for item in target:
        by_title.setdefault(normalise_title(item.title), []).append(item.item_id)
    pairs: list[tuple[int, str, str]] = []
    for item in source:
        same = by_title.get(normalise_title(item.title), [])
        apart = [(_apart(item.year, target[i].year), i) for i in same]
        near = [(n, i) for n, i in apart if n is not None and n <= _YEARS_APART]
        if not near and len(same) == 1 and (item.year is None or target[same[0]].year is None):
            near = [(_YEARS_APART + 1, same[0])]
        pairs.extend((distance, item.item_id, match) for distance, match in near)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, theirs, ours in sorted(pairs, key=lambda pair: pair[0]):
        if theirs not in found and ours not in taken:
            found[theirs] = ours
            taken.add(ours)
    return found


def _apart(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else abs(a - b)


def onto(log: RequestLog, catalog: Catalog) -> RequestLog:
    """The same requests over another catalog; items it lacks are left out.

    Requests of which no chosen item is left stay out, too.

    Raises:
        DataError: no item matches.
    """
    if log.catalog is catalog:
        return log
    match = match_items(log.catalog, catalog)
    if not match:
        raise DataError(
            f"no item of {log.name} is in the catalog, by title and year",
            "use a catalog of the same domain",
        )
    parts = {
        name: [m for r in getattr(log, name) if (m := _matched(r, match)).chosen]
        for name in ("train", "valid", "test")
    }
    return RequestLog(log.name, catalog, **parts)


def _matched(request: RecordedRequest, match: Mapping[str, str]) -> RecordedRequest:
    def carried(items: Iterable[RequestItem]) -> tuple[RequestItem, ...]:
        return tuple(replace(i, item_id=match[i.item_id]) for i in items if i.item_id in match)

    return replace(request, chosen=carried(request.chosen), mentioned=carried(request.mentioned))
