"""Filters on items for one user, and the walk down a ranking that applies them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.errors import ConfigError
from coldstart.plugins import Factories
from coldstart.protocols import Filter
from coldstart.schema import Context, Dropped, Item, UserProfile
from coldstart.tabular.cells import as_text

MOST_DROPPED = 100
"""Length to which lists of dropped items are cut."""

_Verdict = tuple[Item, tuple[str, str] | None]  # the reason of dropping it, if any


class Known:
    """Drops what the user already liked, disliked or has seen; picks are item ids here."""

    name = "known"

    def __init__(self) -> None:
        self._last: tuple[UserProfile, dict[str, str]] | None = None

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Name the one of the three that applies."""
        last = self._last  # a profile is asked about many items in a row
        if last is None or last[0] is not profile:
            named = (profile.seen, "seen"), (profile.disliked, "disliked"), (profile.liked, "liked")
            last = self._last = (profile, {p.item: what for picks, what in named for p in picks})
        what = last[1].get(item.item_id)
        return f"already {what}" if what else None


class Available:
    """Drops what cannot be had."""

    name = "available"

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Reject unless ``item.available``."""
        return None if item.available else "not available"


class AgeRating:
    """Drops what is not suitable at the profile's age.

    Args:
        assume_age: Age of profiles that state none; without it they may see everything.
    """

    name = "age-rating"

    def __init__(self, assume_age: int | None = None) -> None:
        _check_range("assume_age", assume_age, 0, 130)
        self.assume_age = assume_age

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Reject items whose ``min_age`` is above the age."""
        age = self.assume_age if profile.age is None else profile.age
        if item.min_age is None or age is None or age >= item.min_age:
            return None
        return f"suitable from age {item.min_age}"


class Categories:
    """Keeps items of some categories and drops those of others; case does not matter.

    Args:
        include: Items need at least one of these, if any are given.
        exclude: Items may have none of these.
    """

    name = "categories"

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        self.include = _texts("include", include)
        self.exclude = _texts("exclude", exclude)
        both = self.include.keys() & self.exclude.keys()
        if both:
            raise ConfigError(f"categories both included and excluded: {', '.join(sorted(both))}")

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Name the excluded category, or those of which one is missing."""
        has = {c.casefold(): c for c in item.categories}
        for key, name in has.items():
            if key in self.exclude:
                return f"category {name!r} is excluded"
        if self.include and not has.keys() & self.include.keys():
            return f"not in {', '.join(self.include.values())}"
        return None


class Years:
    """Keeps items from ``first`` to ``last``, both included.

    Args:
        keep_unknown: Whether items without a year pass although a bound is set.
    """

    name = "years"

    def __init__(
        self, first: int | None = None, last: int | None = None, *, keep_unknown: bool = False
    ) -> None:
        _check_range("first", first, -5000, 9999)
        _check_range("last", last, -5000, 9999)
        _check_bool("keep_unknown", keep_unknown)
        if first is not None and last is not None and first > last:
            raise ConfigError(f"first year {first} is after last year {last}", "swap them")
        self.first, self.last, self.keep_unknown = first, last, keep_unknown

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Reject years out of bounds."""
        if self.first is None and self.last is None:
            return None
        if item.year is None:
            return None if self.keep_unknown else "year unknown"
        if self.first is not None and item.year < self.first:
            return f"from {item.year}, before {self.first}"
        if self.last is not None and item.year > self.last:
            return f"from {item.year}, after {self.last}"
        return None


