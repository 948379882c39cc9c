"""Look up items as people write them: a title or an id, one or several in one text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from coldstart.catalog.bracketed import is_bracketed, parse_bracketed

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

By = Literal["id", "title"]

_PREFIX = re.compile(r"(id|title)\s*[:=]\s*(\S.*)", re.IGNORECASE | re.DOTALL)
_SURE = re.compile(r"[|;｜；\n\t]")
_COMMA = re.compile(r"[,，、]")
_MOST_WORDS = 200  # parts between commas that are looked at
_LONGEST_TITLE = 6  # parts between commas that one title has


class Lookup(NamedTuple):
    """Result of looking up one text.

    Args:
        ids: of the items it means, in row order; several items may share a title.
        by: how they were found.
        other: id of another item that the text also means; empty unless it is ambiguous.
    """

    ids: tuple[str, ...]
    by: By
    other: str = ""


def look_up(catalog: Catalog, text: str, by: By | None = None) -> Lookup:
    """Look up a text as a title, else as an id.

    Args:
        catalog: in which to look.
        text: a title or an id; ``id:`` or ``title:`` before it says which.
        by: which it is; ``None``: either.

    Returns:
        No ids if nothing matches. A text that is the title of one item and the id of another is
        ambiguous: ``ids`` are those of the title, ``other`` is the id.

    >>> from coldstart.catalog.catalog import Catalog
    >>> from coldstart.schema import Item
    >>> films = Catalog([Item(item_id="187", title="Alien"), Item(item_id="2", title="187")])
    >>> look_up(films, "187"), look_up(films, "id:187").ids
    (Lookup(ids=('2',), by='title', other='187'), ('187',))
    """
    text = text.strip()
    known = (text,) if text in catalog else ()
    if by == "id":
        return Lookup(known, "id")
    titled = catalog.find_title(text)
    if by == "title" or (titled and not known):
        return Lookup(titled, "title")
    if known and titled and text not in titled:
        return Lookup(titled, "title", text)
    if known:
        return Lookup(known, "id")
    if match := _PREFIX.fullmatch(text):
        prefix: By = "id" if match[1].lower() == "id" else "title"
        return look_up(catalog, match[2], prefix)
    return Lookup((), "title")


def split_picks(catalog: Catalog, text: str) -> list[str]:
    """Split a text that names several items; one part if it is one.

    A text that is a title or an id by itself is one, whatever it contains. Bars, semicolons, tabs
    and line ends always separate. Commas, which titles contain, separate if the parts between them,
    alone or joined, are items: all of them, or at least two and half of them.

    Args:
        catalog: in which the parts are looked up.
        text: as typed, or a cell of a table.
    """
    if look_up(catalog, text).ids:
        return [text]
    if is_bracketed(text):
        return parse_bracketed(text) or [text]
    if _SURE.search(text):
        parts = [_bare(part) for part in _SURE.split(text)]
        return [one for part in parts if part for one in split_picks(catalog, part)] or [text]
    words = _COMMA.split(text)
    if not 1 < len(words) <= _MOST_WORDS:
        return [text]
    found = list(_segments(catalog, words))
    known = sum(is_item for _, is_item in found)
    if known == len(found) or (known > 1 and 2 * known >= len(found)):
        return [part for part, _ in found if part] or [text]
    return [text]


def _segments(catalog: Catalog, words: list[str]) -> Iterator[tuple[str, bool]]:
    """The longest items from left to right, and the words between them."""
    at = 0
    while at < len(words):
        for end in range(min(len(words), at + _LONGEST_TITLE), at, -1):
            part = _bare(",".join(words[at:end]))
            is_item = bool(part) and bool(look_up(catalog, part).ids)
            if is_item or end == at + 1:
                if part:
                    yield part, is_item
                at = end
                break


def _bare(part: str) -> str:
    return part.strip().strip('"“”').strip()
