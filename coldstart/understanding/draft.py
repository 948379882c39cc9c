"""Assembly of a reading: pieces with their groups, inferred pieces, contradictions removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from coldstart.catalog.known_attributes import FOREIGN, FOREIGN_VALUE, LANGUAGE, MINUTES
from coldstart.schema import Piece
from coldstart.schema.understood import PieceKind
from coldstart.understanding.audience import CHILD, MILD
from coldstart.understanding.durations import FEATURE, duration_text
from coldstart.understanding.groups import Link, Term, grouped
from coldstart.understanding.lexicon import Lexicon, Sense, flat

Span = tuple[int, int]
Value = tuple[PieceKind, str, str | None]  # kind, value, attribute

CHILD_WANTS = "Children | Animation"
CHILD_REJECTS = "Horror | Thriller | Crime | War | Film-Noir"


@dataclass(frozen=True)
class _Entry:
    """A piece under construction, with the rank by which it wins against a contradiction."""

    piece: Piece
    direct: bool = False
    of_mood: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        return self.piece.strict, self.direct, not self.of_mood, self.piece.start


class ReadingDraft:
    """Collects what a reader finds in a text, and makes pieces of it.

    Args:
        text: the text.
        lexicon: in which children's categories are looked up.
        dated: whether years that words such as "old" stand for are stated, not inferred.
    """

    def __init__(self, text: str, lexicon: Lexicon, *, dated: bool = False) -> None:
        self._dated = dated
        self.text = text
        self._child_wants = lexicon.resolve(CHILD_WANTS)
        self._animation = flat(lexicon.resolve("Animation"))
        self._child_rejects = flat(lexicon.resolve(CHILD_REJECTS))
        self._entries: list[_Entry] = []
        self._terms: list[Term] = []
        self._qualities: list[Term] = []  # of things; these are in lists of their own
        self._own: list[tuple[int, ...]] = []  # groups that are in no term

    def title(self, item_id: str, span: Span, *, wanted: bool) -> None:
        """An item named by its title."""
        self._piece("title", item_id, span, wanted=wanted)

    def audience(self, age: int, span: Span, *, wanted: bool, stated: bool) -> None:
        """The age of the youngest person in the audience; a child brings categories."""
        child = age < CHILD
        if not wanted:
            if child:
                self._reject(flat(self._child_wants), span, strict=False)
            return
        self._own.append((self._piece("audience", str(age), span, strict=stated, age=age),))
        if child:
            for group in self._child_wants:
                self._own.append(self._alternatives(group, span, strict=False))
            for value in self._child_rejects:  # whatever the occasion
                self._piece("category", value, span, direct=True, wanted=False, strict=False)

    def adult(self, age: int, span: Span) -> None:
        """An adult in the audience whose age is guessed."""
        piece = self._piece("audience", "adult", span, strict=False, age=age)
        self._own.append((piece,))

    def years(self, first: int | None, last: int | None, span: Span, *, wanted: bool) -> None:
        """Years, open or not; "nothing after 1960" is the same as years until 1960."""
        if not wanted and (first is None) != (last is None):
            before = None if first is None else first - 1
            first, last, wanted = None if last is None else last + 1, before, True
        self._piece("years", years_text(first, last), span, wanted=wanted, first=first, last=last)

    def price(self, low: float | None, high: float | None, value: str, span: Span) -> None:
        """A span of prices; without either bound, an inferred wish for low or high ones."""
        strict = low is not None or high is not None
        piece = self._piece("price", value, span, strict=strict, low=low, high=high)
        self._own.append((piece,))

    def amount(
        self,
        attribute: str,
        low: float | None,
        high: float | None,
        value: str,
        span: Span,
        *,
        strict: bool = True,
    ) -> None:
        """A limit on the numbers of an attribute."""
        piece = self._piece(
            "attribute", value, span, attribute=attribute, low=low, high=high, strict=strict
        )
        self._own.append((piece,))

    def duration(
        self, low: float | None, high: float | None, span: Span, *, wanted: bool, stated: bool
    ) -> None:
        """A limit on running times, in minutes; "not under two hours" is one from two hours."""
        if not wanted:
            low, high = high, low
        elif not stated and low is None:
            low = FEATURE
        if wanted or low is None or high is None:  # of a span with both ends nothing is left
            self.amount(MINUTES, low, high, duration_text(low, high), span, strict=stated)

    def language(
        self,
        values: Sequence[str],
        span: Span,
        *,
        wanted: bool,
        english: bool = False,
        animated: bool = False,
    ) -> None:
        """Spoken languages: alternatives, or any but English; English rejects all others."""
        wanted = wanted != english
        if animated and wanted and self._animation:
            self._own.append(self._alternatives(self._animation, span, strict=True))
        named = [(LANGUAGE, value) for value in values] or [(FOREIGN, FOREIGN_VALUE)]
        group = tuple(
            self._piece("attribute", value, span, direct=True, wanted=wanted, attribute=name)
            for name, value in named
        )
        if wanted:
            self._own.append(group)

    def wish(
        self, values: Sequence[Value], span: Span, at: tuple[int, int], *, strict: bool, noun: bool
    ) -> None:
        """A wanted thing or quality, under one of several names.

        Args:
            values: alternatives.
            span: its characters.
            at: its first token, and the token after it.
            strict: whether it was stated outright.
            noun: whether it is what is asked for, rather than a quality of it.
        """
        group = tuple(
            self._piece(kind, value, span, strict=strict, direct=True, attribute=attribute)
            for kind, value, attribute in values
        )
        term = Term(*at, (group,), noun, kind="type" if noun else "term")
        (self._terms if noun else self._qualities).append(term)

    def prefer(self, values: Sequence[Value], span: Span) -> None:
        """Alternatives that are preferred among what fulfils the wish of the same words."""
        pieces = (
            self._piece(kind, value, span, strict=False, direct=True, attribute=attribute)
            for kind, value, attribute in values
        )
        if group := tuple(pieces):
            self._own.append(group)

    def fact(self, value: Value, span: Span, *, wanted: bool, strict: bool) -> None:
        """A wish that is in no list with others, or something rejected."""
        kind, name, attribute = value
        piece = self._piece(kind, name, span, wanted=wanted, strict=strict, attribute=attribute)
        if wanted:
            self._own.append((piece,))

    def phrase(self, span: Span) -> None:
        """Rejected words that stand for nothing in the catalog."""
        self._piece("phrase", self.text[slice(*span)], span, wanted=False, strict=False)

    def topic(self, span: Span, *, named: bool) -> None:
        """What films should be about, named outright ("about chess") or by a noun alone."""
        piece = self._piece("phrase", self.text[slice(*span)], span, wanted=True, strict=named)
        self._own.append((piece,))

    def sense(
        self, sense: Sense, span: Span, at: tuple[int, int], *, wanted: bool, mild: bool = False
    ) -> None:
        """A phrase of the vocabulary.

        Args:
            sense: what it stands for.
            span: its characters.
            at: its first token, and the token after it.
            wanted: whether its clause wants it.
            mild: whether it is rejected by degree.
        """
        tone: tuple[int, ...] = ()
        if sense.tone:
            tone = (self._piece("tone", sense.tone, span, wanted=wanted, strict=False),)
        strict = sense.strict and not mild
        if not wanted:
            whole = strict and len(sense.want) < 2  # "no rom-coms" is not "no romances"
            self._reject(sense.against, span, strict=whole, sense=sense)
            self._rejected_years(sense, span)
            self._mild(sense.age_instead, span)
            if sense.instead:
                self._own.append(self._alternatives(sense.instead, span, strict=False))
            return
        groups = [
            self._alternatives(group, span, strict=strict, sense=sense) for group in sense.want
        ]
        if tone and groups:
            groups[0] = (*tone, *groups[0])
        self._mild(sense.age, span)
        if sense.years:
            first, last = sense.years
            named, strict_years = years_text(first, last), self._dated
            self._piece("years", named, span, strict=strict_years, first=first, last=last)
        self._reject(sense.reject, span, strict=False)
        if groups:
            kind = f"{sense.kind}:{sense.attribute}" if sense.attribute else sense.kind
            noun = sense.noun and not sense.tone
            self._terms.append(Term(*at, tuple(groups), noun, sense.plural, kind))

    def pieces(self, link: Callable[[Term, Term], Link]) -> tuple[Piece, ...]:
        """The pieces in the order of the text, wanted ones in groups.

        Args:
            link: how two consecutive wishes are linked.
        """
        whole = list(self._own)
        for terms in (self._qualities, self._terms):
            links = [link(a, b) for a, b in zip(terms, terms[1:], strict=False)]
            whole = [*grouped(terms, links), *whole]
        stated = {_key(e.piece) for e in self._entries if e.piece.strict and e.piece.wanted}
        groups = [*(self._telling(group, stated) for group in whole), *self._year_groups()]
        dropped = {n for group in whole for n in group} - {n for group in groups for n in group}
        kept = [n for n in self._consistent() if n not in dropped]
        out: dict[Piece, None] = {}
        numbered = 0
        placed: set[int] = set()
        for group in sorted((g for g in groups if any(n in kept for n in g)), key=min):
            numbered += 1
            for n in group:
                placed.add(n)
                if n in kept:
                    piece = self._entries[n].piece
                    out[piece.model_copy(update={"group": numbered})] = None
        for n in kept:
            if n not in placed:
                out[self._entries[n].piece] = None
        return tuple(sorted(out, key=lambda p: (p.start, p.end, p.kind != "tone", not p.wanted)))

    def _telling(
        self, group: tuple[int, ...], stated: Collection[tuple[object, ...]]
    ) -> tuple[int, ...]:
        """Inferred alternatives without those that are stated anyway.

        Of "a light romance" the mood still asks for a comedy; of "a light comedy" for nothing, as
        its first alternative is stated.

        Args:
            group: numbers of the entries.
            stated: keys of the pieces that are wanted outright.
        """
        pieces = [self._entries[n].piece for n in group]
        if any(p.strict or p.kind != "category" and p.kind != "tone" for p in pieces):
            return group
        kinds = [n for n in group if self._entries[n].piece.kind == "category"]
        left = [n for n in kinds if _key(self._entries[n].piece) not in stated]
        if not left or left[0] != kinds[0]:
            return group
        return tuple(n for n in group if n in left or n not in kinds)

    def _consistent(self) -> list[int]:
        """Numbers of the entries that no stronger one contradicts.

        Between a value wanted and rejected, what was stated wins over what was inferred, a value's
        own name over another word for it, a word over a mood, and the later over the earlier.
        """
        best: dict[tuple[object, ...], tuple[tuple[bool, bool, bool, int], bool]] = {}
        for entry in self._entries:
            key = _key(entry.piece)
            if key not in best or entry.rank >= best[key][0]:
                best[key] = entry.rank, entry.piece.wanted
        stated = [e.piece for e in self._entries if e.piece.kind == "years" and e.piece.strict]
        years = stated or [e.piece for e in self._entries if e.piece.kind == "years"]
        impossible = _impossible([p for p in years if p.wanted])
        about = any(e.piece.wanted and e.piece.kind == "phrase" for e in self._entries)
        out = []
        for n, entry in enumerate(self._entries):
            piece = entry.piece
            if piece.kind == "years":
                if (stated and not piece.strict) or (impossible and piece.wanted):
                    continue
                if piece.wanted and any(_within(y, piece) for y in years if y.wanted):
                    continue
            elif piece.kind == "audience" and piece.value == MILD and about:
                continue  # a topic tells more than ages, most of which are inferred
            elif piece.kind != "tone" and best[_key(piece)][1] != piece.wanted:
                continue
            out.append(n)
        return out

    def _year_groups(self) -> list[tuple[int, ...]]:
        """Closed spans of years are alternatives; open ones hold together."""
        years = [
            (n, e.piece)
            for n, e in enumerate(self._entries)
            if e.piece.kind == "years" and e.piece.wanted
        ]
        closed = tuple(n for n, p in years if p.first is not None and p.last is not None)
        single = [(n,) for n, p in years if p.first is None or p.last is None]
        return [*([closed] if closed else []), *single]

    def _alternatives(
        self, values: Sequence[str], span: Span, *, strict: bool, sense: Sense | None = None
    ) -> tuple[int, ...]:
        return tuple(
            self._value(value, span, wanted=True, strict=strict, sense=sense) for value in values
        )

    def _reject(
        self, values: Sequence[str], span: Span, *, strict: bool, sense: Sense | None = None
    ) -> None:
        for value in values:
            self._value(value, span, wanted=False, strict=strict, sense=sense)

    def _mild(self, age: int | None, span: Span) -> None:
        """What fits an age, whoever watches it: "gentle", "no nudity"."""
        if age is not None:
            self._own.append((self._piece("audience", MILD, span, strict=False, age=age),))

    def _rejected_years(self, sense: Sense, span: Span) -> None:
        if sense.not_years:
            first, last = sense.not_years
            value = years_text(first, last)
            self._piece("years", value, span, wanted=False, strict=False, first=first, last=last)

    def _value(
        self, value: str, span: Span, *, wanted: bool, strict: bool, sense: Sense | None
    ) -> int:
        kind, attribute = ("category", None) if sense is None else (sense.kind, sense.attribute)
        direct = sense is not None and sense.direct
        mood = sense is not None and bool(sense.tone)
        return self._piece(
            kind,
            value,
            span,
            wanted=wanted,
            strict=strict,
            direct=direct,
            of_mood=mood,
            attribute=attribute,
        )

    def _piece(
        self,
        kind: Any,
        value: str,
        span: Span,
        *,
        direct: bool = False,
        of_mood: bool = False,
        **fields: Any,
    ) -> int:
        start, end = span
        words = self.text[start:end]
        piece = Piece(kind=kind, value=value, words=words, start=start, end=end, **fields)
        self._entries.append(_Entry(piece, direct, of_mood))
        return len(self._entries) - 1


def years_text(first: int | None, last: int | None) -> str:
    """Years as text: "1950 to 1959", "1994", "from 1961", "to 1960"."""
    if first is None:
        return f"to {last}"
    if last is None:
        return f"from {first}"
    return str(first) if first == last else f"{first} to {last}"


def _within(narrow: Piece, wide: Piece) -> bool:
    """Whether one open span of years is a part of another: "a black and white classic"."""
    if narrow.first is None and wide.first is None and wide.last is not None:
        return narrow.last is not None and narrow.last < wide.last
    if narrow.last is None and wide.last is None and wide.first is not None:
        return narrow.first is not None and narrow.first > wide.first
    return False


def _key(piece: Piece) -> tuple[object, ...]:
    return piece.kind, piece.attribute, piece.value


def _impossible(years: Sequence[Piece]) -> bool:
    """Whether open spans exclude each other: after 1990 and before 1980."""
    firsts = [p.first for p in years if p.first is not None and p.last is None]
    lasts = [p.last for p in years if p.last is not None and p.first is None]
    return bool(firsts and lasts and max(firsts) > min(lasts))
