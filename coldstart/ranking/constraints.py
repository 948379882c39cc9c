"""Constraints read in a request's text: what excludes an item, and what puts it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.known_attributes import STOCK
from coldstart.schema import Item, Piece, Understood
from coldstart.scoring.category_nearness import FAR, apart_from
from coldstart.scoring.compounds import compounds
from coldstart.scoring.piece_matches import (
    CHILD,
    CHILDREN_NAMED,
    fulfils,
    fulfils_any,
    is_high,
    is_low,
    named_for_children,
    numbers,
    suits_children,
)
from coldstart.scoring.wishes import NO_FACTS, wanted_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

_ENOUGH = 6
"""Items of the best tier from which low prices are those among them."""
FILTER = "request"
"""Name under which ``RecommendationList.dropped`` reports what a constraint excluded."""


@dataclass(frozen=True)
class Verdicts:
    """How the items of a store stand to a request's constraints.

    Args:
        excluded: mask of the items that may not be shown, shape (N,).
        tier: items of a lower tier come first, shape (N,).
        fulfilled: mask of the items that fulfil every explicit wish, shape (N,).
    """

    excluded: Bools
    tier: Ints
    fulfilled: Bools


class Constraints:
    """Constraints of one request.

    Explicit pieces (``Piece.strict``) exclude: rejected ones what they are true of, wanted years,
    prices and stock everything else, an audience what has a higher minimum or a lower maximum age.
    Other explicit wishes order the items in tiers by how many of them are missed; inferred
    rejections and then inferred wishes order within these. What an item is (pieces of the kind
    ``type``) comes before all that, and of what is not of the type what shares a category with it.
    For children, what is not known to suit them comes after what is. A low price is one of the
    lower third of those of the best tier. An inferred piece that contradicts an explicit one is
    left out.

    Args:
        understood: the reading.
        age: of the user, if known; a child is the audience of its own request.
        interests: categories among the stated interests. Where something was inferred, such as
            from an occasion, they count as much as that.
    """

    def __init__(
        self, understood: Understood, age: int | None = None, interests: Sequence[str] = ()
    ) -> None:
        self._understood = understood
        pieces = [p for p in understood.pieces if p.kind not in NO_FACTS]
        self.ignored = _contradicted(pieces)
        pieces = [p for p in pieces if p not in self.ignored]
        strict = [p for p in pieces if p.strict]
        self.rejected = [p for p in strict if not p.wanted]
        self._demoting = [p for p in pieces if not p.strict and not p.wanted]
        ages = [p.age for p in strict if p.wanted and p.kind == "audience" and p.age is not None]
        #: Age that the audience states, which excludes.
        self.audience = min(ages, default=None)
        children = [a for a in (*ages, age) if a is not None and a < CHILD]
        self._child = min(children, default=None)
        groups = wanted_groups(understood.model_copy(update={"pieces": tuple(pieces)}))
        groups = [[p for p in g if p.kind != "audience" or not p.strict] for g in groups]
        explicit = [g for g in groups if g and all(p.strict for p in g)]
        #: Explicit wishes that exclude what does not fulfil them: alternatives by group.
        self.required = [g for g in explicit if all(map(_excludes, g))]
        #: Explicit wishes that order: alternatives by group, types of things first.
        self.wished = [g for g in explicit if g not in self.required]
        self._types = [g for g in self.wished if all(p.kind == "type" for p in g)]
        self.wished = [*self._types, *(g for g in self.wished if g not in self._types)]
        inferred = [g for g in groups if g and g not in explicit]
        spans = _only_ordering(understood)
        inferred = [g for g in inferred if not all((p.start, p.end) in spans for p in g)]
        self._costs = [p for g in inferred for p in g if _is_relative(p)]
        self._inferred = [g for g in inferred if not any(map(_is_relative, g))]
        if self._inferred and interests:
            self._inferred.append([_interest(name) for name in interests])

    @classmethod
    def of(cls, user: ResolvedProfile, items: ItemStore) -> Constraints:
        """Constraints of a resolved profile, over the categories of a store."""
        stated = [i.strip() for i in user.profile.interests]
        known = [i for i in stated if i.casefold() in items.category_column]
        return cls(user.understood, user.profile.age, known)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(
            self.rejected
            or self._demoting
            or self.required
            or self.wished
            or self._inferred
            or self._costs
            or self.audience is not None
            or self._child is not None
        )

    @property
    def child(self) -> int | None:
        """Age of the youngest child in the audience, ``None`` without children."""
        return self._child

    def verdicts(self, items: ItemStore) -> Verdicts:
        """Judge all items of a store at once."""
        n = len(items.ids)
        excluded = fulfils_any(items, self.rejected)
        for required in self._usable(items):
            excluded = excluded | ~fulfils_any(items, required)
        if self.audience is not None:
            too_old = numbers(items, "max_age") < self.audience
            excluded = excluded | (items.min_age > self.audience) | too_old
        suits = np.ones(n, dtype=bool)
        if self._child is not None:
            suits = suits_children(items, self._child)
        of_type, missed, inferred, apart = self._apart_from_things(items)
        # Beside what is asked for, what suits a child matters more than what is alike.
        other = (FAR + 1) * ~suits + apart
        tier = of_type * 2 * (FAR + 1) + np.where(of_type > 0, other, 0)
        for values, most in (
            ((~suits).astype(np.int64), 1),
            (missed - of_type, len(self.wished)),
            (fulfils_any(items, self._demoting), 1),
            (inferred, len(self._inferred)),
            (self._of_children_unasked(items) & (of_type == 0), 1),
            (self._apart_from_wished(items, missed), FAR),
        ):
            tier = tier * (most + 1) + values
        for piece in self._costs:
            tier = 2 * tier + ~_fits_cost(items, piece, tier, excluded)
        return Verdicts(excluded, tier, suits & (missed == 0))

    def _apart_from_things(self, items: ItemStore) -> tuple[Ints, Ints, Ints, Ints]:
        """How far every item is from the things that are asked for, each of shape (N,).

        Returns:
            Types that it is not of; these and the other explicit wishes that it misses; inferred
            wishes that it misses; its distance from things of the types, 0 to ``FAR``.
        """
        things = compounds(self._understood, items)
        several = [c for c in things if len(c.groups) > 1]
        named = {span for c in several for span in c.spans}
        types = [g for g in self._types if _span(g) not in named]
        of_type = _missed(items, types)
        missed = of_type.copy()
        for compound in several:
            of_type += ~compound.of_type(items)
            missed += ~compound.called_so(items)
        other = (of_type > 0) & (of_type == len(types) + len(several))
        inferred = np.zeros(len(items.ids), dtype=np.int64)
        # What is no kettle is no nearer to a red kettle for being red.
        for group in self.wished:
            if group not in self._types and _span(group) not in named:
                missed += ~fulfils_any(items, group) | other
        for group in self._inferred:
            inferred += ~fulfils_any(items, group) | other
        apart = apart_from(items, of_type == 0)
        for compound in several:
            part = fulfils_any(items, sum(compound.groups, ()))
            apart = np.where(part, np.minimum(apart, 1), apart)
        if things:
            apart = np.min([thing.levels(items, apart) for thing in things], axis=0)
        return of_type, missed, inferred, apart

    def _of_children_unasked(self, items: ItemStore) -> Bools:
        """Mask of things named for children, where the text speaks of none, shape (N,)."""
        read = self._understood
        child = any(p.kind == "audience" for p in read.pieces) or self._child is not None
        if child or not self._types or CHILDREN_NAMED.search(read.text):
            return np.zeros(len(items.ids), dtype=bool)
        return named_for_children(items)

    def _apart_from_wished(self, items: ItemStore, missed: Ints) -> Ints:
        """How far every item is by category from those that have every wished word, shape (N,)."""
        of_words = any(p.kind == "term" for group in self.wished for p in group)
        if self._types or not of_words:
            return np.zeros(len(items.ids), dtype=np.int64)
        return apart_from(items, missed == 0, least=2) * (missed > 0)

    def _usable(self, items: ItemStore) -> list[list[Piece]]:
        """Required wishes that the catalog can tell: prices only where some item has one."""
        priced = bool((~np.isnan(numbers(items, "price"))).any())
        return [g for g in self.required if priced or not all(p.kind == "price" for p in g)]

    def why(self, items: ItemStore, row: int) -> str:
        """What excludes an item, for people."""
        item = items.items[row]
        for piece in self.rejected:
            if fulfils(items, piece)[row]:
                return f"{fact(piece, item)}: rejected by “{piece.words}”"
        for required in self._usable(items):
            if not fulfils_any(items, required)[row]:
                asked = " or ".join(f"“{p.words}”" for p in required)
                return f"{_state(required[0], item)}: not {asked}"
        if item.min_age is not None and self.audience is not None and item.min_age > self.audience:
            return f"suitable from age {item.min_age}"
        return f"suitable up to age {item.max_age}"


def fact(piece: Piece, item: Item) -> str:
    """What a piece says of an item that it is true of."""
    if piece.kind == "years":
        return f"from {item.year}"
    if piece.kind == "price":
        return _state(piece, item)
    return f"{piece.attribute} {piece.value}" if piece.attribute else piece.value


def _only_ordering(understood: Understood) -> set[tuple[int, int]]:
    """Characters whose guesses come second to something nearer to what is asked for.

    "Like Amélie but darker": likeness goes before a mood, and before what the language model
    guesses. "About submarines", "a submarine thriller": what is about them goes before what is a
    war film, which is a guess where no other kind of film is named.
    """
    kind = any(p.kind == "category" and p.strict and p.wanted for p in understood.pieces)

    def is_near(piece: Piece) -> bool:
        if piece.kind == "phrase":
            return piece.strict or kind
        return bool(understood.liked) and (piece.kind == "tone" or piece.source == "model")

    return {(p.start, p.end) for p in understood.pieces if p.wanted and is_near(p)}


def _excludes(piece: Piece) -> bool:
    """Whether an explicit wish excludes what does not fulfil it, rather than order."""
    return piece.kind in ("years", "price") or (
        piece.kind == "attribute" and (piece.attribute == STOCK or _is_amount(piece))
    )


def _is_amount(piece: Piece) -> bool:
    """Whether a piece limits a numeric attribute."""
    return piece.kind == "attribute" and (piece.low is not None or piece.high is not None)


def _is_relative(piece: Piece) -> bool:
    """Whether a piece asks for a low or a high price, whatever these are here."""
    return piece.kind == "price" and piece.low is None and piece.high is None


def _fits_cost(items: ItemStore, piece: Piece, tier: Ints, excluded: Bools) -> Bools:
    """Items of a low or high price among those of the first tier, or of the whole store."""
    shown = ~excluded
    best = shown & (tier == tier[shown].min(initial=0)) if shown.any() else shown
    among = best if best.sum() >= _ENOUGH else shown
    prices = numbers(items, "price")
    return is_low(prices, among) if piece.value == "low" else is_high(prices, among)


def _state(piece: Piece, item: Item) -> str:
    """What an item has instead of what is required."""
    if piece.kind == "years":
        return "year unknown" if item.year is None else f"from {item.year}"
    if piece.kind == "price":
        return "price unknown" if item.price is None else f"costs {item.price:g}"
    if _is_amount(piece):
        name = (piece.attribute or "").replace("_", " ")
        return f"{name} {item.attributes.get(piece.attribute or '', 'unknown')}"
    return "not in stock"


def _interest(name: str) -> Piece:
    return Piece(kind="category", value=name, words=name, start=0, end=len(name), strict=False)


def _span(group: Sequence[Piece]) -> tuple[int, int]:
    return group[0].start, group[0].end


def _missed(items: ItemStore, groups: Sequence[Iterable[Piece]]) -> Ints:
    """Number of groups of which no piece is true, shape (N,)."""
    out = np.zeros(len(items.ids), dtype=np.int64)
    for group in groups:
        out += ~fulfils_any(items, group)
    return out


def _contradicted(pieces: Sequence[Piece]) -> list[Piece]:
    """Inferred pieces that contradict an explicit one, or a wish of the same kind."""

    def key(piece: Piece) -> tuple[object, ...]:
        return piece.kind, piece.value.casefold(), piece.attribute, piece.first, piece.last

    explicit = {(key(p), p.wanted) for p in pieces if p.strict}
    inferred = {key(p) for p in pieces if not p.strict and p.wanted}
    years = [p for p in pieces if p.strict and p.wanted and p.kind == "years"]
    out = []
    for piece in pieces:
        if piece.strict:
            continue
        opposite = (key(piece), not piece.wanted) in explicit
        both = not piece.wanted and key(piece) in inferred
        apart = piece.kind == "years" and years and not any(_overlap(piece, y) for y in years)
        if opposite or both or apart:
            out.append(piece)
    return out


def _overlap(a: Piece, b: Piece) -> bool:
    first = max(-np.inf if p.first is None else p.first for p in (a, b))
    last = min(np.inf if p.last is None else p.last for p in (a, b))
    return bool(first <= last)
