"""Languages of MovieLens-small's films that are not mainly in English.

``film_languages.tsv`` was written for this project, from the original titles that MovieLens gives
in brackets and from what is generally known of the films; a film without a row is in English, or
not sure. One line for each language: its English name, a tab, the ids of its films.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

from coldstart.catalog.known_attributes import FOREIGN, FOREIGN_VALUE, LANGUAGE
from coldstart.schema import Item


@cache
def film_languages() -> Mapping[str, str]:
    """Language of each film that is not mainly in English, by item id."""
    text = files("coldstart.data").joinpath("film_languages.tsv").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines())
    return {item_id: language for language, ids in lines for item_id in ids.split()}


def with_languages(items: Iterable[Item]) -> Iterator[Item]:
    """Add the attributes ``original_language`` and ``foreign`` to films that are not in English."""
    known = film_languages()
    return (
        item.model_copy(
            update={
                "attributes": item.attributes
                | {LANGUAGE: known[item.item_id], FOREIGN: FOREIGN_VALUE}
            }
        )
        if item.item_id in known
        else item
        for item in items
    )
