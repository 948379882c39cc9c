"""Predicates over catalog metadata: what an item must be to fulfil a sentence."""

from __future__ import annotations

import re
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
        for_age: age of the audience in years: the item has a ``min_age`` or a ``max_age``, and this
            age lies between them, both ends included.
        price_from: lowest price, ``None``: open; an item without a price fulfils no prices.
        price_to: highest price, likewise.
        words: words or phrases one of which the title, the categories or the description has, as
            whole words without case; beyond ASCII (Chinese, say) inside other words, too.
        titled: the same of the title alone.
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
    for_age: int | None = Field(default=None, ge=0, le=130)
    price_from: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    price_to: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    words: Texts = ()
    titled: Texts = ()
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
        low, high = self.price_from, self.price_to
        if low is not None and high is not None and low > high:
            raise ValueError(f"lowest price {low:g} is above the highest, {high:g}")
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
            and self._is_for_age(item)
            and self._costs(item)
            and (not self.words or _has_words(item.content_text(), self.words))
            and (not self.titled or _has_words(item.title, self.titled))
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

    def _is_for_age(self, item: Item) -> bool:
        if self.for_age is None:
            return True
        if item.min_age is None and item.max_age is None:
            return False
        oldest = 130 if item.max_age is None else item.max_age
        return (item.min_age or 0) <= self.for_age <= oldest

    def _costs(self, item: Item) -> bool:
        if self.price_from is None and self.price_to is None:
            return True
        return (
            item.price is not None
            and (self.price_from is None or item.price >= self.price_from)
            and (self.price_to is None or item.price <= self.price_to)
        )


@lru_cache(maxsize=4096)
def category_key(category: str) -> str:
    """Comparison key of a category.

    >>> category_key("Children's")
    'children'
    """
    return category.strip().casefold().replace("’", "'").removesuffix("'s")


def _value(item: Item, name: str) -> str:
    return item.attributes.get(name, "").strip().casefold()


def _has_words(text: str, words: Texts) -> bool:
    return any(_pattern(word).search(text.casefold()) for word in words)


@lru_cache(maxsize=4096)
def _pattern(words: str) -> re.Pattern[str]:
    """Pattern of a phrase: whole words in ASCII, any place in other scripts."""
    folded = re.escape(words.strip().casefold())
    return re.compile(rf"(?<!\w){folded}(?!\w)" if folded.isascii() else folded)


def _is_titled(item: Item, title: str) -> bool:
    own, wanted = split_year(item.title)[0], split_year(title)
    names = {normalise_title(own), normalise_title(own.partition("(")[0])}
    return normalise_title(wanted[0]) in names and wanted[1] in (None, item.year)
