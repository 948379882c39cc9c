"""Items that a request for products names as examples, as opposed to types of things."""

from __future__ import annotations

import re

from coldstart.catalog.catalog import Catalog
from coldstart.understanding.titles import NamedTitle, TitleSpotter

_EXAMPLE = re.compile(
    r"\b(?:like|liked|loved?|bought|have|had|got|owns?|similar\s+to|such\s+as|the|another|than|hate|hated|not)\s+"
    r"(?:my\s+|the\s+|our\s+|your\s+)?[\"“'‘]?$",
    re.I,
)
_QUOTED = re.compile(r"[\"“'‘«]$")


def find_examples(text: str, titles: TitleSpotter, catalog: Catalog) -> list[NamedTitle]:
    """Titles that name one item: written with its capitals, in quotes, or after "like".

    "A wooden train set" is a type of thing, though an item may be called so.

    Args:
        text: the request.
        titles: finder of the catalog's titles.
        catalog: the items.
    """
    out = []
    for found in titles.find(text):
        span, before = text[found.start : found.end], text[max(0, found.start - 30) : found.start]
        title = catalog[found.item_id].title
        capitals = [w for w in re.findall(r"[^\W\d_]+", span) if w[0].isupper()]
        if span == text.strip(" .!?"):
            continue  # it is looked for
        same = span in title and len(capitals) > 1 and len(span.split()) > 1
        example = _EXAMPLE.search(before) and len(span.split()) > 1 and bool(capitals)
        if same or example or _QUOTED.search(before):
            out.append(found)
    return out
