"""What an English request for products tells of examples, prices, ages, people and occasions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from coldstart.catalog.catalog import Catalog
from coldstart.understanding.audience import DEFAULT_CHILD, find_audience
from coldstart.understanding.english import masked
from coldstart.understanding.products.amounts import (
    find_amounts,
    numeric_attributes,
    times,
)
from coldstart.understanding.products.examples import find_examples
from coldstart.understanding.products.lexicon import phrases, table
from coldstart.understanding.products.people import ADULT, find_asides, find_recipients
from coldstart.understanding.products.prices import find_prices
from coldstart.understanding.products.sizes import find_sizes
from coldstart.understanding.products.spreads import find_counts, spreads
from coldstart.understanding.titles import TitleSpotter
from coldstart.understanding.tokens import PhraseIndex, tokenise
from coldstart.understanding.vocabulary import latest_year
from coldstart.understanding.years import find_years

_GROWN_UP = 18
"""Age from which a number of years is no age of an audience: "20 years of warranty"."""
_STOCK = re.compile(
    r"\b(?:(?:that(?:['’]s|\s+is|\s+are)?\s+)?(?:currently\s+|still\s+)?(?:in|on)\s+stock(?:\s+now)?"
    r"|(?:currently|immediately)\s+available|available\s+(?:right\s+)?now|ready\s+to\s+ship|not\s+sold\s+out)\b",
    re.I,
)
_NEWBORN = re.compile(
    r"\b(?:for\s+)?(?:a\s+|the\s+|my\s+|our\s+)?new[\s-]?borns?(?:\s+baby)?\b", re.I
)
_YEARS = re.compile(
    r"\b(?:for\s+)?(?:ages?\s+)?(?P<n>\d{1,2})\s*(?:years?|yrs?)(?!\w|\s*(?:old|warranty|guarantee))",
    re.I,
)
_THAT_KIDS = re.compile(
    r"\b(?:that|which)\s+(?:(?:my|our|the)\s+)?(?:kids|children|toddlers)(?=\s+(?:will|would|can|like|love|"
    r"enjoy|eat)\b)",
    re.I,
)
_NON = re.compile(r"\bnon[\s-]?(?P<what>[a-z]{3,})\b", re.I)
_FREE = re.compile(
    r"\b(?!(?:for|are|one|two|feel|get)\b)(?P<what>[a-z]{3,})(?:-|\s)free\b"
    r"(?!\s+(?:to|for|shipping|delivery|time|gift|of))",
    re.I,
)
Kind = Literal[
    "amount",
    "count",
    "pace",
    "price",
    "audience",
    "adult",
    "years",
    "title",
    "stock",
    "aside",
    "cost",
    "free",
    "size",
]


@dataclass(frozen=True)
class Told:
    """Something read at characters, whatever the clause around it says.

    Args:
        start: first character.
        end: character after it.
        kind: what it is.
        value: id of the example, attribute of the amount, group of adults, side of the cost, word
            of what is left out, size.
        low: lowest price, amount or year.
        high: highest.
        age: of the audience.
        stated: whether the age was named, or what is left out is never shown.
        gender: of an adult, if known.
        most: attribute of the greatest number of a count, whose least is the value.
    """

    start: int
    end: int
    kind: Kind
    value: str = ""
    low: float | None = None
    high: float | None = None
    age: int = 0
    stated: bool = True
    gender: str = ""
    most: str = ""


class ToldFinder:
    """Finder of them in the vocabulary of one catalog.

    Args:
        catalog: with prices and numeric attributes.
        titles: finder of the catalog's titles.
    """

    def __init__(self, catalog: Catalog, titles: TitleSpotter) -> None:
        self._catalog, self._titles = catalog, titles
        prices = [item.price for item in catalog if item.price is not None]
        self._highest = max(prices, default=None)
        self._units = numeric_attributes(catalog)
        self._spreads, self._times = spreads(catalog), times(catalog)
        self._paces: PhraseIndex[str] = PhraseIndex(
            (phrase, side) for side in ("low", "high") for phrase in phrases(side, "durations")
        )
        self._latest = latest_year(catalog)
        self._needs: PhraseIndex[tuple[str, bool]] = PhraseIndex(
            (phrase, (what, name == "needs"))
            for name in ("needs", "avoids")
            for phrase, what in table(name).items()
        )
        self._costs: PhraseIndex[str] = PhraseIndex(
            (phrase, side) for side in ("low", "high") for phrase in phrases(side, "prices")
        )

    @property
    def priced(self) -> bool:
        """Whether any item has a price."""
        return self._highest is not None

    def find(self, text: str) -> list[Told]:
        """Examples, prices, ages, recipients, occasions, years and stock, without overlaps."""
        out: list[Told] = []

        def keep(found: Iterable[Told]) -> None:
            for one in found:
                if all(one.end <= o.start or one.start >= o.end for o in out):
                    out.append(one)

        keep(
            Told(t.start, t.end, "title", t.item_id)
            for t in find_examples(text, self._titles, self._catalog)
        )
        # "for teenagers, between fifteen and thirty euros": the amounts of a currency are no ages.
        named = (p for p in find_prices(text, None) if p.usable)
        keep(Told(p.start, p.end, "price", low=p.low, high=p.high) for p in named)
        ages = find_audience(masked(text, sorted(out, key=lambda s: s.start)))
        keep(Told(a.start, a.end, "audience", age=a.age, stated=a.stated) for a in ages)
        keep(Told(m.start(), m.end(), "audience", age=0) for m in _NEWBORN.finditer(text))
        keep(
            Told(m.start(), m.end(), "audience", age=DEFAULT_CHILD, stated=False)
            for m in _THAT_KIDS.finditer(text)
        )
        if not any(s.kind == "audience" for s in out):
            keep(
                Told(m.start(), m.end(), "audience", age=int(m["n"]))
                for m in _YEARS.finditer(text)
                if int(m["n"]) < _GROWN_UP
            )
        rest = masked(text, sorted(out, key=lambda s: s.start))
        keep(Told(s.start, s.end, "size", s.size) for s in find_sizes(rest))
        rest = masked(text, sorted(out, key=lambda s: s.start))
        keep(
            Told(
                *n[:2], "count", n.spread.least, n.low, n.high, stated=n.stated, most=n.spread.most
            )
            for n in (find_counts(rest, self._spreads) if self._spreads else ())
        )
        rest = masked(text, sorted(out, key=lambda s: s.start))
        amounts = list(find_amounts(rest, self._units))
        keep(Told(a.start, a.end, "amount", a.attribute, a.low, a.high) for a in amounts)
        rest = masked(text, sorted(out, key=lambda s: s.start))
        prices = find_prices(rest, self._highest)
        keep(Told(p.start, p.end, "price", low=p.low, high=p.high) for p in prices)
        keep(Told(m.start(), m.end(), "stock") for m in _STOCK.finditer(text))
        keep(self._cost_words(text))
        if self._times is not None and not any(a.attribute == self._times[0] for a in amounts):
            keep(self._pace_words(text, *self._times))
        keep(self._needs_of(text))
        for pattern in (_FREE, _NON):
            keep(Told(m.start(), m.end(), "free", m["what"]) for m in pattern.finditer(text))
        rest = masked(text, sorted(out, key=lambda s: s.start))
        child = any(s.kind == "audience" for s in out)
        for r in find_recipients(rest):
            if r.diet[1] > 0:
                keep(
                    [
                        Told(r.start, r.diet[0], "aside"),
                        Told(r.diet[1], r.end, "adult", age=r.age),
                    ]
                )
            kind: Kind = "aside" if child else "adult"
            keep([Told(r.start, r.end, kind, r.group, age=r.age, gender=r.gender)])
        told = child or any(s.kind == "adult" for s in out)
        for aside in find_asides(rest):
            kinds: dict[str, Kind] = {} if told else {"adult": "adult", "baby": "audience"}
            kind = kinds.get(aside.audience, "aside")
            age = ADULT if kind == "adult" else 0
            keep([Told(aside.start, aside.end, kind, age=age, stated=False)])
        rest = masked(text, sorted(out, key=lambda s: s.start))
        if self._latest is not None:
            keep(
                Told(y.start, y.end, "years", low=y.first, high=y.last)
                for y in find_years(rest, self._latest)
            )
        return sorted(out, key=lambda s: s.start)

    def _needs_of(self, text: str) -> Iterable[Told]:
        """Diets and needs that a text states of a person: "she is coeliac"."""
        tokens = tokenise(text)
        for found in self._needs.find([token.form for token in tokens]):
            start, end = tokens[found.first].start, tokens[found.after - 1].end
            what, stated = found.value
            yield Told(start, end, "free", what, stated=stated)

    def _pace_words(self, text: str, name: str, little: float, much: float) -> Iterable[Told]:
        tokens = tokenise(text)
        for found in self._paces.find([token.form for token in tokens]):
            place = tokens[found.first].start, tokens[found.after - 1].end
            if found.value == "low":
                yield Told(*place, "pace", name, high=little)
            else:
                yield Told(*place, "pace", name, low=much)

    def _cost_words(self, text: str) -> Iterable[Told]:
        tokens = tokenise(text)
        for found in self._costs.find([token.form for token in tokens]):
            yield Told(tokens[found.first].start, tokens[found.after - 1].end, "cost", found.value)