class Price:
    """Keeps items that cost at most ``max``.

    Args:
        keep_unknown: Whether items without a price pass.
    """

    name = "price"

    def __init__(self, max: float, *, keep_unknown: bool = False) -> None:
        if max is None:
            raise ConfigError("max is None", "give a number of at least 0")
        _check_range("max", max, 0, math.inf)
        _check_bool("keep_unknown", keep_unknown)
        self.max, self.keep_unknown = max, keep_unknown

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Reject prices above the limit."""
        if item.price is None:
            return None if self.keep_unknown else "price unknown"
        return f"costs {item.price:g}, more than {self.max:g}" if item.price > self.max else None


class Attributes:
    """Keeps items whose attributes have wanted values; case does not matter.

    Args:
        wanted: Attribute → value, or values of which one must hold.

    >>> french = Attributes({"language": ["fr", "nl"]})
    >>> film = Item(item_id="1", title="Alien", attributes={"language": "en"})
    >>> french.reject(film, UserProfile(), Context())
    "language is 'en', not fr, nl"
    """

    name = "attributes"

    def __init__(self, wanted: Mapping[str, str | Iterable[str]]) -> None:
        if not isinstance(wanted, Mapping):
            raise ConfigError(f"wanted is {wanted!r}", "give values by attribute")
        self.wanted = {name: _texts(name, values) for name, values in wanted.items()}
        empty = [name for name, values in self.wanted.items() if not values]
        if empty:
            raise ConfigError(f"no value is wanted for attribute {empty[0]!r}", "give at least one")

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Name the first attribute that differs."""
        for name, values in self.wanted.items():
            value = item.attributes.get(name)
            if value is None:
                return f"{name} unknown"
            if value.casefold() not in values:
                return f"{name} is {value!r}, not {', '.join(values.values())}"
        return None


