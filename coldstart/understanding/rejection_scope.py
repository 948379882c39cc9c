"""How far rejections reach, in languages without a reader of their own.

No grammar is read: words such as "ohne", "sans" or "не" reject what is named after them, up to
punctuation, a conjunction such as "aber", or what something is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.tokens import PhraseIndex, PhraseMatch, Token, phrase_form, tokenise

Mark = Literal["harmless", "without", "not", "but", "for", "or"]

_MARKS: tuple[Mark, ...] = ("harmless", "without", "not", "but", "for", "or")
_HARD = re.compile(r"[.!?;:…()\[\]\n—–]|\s-+\s")
_ELIDED = re.compile(
    r"(?:[ldjnmtsc]|qu|un|dell|nell|all|dall|sull|quell|bell)['’](?=\w{2})", re.IGNORECASE
)
_MODIFIER_FIRST = frozenset({"de", "nl", "sv", "da", "no", "ru"})  # "süßer Wein", "vin doux"
_REACH = 4  # names and content words that a rejection reaches


class Rejected(NamedTuple):
    """A stretch of tokens that is rejected.

    Args:
        first: its first token, the words that reject among them.
        after: the token after it.
        outright: whether words are rejected outright: "without nuts", rather than "not nutty".
    """

    first: int
    after: int
    outright: bool


class Unit(NamedTuple):
    """A name or a content word in a stretch.

    Args:
        first: its first token.
        after: the token after it.
        outright: whether it is rejected outright if it is a word.
        alone: whether it is no part of something longer.
    """

    first: int
    after: int
    outright: bool
    alone: bool = True


@dataclass(frozen=True)
class MarkedText:
    """A text with what is marked and named in it.

    Args:
        text: the text.
        tokens: its tokens.
        taken: tokens of prices, ages and titles.
        marks: by first token.
        names: first token of each name of the catalog → the token after it.
    """

    text: str
    tokens: Sequence[Token]
    taken: Sequence[bool]
    marks: Mapping[int, PhraseMatch[Mark]]
    names: Mapping[int, int]

    def is_mark(self, at: int, *kinds: Mark) -> bool:
        """Whether a mark of one of some kinds begins at a token."""
        mark = self.marks.get(at)
        return mark is not None and mark.value in kinds

    def breaks(self, at: int, *, hard: bool = False) -> bool:
        """Whether punctuation stands before a token, if ``hard`` other than a comma."""
        if not 0 < at < len(self.tokens):
            return True
        gap = self.text[self.tokens[at - 1].end : self.tokens[at].start]
        return bool(_HARD.search(gap)) or not hard and "," in gap


class RejectionScope:
    """Finder of what is rejected.

    Args:
        language: a key of ``lexicon/rejections.toml``; English is read beside it.
        is_content: whether a comparison form tells something in that language.
    """

    def __init__(self, language: str, is_content: Callable[[str], bool]) -> None:
        self._language, self._is_content = language, is_content
        self._marks: PhraseIndex[Mark] = PhraseIndex(form=_form)
        tables = raw_lexicon("rejections")
        for kind in _MARKS:
            for table in (tables[language], tables["en"]):
                for phrase in table[kind]:
                    self._marks.add(phrase, kind)

    def marks(self, tokens: Sequence[Token], taken: list[bool]) -> dict[int, PhraseMatch[Mark]]:
        """Marks by their first token."""
        return {m.first: m for m in self._marks.find([t.form for t in tokens], taken)}

    def stretches(self, read: MarkedText, known: Callable[[int], bool]) -> Iterator[Rejected]:
        """What words that reject reach, or what stands before them at the end of a clause.

        Args:
            read: the text.
            known: whether the catalog has the word of a token.
        """
        begin = at = 0  # token of the clause
        while at < len(read.tokens):
            if read.breaks(at) or read.is_mark(at, "but"):
                begin = at
            after = read.marks[at].after if at in read.marks else at + 1
            if not read.is_mark(at, "without", "not"):
                at = after
                continue
            end = self._reach(read, after, known)
            if end > after:
                outright = read.is_mark(at, "without") or _is_elided(read.text, read.tokens[after])
                opens = read.is_mark(begin, "but") and read.marks[begin].after == at
                yield Rejected(begin if opens else at, end, outright)  # "mais pas de chèvre"
                begin = after = end
            elif read.is_mark(at, "not") and read.breaks(after) and begin < at:
                yield Rejected(begin, after, False)  # "Rosé mag ich nicht"
            at = after

    def units(
        self, read: MarkedText, stretch: Rejected, known: Callable[[int], bool]
    ) -> Iterator[Unit]:
        """What a stretch rejects; of a thing and what tells which one, only the latter.

        Args:
            read: the text.
            stretch: of it.
            known: whether the catalog has the word of a token.
        """
        runs: list[list[Unit]] = [[]]
        at = stretch.first
        while at < stretch.after:
            if at > stretch.first and (read.breaks(at) or read.is_mark(at, "or")):
                runs.append([])
            after = read.names.get(at, at + 1)
            if self._counts(read, at):
                runs[-1].append(Unit(at, after, stretch.outright))
            at = after
        for run in runs:
            if not stretch.outright:  # "не люблю кофе": the verb is no word of the catalog
                run = [u for u in run if u.first in read.names or known(u.first)]
            if len(run) > 1:
                beside = all(a.after == b.first for a, b in zip(run, run[1:], strict=False))
                which = run[0] if beside and self._language in _MODIFIER_FIRST else run[-1]
                run = [which._replace(outright=False, alone=False)]
            yield from run

    def _counts(self, read: MarkedText, at: int) -> bool:
        """Whether a name or a content word begins at a token."""
        if at in read.names:
            return True
        marked = any(m.first <= at < m.after for m in read.marks.values() if m.value != "for")
        return not (read.taken[at] or marked) and self._is_content(read.tokens[at].form)

    def _reach(self, read: MarkedText, first: int, known: Callable[[int], bool]) -> int:
        """The token after what is rejected from ``first`` on; ``first`` if nothing is."""
        at, end, content = first, first, 0
        while at < len(read.tokens) and content < _REACH:
            if at > first and read.breaks(at) and not (content and self._goes_on(read, at)):
                break
            if read.taken[at] or read.is_mark(at, "but", "without", "not"):
                break
            if content and read.is_mark(at, "for"):
                break
            if content and read.is_mark(at, "or") and not self._lists(read, at, known):
                break
            if self._counts(read, at) and not (at in read.marks and at not in read.names):
                content += 1
                at = end = read.names.get(at, at + 1)
            else:
                at = read.marks[at].after if at in read.marks else at + 1
        return end

    def _lists(self, read: MarkedText, at: int, known: Callable[[int], bool]) -> bool:
        """Whether "and" joins something of the catalog, and no clause: "und suche Käse"."""
        following = (n for n in range(at + 1, len(read.tokens)) if self._counts(read, n))
        found = next(following, None)
        return found is not None and (found in read.names or known(found))

    def _goes_on(self, read: MarkedText, at: int) -> bool:
        """Whether a list goes on after a comma: "ohne Nüsse, Milch und Soja"."""
        if read.breaks(at, hard=True):
            return False
        if read.is_mark(at, "or"):
            return True
        for n in range(at + 1, min(at + _REACH, len(read.tokens))):
            if n in read.marks or read.breaks(n, hard=True):
                return read.is_mark(n, "or")
        return False


def words_of(text: str) -> list[Token]:
    """Words of a text without the elided articles before them: "alcool" of "d'alcool".

    >>> [token.form for token in words_of("L'eau, pas d'alcool")]
    ['eau', 'pas', 'alcool']
    """
    out = []
    for token in tokenise(text):
        elided = _ELIDED.match(text, token.start, token.end)
        form = phrase_form(text[elided.end() : token.end]) if elided else ""
        out.append(token._replace(form=form) if form else token)
    return out


def within(at: int, stretches: Collection[Rejected]) -> bool:
    """Whether a token is rejected."""
    return any(r.first <= at < r.after for r in stretches)


def _form(phrase: str) -> str:
    return " ".join(token.form for token in words_of(phrase))


def _is_elided(text: str, token: Token) -> bool:
    """Whether "of" is elided before a word: "pas d'alcool" is as good as "sans alcool"."""
    return text[token.start : token.start + 2].casefold() in ("d'", "d’")
