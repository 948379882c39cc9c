"""Sparse text retrieval: BM25 of the profile's words against the items' words.

No like of any training user counts, except that exact ties are broken by popularity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.evaluation.baselines.profile_text import item_text, profile_text
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import TIE, ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WORD = re.compile(r"\w+")


class BM25:
    """Okapi BM25 of queries against a fixed set of documents.

    ``Σ_t q_t · log(1 + (N − n_t + ½) / (n_t + ½)) · f_td (k₁ + 1) / (f_td + k₁ (1 − b + b·l_d/l̄))``
    with q_t and f_td counts of word t in query and document, n_t documents of N holding it, l_d the
    document's words and l̄ their mean (Robertson and Zaragoza, "The Probabilistic Relevance
    Framework: BM25 and Beyond", 2009; the 1 + keeps the weight of very common words positive).

    Args:
        documents: the texts.
        k1: how slowly repeated words saturate, ≥ 0.
        b: how far long documents are marked down, in [0, 1].
    """

    def __init__(self, documents: Sequence[str], *, k1: float = 1.2, b: float = 0.75) -> None:
        counts = [Counter(words(d)) for d in documents]
        self._column = {w: n for n, w in enumerate(sorted({w for c in counts for w in c}))}
        rows = [d for d, c in enumerate(counts) for _ in c]
        columns = [self._column[w] for c in counts for w in c]
        often = np.array([n for c in counts for n in c.values()], dtype=float)
        length = np.array([c.total() for c in counts], dtype=float)
        norm = 1 - b + b * length / max(float(length.mean()) if len(length) else 0.0, 1e-9)
        holding = np.bincount(columns, minlength=len(self._column))
        rarity = np.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
        values = rarity[columns] * often * (k1 + 1) / (often + k1 * norm[rows])
        shape = (len(counts), len(self._column))
        self._weights = sparse.csr_array((values, (rows, columns)), shape=shape)

    def __call__(self, query: str) -> Floats:
        """Score of every document, ≥ 0; 0 where no word is shared."""
        asked = np.zeros(len(self._column))
        for word, times in Counter(words(query)).items():
            if word in self._column:
                asked[self._column[word]] = times
        return np.asarray(self._weights @ asked)


def words(text: str) -> list[str]:
    """Runs of letters and digits, without case.

    >>> words("Toy Story (1995)")
    ['toy', 'story', '1995']
    """
    return _WORD.findall(text.casefold())


def bm25(training: TrainingData, *, k1: float = 0.5, b: float = 0.0) -> ScoredBaseline:
    """BM25 of ``profile_text`` against title, categories and description of every item.

    Items that share no word with the profile follow by popularity, so at k=0, with attributes
    only, nearly the whole list is popularity.
    """
    index = BM25([item_text(item) for item in training.catalog], k1=k1, b=b)
    everyone = TIE * popularity(training.counts)
    return training.ranking(lambda profile: index(profile_text(training, profile)) + everyone)


BASELINE = Baseline(
    "bm25",
    "BM25 of the profile's words against the items' words",
    bm25,
    uses=frozenset({"picks", "attributes", "text"}),
    grid={"k1": (0.5, 1.2, 2.0), "b": (0.0, 0.4, 0.75)},
    position=150,
)
