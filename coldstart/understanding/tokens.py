"""Tokens of a text with their character spans, and longest-match lookup of phrases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ`][^\W_]+)*")
_APOSTROPHES = str.maketrans("", "", "'’ʼ`")


class Token(NamedTuple):
    """One word of a text: its comparison form, and its character span."""

    form: str
    start: int
    end: int


def tokenise(text: str) -> list[Token]:
    """Split a text into words; hyphens separate, apostrophes do not.

    >>> [token.form for token in tokenise("Don't show sci-fi from the 80's!")]
    ['dont', 'show', 'sci', 'fi', 'from', 'the', '80s']
    """
    return [Token(_form(m[0]), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def phrase_form(text: str) -> str:
    """Comparison form of a phrase: its words' forms, joined by spaces."""
    return " ".join(_form(word) for word in _TOKEN.findall(text))


def _form(word: str) -> str:
    if word.isascii():
        return word.lower().translate(_APOSTROPHES)
    bare = unicodedata.normalize("NFKD", word.casefold()).translate(_APOSTROPHES)
    return "".join(c for c in bare if not unicodedata.combining(c))


@dataclass(frozen=True)
class PhraseMatch(Generic[T]):
    """A phrase found in a text: its first token, the token after it, and what it stands for."""

    first: int
    after: int
    value: T


class PhraseIndex(Generic[T]):
    """Phrases by their comparison form, found in a text in linear time.

    Args:
        phrases: (phrase, what it stands for); the first of two equal phrases counts.
        form: comparison form of a phrase: the forms of its tokens, joined by spaces.
    """

    def __init__(
        self,
        phrases: Iterable[tuple[str, T]] = (),
        form: Callable[[str], str] = phrase_form,
    ) -> None:
        self._form = form
        self._values: dict[str, T] = {}
        self._longest: dict[str, int] = {}
        for phrase, value in phrases:
            self.add(phrase, value)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, phrase: str) -> bool:
        return phrase in self._values

    def items(self) -> Iterable[tuple[str, T]]:
        """(comparison form, what it stands for), for each phrase."""
        return self._values.items()

    def get(self, form: str) -> T | None:
        """What a comparison form stands for."""
        return self._values.get(form)

    def add(self, phrase: str, value: T) -> None:
        """Add a phrase; a phrase that is there already, or without a letter, is left out."""
        form = self._form(phrase)
        if not form or form in self._values:
            return
        self._values[form] = value
        first, size = form.partition(" ")[0], form.count(" ") + 1
        self._longest[first] = max(size, self._longest.get(first, 0))

    def find(self, forms: list[str], taken: list[bool] | None = None) -> Iterator[PhraseMatch[T]]:
        """Longest matches from left to right, without overlaps.

        Args:
            forms: comparison forms of the tokens.
            taken: tokens that belong to something else.
        """
        at = 0
        while at < len(forms):
            size = 0
            if taken is None or not taken[at]:
                for n in range(min(self._longest.get(forms[at], 0), len(forms) - at), 0, -1):
                    if taken is not None and any(taken[at : at + n]):
                        continue
                    form = " ".join(forms[at : at + n])
                    if form in self._values:
                        size = n
                        yield PhraseMatch(at, at + n, self._values[form])
                        break
            at += size or 1
