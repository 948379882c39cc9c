"""Interests that are no categories: read as text, and perhaps misspelt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from coldstart.catalog.names import is_same_name, nearest_names, plain
from coldstart.errors import MisspeltInterestError
from coldstart.schema import Understood

_CUTOFF, _SHORTEST = 0.8, 5
_SEPARATOR = re.compile(r"[,;|]")


def interest_notes(
    interests: Iterable[str],
    categories: Mapping[str, str],
    read: Callable[[str], Understood],
    unknown: str,
) -> list[str]:
    """Compare interests with the catalog's categories.

    Args:
        interests: of the profile.
        categories: of the catalog, by their lower case; an interest among them is data and needs
            no reading.
        read: reader of texts, which corrects slips and knows other words for categories.
        unknown: ``error`` or ``ignore``.

    Returns:
        A note on each interest that is read as a category of another spelling, or, with ``ignore``,
        that may be meant as one.

    Raises:
        MisspeltInterestError: with ``error``, an interest that means nothing but is nearly a
            category.
    """
    notes = []
    parts = (part.strip() for interest in interests for part in _SEPARATOR.split(interest))
    for interest in filter(None, parts):
        if interest.casefold() in categories:
            continue
        if len(plain(interest)) < _SHORTEST:  # a slip in so few letters makes another word
            continue
        near = nearest_names(interest, categories.values(), cutoff=_CUTOFF)
        if not near or is_same_name(interest, near[0]):
            continue
        meant = read(interest).values("category")
        if near[0] in meant:
            notes.append(f"interest {interest!r}: did you mean {near[0]!r}? It was read so")
        elif read(interest).pieces:
            continue  # another word that the reader knows
        elif unknown == "error":
            raise MisspeltInterestError(
                f"interests: {interest!r} is no category of the catalog",
                hint=f"did you mean {near[0]!r}? What is no category belongs into about",
            )
        else:
            notes.append(f"interest {interest!r}: did you mean {near[0]!r}? It was read as text")
    return notes
