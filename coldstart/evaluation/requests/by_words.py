"""Systems that match by words: BM25 of item texts, and a memory of past requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.evaluation.requests.inputs import good_rows, item_text, request_text
from coldstart.evaluation.requests.system import Floats, LearnedOnce

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 60
"""Past requests that a memory consults."""

_ASKING = tuple(
    "movie movies film films watch watched watching seen see saw like liked love loved good great "
    "hi hello hey thanks thank please recommend recommendation recommendations suggest suggestions "
    "looking look something some any think really have do you can could would what how about one "
    "me my i am im it's i'm yes no ok okay sure also so just know want".split()
)
"""Words of asking, which name nothing: rare in item texts, they would count most there."""


class WordIndex:
    """BM25 of queries against a fixed set of texts (``bm25s``; Lù, "BM25S", 2024).

    Args:
        texts: the documents.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self._size = len(texts)
        tokens = _tokens(texts)
        self._index: Any = None
        if any(tokens):  # there is no index without a word
            self._index = bm25s.BM25(k1=1.2, b=0.75)
            self._index.index(tokens, show_progress=False)

    def __call__(self, query: str) -> NDArray[np.float32]:
        """Score of every text, shape (texts,), at least 0; each word of the query counts once."""
        words = list(dict.fromkeys(_tokens([query])[0]))
        if not words or self._index is None:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)


class ItemWords(LearnedOnce):
    """BM25 of a request's words against the items' texts."""

    def __init__(self) -> None:
        what = "BM25 of the request against title, year, categories, description and people"
        super().__init__("bm25", what)

    def learn(self, log: RequestLog) -> None:
        """Index the items."""
        self._index = WordIndex([item_text(item) for item in log.catalog])

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Zero where no word is shared."""
        return np.stack([self._index(request_text(request)) for request in requests])


class WordMemory(LearnedOnce):
    """What was chosen in the past requests of most similar words.

    BM25 of the request against training requests weighs the items chosen in the ``NEIGHBOURS``
    nearest; scores are divided by the largest, so that they lie in [0, 1].
    """

    def __init__(self) -> None:
        what = f"chosen in the {NEIGHBOURS} training requests that are nearest by BM25"
        super().__init__("memory_words", what)

    def learn(self, log: RequestLog) -> None:
        """Index the training requests."""
        self._memory = ChosenItems(log)
        self._index = WordIndex([request_text(request) for request in log.train])

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Zero where no word is shared."""
        return np.stack([self._memory.of(self._index(request_text(r))) for r in requests])


class ChosenItems:
    """Items chosen in training requests, to be summed over the nearest of them."""

    def __init__(self, log: RequestLog) -> None:
        self._size = len(log.catalog)
        rows = log.catalog.rows
        self._chosen = [good_rows(request, rows) for request in log.train]

    def of(self, nearness: Floats, neighbours: int = NEIGHBOURS) -> NDArray[np.float32]:
        """Sum of the nearness of the nearest requests by chosen item, the largest being 1.

        Args:
            nearness: of each training request, shape (requests,); 0 or less counts nothing.
            neighbours: how many are consulted.

        Returns:
            Shape (N,), in [0, 1].
        """
        out = np.zeros(self._size, dtype=np.float32)
        count = min(neighbours, len(nearness))
        nearest = np.argpartition(-nearness, count - 1)[:count] if count else ()
        for n in nearest:
            if nearness[n] > 0:
                out[self._chosen[n]] += nearness[n]
        top = float(out.max(initial=0.0))
        return out / np.float32(top) if top > 0 else out


def _tokens(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    found: list[list[str]] = bm25s.tokenize(
        list(texts),
        stopwords=[*bm25s.tokenization.STOPWORDS_EN, *_ASKING],
        return_ids=False,
        show_progress=False,
    )
    return found
