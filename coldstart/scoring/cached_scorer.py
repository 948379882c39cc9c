"""Scores of a language model, kept for requests that come again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from coldstart.scoring.scorer import BaseScorer, Scorer, ScoreRequest, Scores

if TYPE_CHECKING:
    from coldstart.scoring.resources import Resources


class CachedScorer(BaseScorer):
    """Calls a scorer once per request and shortlist.

    Args:
        scorer: its scores are kept; saving and loading stay its own.
        key: identifies a request's user; equal keys mean equal answers. ``None``: profile, without
            what was seen (which no prompt shows), and context.
        most_bytes: about how much memory is kept; beyond it the oldest scores are dropped. The
            latest always stay.
    """

    def __init__(
        self,
        scorer: Scorer,
        key: Callable[[ScoreRequest], Hashable] | None = None,
        *,
        most_bytes: int | None = None,
    ) -> None:
        self._scorer, self._key, self._most = scorer, key or _user_key, most_bytes
        self.name, self.signals = scorer.name, scorer.signals
        self.scope, self.strategies = scorer.scope, scorer.strategies
        #: By request: scores and their size; oldest first.
        self._known: dict[Hashable, tuple[Scores, int]] = {}
        self.bytes = 0

    @property
    def concurrency(self) -> int | None:
        """That of the scorer."""
        return self._scorer.concurrency

    def sync(self, resources: Resources) -> None:
        """Sync the scorer."""
        self._scorer.sync(resources)

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Scores as kept, or as found now; errors are not kept."""
        keys = [self._whole_key(request) for request in batch]
        out: dict[int, Scores | Exception] = {
            at: self._known[key][0] for at, key in enumerate(keys) if key in self._known
        }
        todo = [at for at in range(len(batch)) if at not in out]
        if todo:
            found = self._scorer.score([batch[at] for at in todo])
            for at, scores in zip(todo, found, strict=True):
                out[at] = scores
                if not isinstance(scores, Exception):
                    self._keep(keys[at], scores)
        return [out[at] for at in range(len(batch))]

    def _whole_key(self, request: ScoreRequest) -> Hashable:
        rows = None if request.shortlist is None else request.shortlist.tobytes()
        return self._key(request), rows, request.decoding, request.seed

    def _keep(self, key: Hashable, scores: Scores) -> None:
        size = _size(scores)
        self._known[key] = scores, size
        self.bytes += size
        while self._most is not None and self.bytes > self._most and len(self._known) > 1:
            self.bytes -= self._known.pop(next(iter(self._known)))[1]


def cached(scorer: Scorer) -> Scorer:
    """Wrap scorers beyond candidate scope; the others are quick."""
    return scorer if scorer.scope == "candidates" else CachedScorer(scorer)


_OBJECTS = 20  # bytes of memory by character of JSON, about


def _user_key(request: ScoreRequest) -> Hashable:
    profile = request.user.profile.model_copy(update={"seen": ()})
    user = request.user
    read = user.understood.model_dump_json()
    return profile.model_dump_json(), user.context.model_dump_json(), read


def _size(scores: Scores) -> int:
    size, lm = sum(values.nbytes for values in scores.columns.values()), scores.lm
    if lm is None:
        return size
    logprobs = 0 if lm.logprobs is None else lm.logprobs.nbytes
    texts = len(lm.prompt or "") + sum(len(g.model_dump_json()) for g in lm.groundings)
    return size + logprobs + _OBJECTS * texts
