"""Predicates over catalog metadata: what an item must be to fulfil a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from pydantic import Field, model_validator

from coldstart.catalog.titles import normalise_title, split_year
from coldstart.schema import Attributes, Item, Texts
from coldstart.schema.base import Input

CHILDREN = "children"
"""Category of films that suit a child of any age if their minimum age is unknown."""


class ItemPredicate(Input):
    """Condition on one item; every field that is given must hold.

    Categories are compared without case and without a final "'s" (MovieLens 100K has "Children's",
    MovieLens latest "Children").

    Args:
        all_of: categories that the item must have.
        any_of: categories of which it must have one.
        none_of: categories that it must not have.
        first: first year, ``None``: open; an item without a year fulfils no years.
        last: last year, likewise.
        suitable_for: age of the youngest viewer in years: the item's ``min_age`` is at most this,
            or unknown and the item is of the category Children.
        equals: attribute → value, compared without case.
        contains: attribute → text that its value contains, without case; for lists of people.
        not_titled: titles that the item must not have, in any spelling.
        every: predicates that must all hold.
        some: predicates of which one must hold.
        unless: predicate that must not hold.
    """

    all_of: Texts = ()
    any_of: Texts = ()
    none_of: Texts = ()
    first: int | None = None
    last: int | None = None
    suitable_for: int | None = Field(default=None, ge=0, le=130)
    equals: Attributes = Field(default_factory=dict)
    contains: Attributes = Field(default_factory=dict)
    not_titled: Texts = ()
    every: tuple[ItemPredicate, ...] = ()
    some: tuple[ItemPredicate, ...] = ()
    unless: ItemPredicate | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> ItemPredicate:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("empty: every item fulfils it")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"first year {self.first} is after the last, {self.last}")
        return self

    def holds(self, item: Item) -> bool:
        """Whether the item fulfils the predicate."""
        has = {category_key(c) for c in item.categories}
        return (
            all(category_key(c) in has for c in self.all_of)
            and (not self.any_of or any(category_key(c) in has for c in self.any_of))
            and not any(category_key(c) in has for c in self.none_of)
            and self._in_years(item)
            and self._suits(item, has)
            and all(_value(item, n) == v.casefold() for n, v in self.equals.items())
            and all(v.casefold() in _value(item, n) for n, v in self.contains.items())
            and not any(_is_titled(item, title) for title in self.not_titled)
            and all(p.holds(item) for p in self.every)
            and (not self.some or any(p.holds(item) for p in self.some))
            and not (self.unless is not None and self.unless.holds(item))
        )

    def categories(self) -> Iterator[str]:
        """Yield every category that is named, also by nested predicates."""
        yield from (*self.all_of, *self.any_of, *self.none_of)
        for inner in (*self.every, *self.some, *([self.unless] if self.unless else [])):
            yield from inner.categories()

    def _in_years(self, item: Item) -> bool:
        if self.first is None and self.last is None:
            return True
        return (
            item.year is not None
            and (self.first is None or item.year >= self.first)
            and (self.last is None or item.year <= self.last)
        )

    def _suits(self, item: Item, has: set[str]) -> bool:
        if self.suitable_for is None:
            return True
        if item.min_age is None:
            return CHILDREN in has
        return item.min_age <= self.suitable_for


@lru_cache(maxsize=4096)
def category_key(category: str) -> str:
    """Comparison key of a category.

    >>> category_key("Children's")
    'children'
    """
    return category.strip().casefold().replace("’", "'").removesuffix("'s")


def _value(item: Item, name: str) -> str:
    return item.attributes.get(name, "").strip().casefold()


def _is_titled(item: Item, title: str) -> bool:
    own, wanted = split_year(item.title)[0], split_year(title)
    names = {normalise_title(own), normalise_title(own.partition("(")[0])}
    return normalise_title(wanted[0]) in names and wanted[1] in (None, item.year)
