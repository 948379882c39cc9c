"""Vectors of the words and character n-grams of a text, for scripts that no model at hand knows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.han import simplified
from coldstart.catalog.scripts import UNSPACED, script_of

if TYPE_CHECKING:
    from coldstart.protocols import Float

NAME = "ngrams"
"""Name under which artifacts refer to this encoder."""
SIZE = 512
_LETTERS = 4  # of an n-gram of an alphabet: stems agree where endings differ
_WORD = re.compile(r"\w+")


class NgramEncoder:
    """Texts as signed counts of hashed n-grams, of length 1; similar where they share them.

    Characters and pairs of them in scripts without spaces, words and sequences of four letters in
    others, each as 1 + log(count); traditional Chinese is folded. It knows every script, and no
    synonyms. Feature hashing: Weinberger et al., "Feature Hashing for Large Scale Multitask
    Learning", 2009.
    """

    by_letters = True
    """Whether a cosine is a share of common parts of words, and so never a matter of chance."""

    @property
    def name(self) -> str:
        """Name with its settings."""
        return f"{NAME}-{SIZE}-1"

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), ``SIZE``), rows of Euclidean length 1."""
        if not texts:
            return np.empty((0, SIZE), dtype=np.float32)
        counts = self._hashing.transform(texts)
        counts.eliminate_zeros()  # n-grams of opposite signs
        counts.data = np.sign(counts.data) * (1 + np.log(np.abs(counts.data)))
        rows = counts.toarray().astype(np.float32)
        rows[~rows.any(axis=1), 0] = 1.0
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def known_share(self, text: str) -> float:
        """Share of the letters that it knows: all."""
        return 1.0

    @cached_property
    def _hashing(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer

        return HashingVectorizer(analyzer=ngrams, n_features=SIZE, norm=None)


def ngrams(text: str) -> Iterator[str]:
    """Words and n-grams of a text, in order; the text itself if it has none.

    >>> list(ngrams("Laufschuhe 跑步鞋"))[:4], list(ngrams("跑步鞋"))
    (['laufschuhe', 'lauf', 'aufs', 'ufsc'], ['跑步', '步鞋', '跑', '步', '鞋'])
    """
    text = text.encode("utf-8", "replace").decode()  # no lone surrogates
    folded = simplified(unicodedata.normalize("NFKC", text).casefold())
    words = _WORD.findall(folded)
    return chain.from_iterable(map(_of_word, words)) if words else iter((folded,))


@lru_cache(maxsize=1 << 16)
def _of_word(word: str) -> tuple[str, ...]:
    """A word and its n-grams; kept, as texts of a catalog share most of their words."""
    out: list[str] = []
    for run, size in _runs(word):
        if size > 2:
            out.append(run)
        out += [run[n : n + size] for n in range(len(run) - size + 1)]
        if size == 2:
            out += run
    return tuple(out)


def _runs(word: str) -> Iterator[tuple[str, int]]:
    """Parts of a word in one kind of script, with the size of their n-grams."""
    start = 0
    kinds = [script_of(c) in UNSPACED for c in word]
    for n in range(1, len(word) + 1):
        if n == len(word) or kinds[n] != kinds[start]:
            yield word[start:n], 2 if kinds[start] else _LETTERS
            start = n
