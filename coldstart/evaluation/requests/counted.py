"""Systems that count: popularity, co-mention, EASE on mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.evaluation.requests.inputs import good_rows, named_rows
from coldstart.evaluation.requests.system import Floats, LearnedOnce
from coldstart.interactions.interaction_stats import Counts, ease_weights
from coldstart.schema import UserProfile


class ChosenPopularity(LearnedOnce):
    """Log of how often each item was chosen in training and not called bad: ``log(n + 0.1)``."""

    def __init__(self) -> None:
        super().__init__("popularity", "log of how often an item was chosen in training requests")

    def learn(self, log: RequestLog) -> None:
        """Count the chosen items."""
        rows = log.catalog.rows
        count = Counter(row for request in log.train for row in good_rows(request, rows))
        self._values = np.full(len(rows), np.log(0.1), dtype=np.float32)
        for row, times in count.items():
            self._values[row] = np.log(times + 0.1)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """The same for every request."""
        return np.tile(self._values, (len(requests), 1))


class CoMention(LearnedOnce):
    """Items of dialogues that hold the named items: ``Σ_j C_ij / √((n_i + 5)(n_j + 5))``.

    C are the training dialogues that hold both items (named by the person, or chosen and not called
    bad), n those that hold one.

    Args:
        logarithm: ``log(1 + 20 · score)`` instead, for blends.
    """

    def __init__(self, *, logarithm: bool = False) -> None:
        what = "items that occur in training dialogues with the named ones"
        super().__init__("co_mention_log" if logarithm else "co_mention", what)
        self._logarithm = logarithm

    def learn(self, log: RequestLog) -> None:
        """Count pairs of items within dialogues."""
        self._rows = log.catalog.rows
        dialogues = items_of_dialogues(log)
        pairs = [(n, row) for n, rows in enumerate(dialogues) for row in rows]
        at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        shape = (len(dialogues), len(self._rows))
        x = sparse.csr_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=shape)
        together = sparse.csr_array(x.T @ x)
        together.setdiag(0)
        scale = sparse.diags_array(1 / np.sqrt(np.asarray(x.sum(axis=0)).ravel() + 5.0))
        self._near = sparse.csr_array(scale @ together @ scale)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Sum over the named items; 0 without any."""
        out = np.zeros((len(requests), len(self._rows)), dtype=np.float32)
        for n, request in enumerate(requests):
            if named := named_rows(request, self._rows):
                out[n] = np.asarray(self._near[named].sum(axis=0)).ravel()
        return np.log1p(20 * out) if self._logarithm else out


class EaseOnMentions(LearnedOnce):
    """EASE with the named items as the only row; see ``interaction_stats.ease_weights``.

    Args:
        l2: λ, > 0.
        least: items in fewer training dialogues have no weights.
    """

    def __init__(self, *, l2: float = 100.0, least: int = 3) -> None:
        super().__init__("ease", f"EASE on the items of training dialogues, λ = {l2:g}")
        self._l2, self._least = l2, least

    def learn(self, log: RequestLog) -> None:
        """Fit item-to-item weights on the items of training dialogues."""
        self._n = len(log.catalog)
        self._rows = log.catalog.rows
        dialogues = items_of_dialogues(log)
        count = Counter(row for rows in dialogues for row in rows)
        kept = sorted(row for row, times in count.items() if times >= self._least)
        self._kept = np.array(kept, dtype=np.int64)
        self._column = {row: n for n, row in enumerate(kept)}
        ids = log.catalog.ids
        likes = {str(n): [ids[row] for row in rows] for n, rows in enumerate(dialogues)}
        counts = Counts.fit([ids[row] for row in kept], dict.fromkeys(likes, UserProfile()), likes)
        self._weights = ease_weights(counts, self._l2).astype(np.float32)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Sum over the named items; 0 without any."""
        out = np.zeros((len(requests), self._n), dtype=np.float32)
        for n, request in enumerate(requests):
            named = named_rows(request, self._rows)
            if columns := [self._column[row] for row in named if row in self._column]:
                out[n, self._kept] = self._weights[columns].sum(axis=0)
        return out


def items_of_dialogues(log: RequestLog) -> list[list[int]]:
    """Rows of the items of each training dialogue: named, or chosen and not called bad."""
    found: dict[str, dict[int, None]] = {}
    rows = log.catalog.rows
    for request in log.train:
        here = found.setdefault(request.dialogue, {})
        here.update(dict.fromkeys([*named_rows(request, rows), *good_rows(request, rows)]))
    return [list(here) for here in found.values()]