class Where:
    """Keeps items for which ``predicate`` is true.

    Args:
        why: The reason given for all others.
    """

    def __init__(
        self,
        predicate: Callable[[Item], object],
        name: str = "custom",
        why: str = "does not fit the custom condition",
    ) -> None:
        if not callable(predicate):
            raise ConfigError(f"expected a function of an item, got {type(predicate).__name__}")
        self.predicate, self.name, self.why = predicate, name, why

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Evaluate the predicate.

        Raises:
            ConfigError: naming the item for which the predicate failed.
        """
        try:
            return None if self.predicate(item) else self.why
        except Exception as e:
            raise ConfigError(
                f"filter {self.name!r} failed on item {item.item_id!r}: {type(e).__name__}: {e}",
                "the predicate must accept every item, also those with fields that are None",
            ) from e


@dataclass(frozen=True)
class FilterResult:
    """Items kept and dropped on the way down a ranking.

    Args:
        kept: Allowed items, best first.
        dropped: The best-ranked items that would have been kept but for a filter.
        counts: Filter → how many items it dropped, counting all items read.
    """

    kept: tuple[Item, ...]
    dropped: tuple[Dropped, ...]
    counts: dict[str, int]


def walk(
    ranked: Iterable[Item],
    filters: Sequence[Filter],
    profile: UserProfile,
    context: Context,
    want: int,
    duplicates: NearDuplicates | None = None,
    *,
    liked: Iterable[Item] = (),
    added: Callable[[Item], int | None] | None = None,
    most_dropped: int = MOST_DROPPED,
) -> FilterResult:
    """Go down a ranking until ``want`` items are kept, or it ends.

    Of near-duplicates the best-ranked is kept, but none that was added after training in place of
    one that was known before: of those, the one that came first.

    Args:
        ranked: Best first; read no further than needed.
        filters: An item must pass all; the first that rejects it is named.
        profile: Whose picks are item ids already.
        context: The moment, for filters that depend on it.
        want: How many items to keep; fewer come back only if fewer are allowed.
        duplicates: Applied to what the filters let through.
        liked: Items whose near-duplicates are dropped as well.
        added: For an item that was added after training, a number in the order of coming; else
            ``None``.
        most_dropped: Length to which ``dropped`` is cut (``counts`` is complete).
    """
    _check_range("want", want, 0, math.inf)
    read: list[_Verdict] = []
    taken = list(liked)
    late: list[tuple[int, int]] = []  # number and place of added items, judged after the others
    judged: list[_Verdict] = []
    known, enough, ended = 0, want + want // 4 + 16, False
    ranking = iter(ranked)
    while not ended and known < want:
        while known < want and known + len(late) < enough:
            if ended := (item := next(ranking, None)) is None:
                break
            why_not = verdict(item, filters, profile, context)
            came = added(item) if added and duplicates and why_not is None else None
            if came is not None:
                late.append((came, len(read)))
            elif why_not is None and not (why_not := _twin(item, taken, duplicates)):
                taken.append(item)
                known += 1
            read.append((item, why_not))
        judged = _judged(read, late, taken, duplicates)
        if sum(why_not is None for _, why_not in judged) >= want:
            break
        enough *= 2
    kept: list[Item] = []
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    for item, why_not in judged:
        if len(kept) == want:
            break
        if why_not is None:
            kept.append(item)
            continue
        name, why = why_not
        counts[name] += 1
        if len(dropped) < most_dropped:
            dropped.append(Dropped(item_id=item.item_id, title=item.title, filter=name, detail=why))
    return FilterResult(tuple(kept), tuple(dropped), dict(counts))


def _judged(
    read: Sequence[_Verdict],
    late: Iterable[tuple[int, int]],
    taken: Iterable[Item],
    duplicates: NearDuplicates | None,
) -> list[_Verdict]:
    """Verdicts with those of the added items, by number and place, against all that is kept."""
    out, kept = list(read), list(taken)
    for _, place in sorted(late):
        item = read[place][0]
        why_not = _twin(item, kept, duplicates)
        out[place] = item, why_not
        if why_not is None:
            kept.append(item)
    return out


def _twin(
    item: Item, taken: Sequence[Item], duplicates: NearDuplicates | None
) -> tuple[str, str] | None:
    """Name and reason of dropping an item as a near-duplicate."""
    twin = duplicates.twin(item, taken) if duplicates else None
    if duplicates is None or twin is None:
        return None
    return duplicates.name, f"nearly the same title as {twin.title!r}"


def verdict(
    item: Item, filters: Sequence[Filter], profile: UserProfile, context: Context
) -> tuple[str, str] | None:
    """Name and reason of the first filter that rejects ``item``."""
    for f in filters:
        why = f.reject(item, profile, context)
        if why is not None:
            return f.name, why
    return None


def default_filters() -> tuple[Filter, ...]:
    """Default filters: no known, unavailable or age-inappropriate items."""
    return Known(), Available(), AgeRating()


FILTERS = Factories(
    "filters",
    "filter",
    {
        "known": f"{__name__}:Known",
        "available": f"{__name__}:Available",
        "age-rating": f"{__name__}:AgeRating",
        "categories": f"{__name__}:Categories",
        "years": f"{__name__}:Years",
        "price": f"{__name__}:Price",
        "attributes": f"{__name__}:Attributes",
    },
)


def make_filter(name: str, arguments: Mapping[str, Any] | None = None) -> Filter:
    """A filter by name, as on the command line (``--filter NAME=JSON``).

    >>> make_filter("price", {"max": 20}).max
    20

    Args:
        name: a built-in one, or that of an entry point ``coldstart.filters``.
        arguments: keyword arguments of its constructor.

    Raises:
        ConfigError: an unknown name, arguments that it does not take, or a plug-in that is no
            filter.
    """
    made = FILTERS.make(name, arguments or {})
    if not isinstance(getattr(made, "name", None), str) or not callable(
        getattr(made, "reject", None)
    ):
        raise ConfigError(
            f"filter {name!r} is a {type(made).__name__} without name and reject",
            hint="update the package that provides it; see coldstart.protocols.Filter",
        )
    return made  # type: ignore[no-any-return]


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}", "give true or false")


def _check_range(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number (``None`` passes) or out of range."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        bounds = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
        raise ConfigError(f"{name} is {value!r}", f"give a number {bounds}")


def _texts(name: str, values: object) -> dict[str, str]:
    """One or many texts by their casefolded form."""
    if isinstance(values, str | int | float):
        values = (values,)
    if not isinstance(values, Iterable):
        raise ConfigError(f"{name} is {values!r}", "give a text or a list of texts")
    return {as_text(v).casefold(): as_text(v) for v in values}
