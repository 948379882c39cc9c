"""Did you mean: the nearest of some known names, whatever their case, punctuation and plural."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from coldstart.catalog.catalog import Catalog

_CUTOFF = 0.75


class CatalogNames(NamedTuple):
    """Names that occur in a catalog, by their lower case, in its spelling.

    Args:
        categories: all categories.
        attributes: values by attribute.
    """

    categories: Mapping[str, str]
    attributes: Mapping[str, Mapping[str, str]]


_made: WeakKeyDictionary[Catalog, tuple[int, CatalogNames]] = WeakKeyDictionary()


def catalog_names(catalog: Catalog) -> CatalogNames:
    """Categories and attribute values of a catalog; cached until it changes."""
    version, names = _made.get(catalog, (-1, CatalogNames({}, {})))
    if version == catalog.version:
        return names
    categories: dict[str, str] = {}
    attributes: dict[str, dict[str, str]] = {}
    for item in catalog:
        for name in item.categories:
            categories.setdefault(name.casefold(), name)
        for name, value in item.attributes.items():
            attributes.setdefault(name, {}).setdefault(value.casefold(), value)
    names = CatalogNames(categories, attributes)
    _made[catalog] = (catalog.version, names)
    return names


def plain(name: str) -> str:
    """A name for comparison: letters and digits, in lower case, without a plural's ending.

    >>> plain("Sci-Fi") == plain("sci fi"), plain("Comedies") == plain("comedy")
    (True, True)
    """
    bare = re.sub(r"[\W_]+", "", name.casefold())
    if len(bare) > 4:
        bare = re.sub(r"ies$", "y", bare)
        bare = re.sub(r"(?<=[^s])s$", "", bare)
    return bare


def nearest_names(
    name: str, known: Iterable[str], n: int = 1, *, cutoff: float = _CUTOFF
) -> list[str]:
    """Known names that a misspelt one most likely means, the likeliest first.

    Args:
        name: as typed.
        known: names that exist.
        n: number of names.
        cutoff: least similarity in spelling (``difflib``), 0 to 1.

    >>> nearest_names("romanse", ["Drama", "Romance"]), nearest_names("scifi", ["Sci-Fi"])
    (['Romance'], ['Sci-Fi'])
    """
    by_form: dict[str, str] = {}
    for one in known:
        by_form.setdefault(plain(one), one)
    form = plain(name)
    found = [form] if form in by_form else []
    found += [f for f in difflib.get_close_matches(form, by_form, n, cutoff) if f not in found]
    return [by_form[f] for f in found[:n]]


def is_same_name(one: str, other: str) -> bool:
    """Whether two names differ in case, punctuation or plural alone."""
    return plain(one) == plain(other)
