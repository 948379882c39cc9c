"""Scope of negation in English: which clauses of a text are wanted, rejected, or neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from coldstart.understanding.lexicon import Lexicon
from coldstart.understanding.shapes import Shape, find_shapes
from coldstart.understanding.tokens import PhraseIndex, PhraseMatch, Token

Mark = Shape | Literal["neutral"]

_ORDER: tuple[Mark, ...] = (
    "harmless",
    "before",
    "neutral",
    "habit",
    "brief",
    "reject",
    "resume",
)
_SUBJECTS = frozenset(
    "i im ive am we she he they is are was were it that which with really".split()
)
_BEING = frozenset("was is were are a bit just way far much little felt got gets seemed".split())
_PREFERRING = frozenset("prefer prefers preferably rather".split())
_TODAY = frozenset("but however today tonight instead now".split())
_PRAISE = frozenset(
    "love loved loves like liked enjoy enjoyed adored great good amazing brilliant fantastic fun "
    "wonderful favourite favorite more again".split()
)
_HARD = re.compile(r"[.!?;:…()\[\]\n—–\"“”]|\s-+\s")
_LISTING = frozenset("and or nor any the a an either much very too really with".split())
_PLAIN = frozenset("no not nothing without less fewer never non minus zero".split())
_DEGREES = frozenset("less fewer go goes going easy light".split())
_ORIGIN = frozenset(["from", "made", "released"])  # "no horror, from the 1980s" wants these years
_NEAR = 3  # tokens between a mark and what it is about


class Clause(NamedTuple):
    """A stretch of a text.

    Args:
        start: first character.
        end: character after it.
        polarity: 1 wanted, -1 rejected, 0 neither.
        mild: whether the rejection is one of degree ("less scary").
    """

    start: int
    end: int
    polarity: int
    mild: bool = False


@dataclass(frozen=True)
class Mention:
    """Something in the text that a clause may be about: a token span.

    Args:
        first: its first token.
        after: the token after it.
        noun: whether it is a noun.
        audience: whether it names the audience, which a rejection of something else leaves alone.
        title: whether it is a title.
    """

    first: int
    after: int
    noun: bool = True
    audience: bool = False
    title: bool = False


class PolarityReader:
    """Splitter of a text into wanted and rejected clauses.

    Args:
        lexicon: of the language; its ``marks`` open, close and suspend rejections.
        more: other marks by kind, whatever the lexicon says of them.
    """

    def __init__(self, lexicon: Lexicon, more: Mapping[Mark, Iterable[str]] | None = None) -> None:
        self._marks: PhraseIndex[Mark] = PhraseIndex()
        for kind, others in (more or {}).items():
            for phrase in others:
                self._marks.add(phrase, kind)
        for kind in _ORDER:
            for phrase in lexicon.words(f"marks.{kind}"):
                self._marks.add(phrase, kind)
        self._fillers = frozenset(lexicon.words("words.fillers")) - {"please"} | _LISTING

    def clauses(self, text: str, tokens: list[Token], mentions: Sequence[Mention]) -> list[Clause]:
        """Split a text into clauses, in order and without gaps.

        Args:
            text: the text.
            tokens: its tokens.
            mentions: what the text mentions, in order, without overlaps.
        """
        return _Scan(self, text, tokens, mentions).run() if tokens else []

    def marks_in(
        self, text: str, tokens: list[Token], mentions: Sequence[Mention]
    ) -> dict[int, PhraseMatch[Mark]]:
        """Marks by their first token; what is mentioned itself is none."""
        taken = [False] * len(tokens)
        for mention in mentions:
            taken[mention.first : mention.after] = [True] * (mention.after - mention.first)
        out: dict[int, PhraseMatch[Mark]] = {}
        for shape in find_shapes(text, tokens, {m.first: m for m in mentions}):
            taken[shape.first : shape.after] = [True] * (shape.after - shape.first)
            out[shape.first] = PhraseMatch(shape.first, shape.after, shape.value)
        forms = [token.form for token in tokens]
        return out | {found.first: found for found in self._marks.find(forms, taken)}

    def is_filler(self, form: str) -> bool:
        """Whether a word may stand in a list of rejected things."""
        return form in self._fillers


class _Scan:
    """One pass over a text, with the state of the clause that is open."""

    def __init__(
        self,
        reader: PolarityReader,
        text: str,
        tokens: list[Token],
        mentions: Sequence[Mention],
    ) -> None:
        self._reader, self._text, self._tokens = reader, text, tokens
        self._forms = [token.form for token in tokens]
        self._marks = reader.marks_in(text, tokens, mentions)
        self._mentions = {mention.first: mention for mention in mentions}
        self._covered = {n for m in mentions for n in range(m.first, m.after)}
        self._gaps = [text[a.end : b.start] for a, b in zip(tokens, tokens[1:], strict=False)]
        self._out: list[Clause] = []
        self._start, self._polarity, self._mild, self._brief = 0, 1, False, False
        self._opened = 0  # token after the mark of the open rejection
        self._plain = False  # whether that mark is a word such as "no", rather than a verb
        self._met = self._wanted = False  # a mention since the mark; a wanted mention anywhere
        self._prefers = False  # whether the text prefers one thing to another
        self._wishes: set[int] = set()  # those of them that begin with a wish
        self._segments = [0]  # first tokens of the stretches between punctuation and wishes

    def run(self) -> list[Clause]:
        at = 0
        while at < len(self._tokens):
            if at:
                self._punctuation(at)
            mention, mark = self._mentions.get(at), self._marks.get(at)
            if mention is not None:
                self._mention(mention)
                at = mention.after
            elif mark is not None:
                self._mark(mark)
                at = mark.after
            else:
                if self._preferred(at):
                    self._open(at, -1, mild=True, brief=True)
                    self._opened, self._prefers = at + 1, False
                elif self._brief and self._met and self._forms[at] not in ("and", "or", "nor"):
                    self._open(at, 1)
                at += 1
        self._out.append(Clause(self._start, len(self._text), self._polarity, self._mild))
        return [c for c in self._out if c.start < c.end]

    def _open(self, at: int, polarity: int, *, mild: bool = False, brief: bool = False) -> None:
        start = self._tokens[at].start if at < len(self._tokens) else len(self._text)
        self._out.append(Clause(self._start, start, self._polarity, self._mild))
        self._start, self._polarity, self._mild, self._brief = start, polarity, mild, brief
        self._met = False

    def _punctuation(self, at: int) -> None:
        gap = self._gaps[at - 1]
        hard = bool(_HARD.search(gap))
        if not hard and "," not in gap:
            return
        self._segments.append(at)
        if self._polarity != 1 and (hard or not self._goes_on(at)):
            self._open(at, 1)

    def _goes_on(self, at: int) -> bool:
        """Whether a rejection goes on after a comma, as a list does."""
        if self._polarity == 0 or not self._met:
            return False
        if self._plain and self._forms[at] in _ORIGIN:
            return False
        parts = self._listed(at)
        if not parts:
            mark = self._marks.get(at + (self._forms[at] in ("and", "or", "nor")))
            return mark is not None and mark.value == "reject"
        words = {form for part in parts for form in part[0]}
        nouns = all(noun for part in parts for noun in part[1])
        if words & _TODAY:
            return False
        if words & {"or", "nor"} or ("and" in words and nouns and not self._brief):
            return True
        return not self._brief and (not self._plain or self._wanted or len(parts) > 1)

    def _listed(self, at: int) -> list[tuple[set[str], list[bool]]]:
        """(words between mentions, whether each mention is a noun) of bare list parts from here."""
        parts: list[tuple[set[str], list[bool]]] = []
        words: set[str] = set()
        nouns: list[bool] = []
        start = at
        while at < len(self._tokens) and at < start + 60:
            if at > start and (gap := self._gaps[at - 1]) and ("," in gap or _HARD.search(gap)):
                if nouns:
                    parts.append((words, nouns))
                words, nouns = set(), []
                if _HARD.search(gap):
                    return parts
            mention = self._mentions.get(at)
            if mention is not None and not mention.audience:
                nouns.append(mention.noun)
                at = mention.after
            elif at in self._marks:
                return parts
            else:
                if not self._reader.is_filler(self._forms[at]):
                    if "?" in words:  # more than one word that is no name of something
                        return parts
                    words.add("?")
                words.add(self._forms[at])
                at += 1
        return [*parts, (words, nouns)] if nouns else parts

    def _mention(self, mention: Mention) -> None:
        at = mention.first
        if self._polarity == -1:
            away = at - self._opened
            if mention.audience and (self._met or away > 0):
                self._open(at, 1)
            elif self._brief and (
                (self._met and self._forms[at - 1] not in ("and", "or", "nor"))
                or (not self._met and away > _NEAR)
            ):
                self._open(at, 1)
        self._met = True
        self._wanted |= self._polarity == 1 and not mention.audience

    def _mark(self, mark: PhraseMatch[Mark]) -> None:
        at, kind = mark.first, mark.value
        if kind == "resume":
            self._prefers |= bool(_PREFERRING & set(self._forms[at : mark.after]))
            if self._polarity != 1 and (self._met or at - self._opened >= _NEAR):
                self._open(at, 1)
            if self._polarity == 1:
                self._segments.append(at)
                self._wishes.add(at)
        elif kind in ("before", "back"):
            self._reject_before(mark)
        elif kind == "alone":
            self._reject_span(max(m for m in self._mentions if m < at), mark)
        elif kind == "close":
            self._open(mark.after, 1)
        elif kind == "flip":
            begins = bool(self._out) and self._start == self._tokens[at].start
            rejected = (self._out[-1].polarity if begins else self._polarity) < 0
            self._open(at, 1 if rejected else -1)
            self._opened, self._plain = mark.after, True
        elif (
            kind == "neutral"
            or (kind == "habit" and _TODAY & set(self._forms[mark.after :]))
            or (kind == "past" and self._is_past(mark))
        ):
            self._open(at, 0)
            self._opened = mark.after
        elif kind in ("reject", "brief"):
            self._reject(mark)

    def _preferred(self, at: int) -> bool:
        """Whether something less preferred follows: "comedies to dramas", "than a musical"."""
        follows = self._forms[at] in ("to", "over", "than") and at - 1 in self._covered
        return self._prefers and follows and self._soon(at + 1)

    def _reject(self, mark: PhraseMatch[Mark]) -> None:
        at, first = mark.first, self._forms[mark.first]
        brief = mark.value == "brief"
        if brief and not self._soon(mark.after):
            if first not in ("not", "no", "nothing"):
                return
            brief = False
        if brief and self._polarity == -1 and not self._met:
            return  # "nothing that is too scary" is rejected already
        self._open(self._subject(at, first), -1, mild=first in _DEGREES, brief=brief)
        self._opened = mark.after
        self._plain = brief or bool({first, self._forms[mark.after - 1]} & _PLAIN)

    def _subject(self, at: int, mark: str) -> int:
        """First token of what a rejection takes along: "I am", "that is"; "Jaws was" too scary."""
        first = at
        while first and self._gaps[first - 1].isspace() and self._forms[first - 1] in _BEING:
            first -= 1
        before = max((m.first for m in self._mentions.values() if m.after == first), default=None)
        if mark == "too" and before is not None and self._mentions[before].title:
            return before if self._tokens[before].start >= self._start else at
        first = at
        while (
            first
            and first - 1 not in self._covered
            and self._gaps[first - 1].isspace()
            and self._forms[first - 1] in _SUBJECTS
            and self._tokens[first - 1].start >= self._start
        ):
            first -= 1
        return first

    def _soon(self, at: int) -> bool:
        """Whether something is mentioned within a few words, without punctuation before it."""
        for n in range(at, min(at + _NEAR, len(self._tokens))):
            if n and re.search(r"[,.!?;]", self._gaps[n - 1]):
                return False
            if n in self._mentions:
                return not self._mentions[n].audience
        return False

    def _is_past(self, mark: PhraseMatch[Mark]) -> bool:
        """Whether a past is told, without praise or title, before what is wanted now."""
        at, met = mark.after, False
        while at < len(self._tokens) and self._forms[at] not in _TODAY:
            if at > mark.after and re.search(r"[,.!?;\n]", self._gaps[at - 1]):
                break
            if self._forms[at] in _PRAISE or (at in self._mentions and self._mentions[at].title):
                return False
            met |= at in self._mentions
            at += 1
        return met and any(n >= at and not m.audience for n, m in self._mentions.items())

    def _reject_before(self, mark: PhraseMatch[Mark]) -> None:
        """Reject the stretch before words such as "is not my thing", or "avoid those"."""
        starts = [s for s in self._segments if s < mark.first] or [0]
        n = len(starts) - 1
        while n and not self._mentioned(starts[n], mark.first):
            n -= 1
        first = starts[n] if self._mentioned(starts[n], mark.first) else starts[-1]
        if mark.value == "back" and n + 1 < len(starts):  # "war, crime, enough of that"
            while n and self._is_bare(starts[n], starts[n + 1]):
                if not self._is_bare(starts[n - 1], starts[n]):
                    break
                n -= 1
                first = starts[n]
        if first in self._wishes:  # "I love comedies and westerns bore me"
            ands = [n for n in range(first, mark.first) if self._forms[n] == "and"]
            first = next((n + 1 for n in reversed(ands) if self._mentioned(n, mark.first)), first)
        self._reject_span(first, mark)

    def _reject_span(self, first: int, mark: PhraseMatch[Mark]) -> None:
        """Reject what is between a token and the end of a mark, whatever it was before."""
        begin = 0 if first == 0 else self._tokens[first].start
        end = self._tokens[mark.after - 1].end
        kept = [Clause(c.start, min(c.end, begin), c.polarity, c.mild) for c in self._out]
        if self._start < begin:
            kept.append(Clause(self._start, begin, self._polarity, self._mild))
        self._out = [*(c for c in kept if c.start < c.end), Clause(begin, end, -1)]
        self._start, self._polarity, self._mild, self._brief = end, 1, False, False
        self._met = False
        self._segments.append(mark.after)

    def _is_bare(self, first: int, after: int) -> bool:
        """Whether a stretch has a mention, and nothing beside it but fillers."""
        words = (n for n in range(first, after) if n not in self._covered)
        return self._mentioned(first, after) and all(
            self._reader.is_filler(self._forms[n]) for n in words
        )

    def _mentioned(self, first: int, after: int) -> bool:
        return any(first <= at < after for at in self._mentions)
