"""The recommendation pipeline: candidates → scores → filters and ranking → explanation, in batches.

One request is a batch of one. Prompts of a batch are read in one forward pass, because matrix
products of more rows are faster (``python benchmarks/throughput.py --joint``); nothing else is
shared, so every list is the one that its request would get alone, but for the last bits of a sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from coldstart.pipeline.candidates import CandidateStage
from coldstart.pipeline.draft import Draft, isolate
from coldstart.pipeline.explain import ExplainStage
from coldstart.pipeline.model_reading import ModelReadingStage
from coldstart.pipeline.parts import PartsResources
from coldstart.pipeline.propose import ProposeStage, choices, concurrency, proposing
from coldstart.pipeline.rank import RankStage
from coldstart.pipeline.rows import RowsStage
from coldstart.pipeline.score import ScoreStage
from coldstart.pipeline.understand import UnderstandStage
from coldstart.pipeline.words_apart import by_taste
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import Candidate, Grounding, RecommendationList
from coldstart.scoring.lm_signals import LMSignals
from coldstart.scoring.scorer import Scope, ScoreRequest, Scores
from coldstart.scoring.written import written_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.pipeline.parts import Parts
    from coldstart.pipeline.request import RecommendRequest
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import RecommendationRows, RowName, Strategy
    from coldstart.scoring.scorers import Scorers

    Ints = NDArray[np.int64]

BATCH = 16
"""Requests whose prompts are read at once; more together are hardly faster."""
_WIDER = 20  # times k: items that pass the filters, added where too few candidates do


class Pipeline:
    """Makes lists for batches of resolved requests.

    The stages are attributes: ``understand``, which makes the readings of the requests, then
    ``propose``, ``candidates``, ``score``, ``rank`` and ``explain``.

    Args:
        parts: of the recommender; its catalog must not change during a batch.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.resources = PartsResources(parts)
        self.understand = UnderstandStage(parts)
        self.model_reading = ModelReadingStage(parts)
        self.candidates = CandidateStage(parts)
        self.score = ScoreStage(parts)
        self.propose = ProposeStage(parts, self.candidates)
        self.rank = RankStage(parts)
        self.explain = ExplainStage(parts)
        self.compose = RowsStage(parts, self.explain)

    def run(
        self, requests: Sequence[RecommendRequest], scorers: Scorers | None = None
    ) -> Iterator[tuple[int, RecommendationList | Exception]]:
        """Recommend for every request; errors are isolated per request.

        Requests without a language model come first, those for which it writes titles last: writing
        takes several times as long as reading, and whatever is ready is given out before.

        Args:
            requests: any number; ``BATCH`` at a time are worked on together.
            scorers: instead of the recommender's, such as some that keep their scores.

        Yields:
            The position of a request and its list, or its error, as soon as it is there.
        """
        for start in range(0, len(requests), BATCH):
            with one_blas_thread():
                some = requests[start : start + BATCH]
                yield from self._batch(start, some, scorers or self._parts.scorers)

    def all(
        self, requests: Sequence[RecommendRequest], scorers: Scorers | None = None
    ) -> list[RecommendationList]:
        """The list of every request. Raises the first error."""
        made: dict[int, RecommendationList] = {}
        for position, one in self.run(requests, scorers):
            if isinstance(one, Exception):
                raise one
            made[position] = one
        return [made[position] for position in range(len(requests))]

    def one(self, request: RecommendRequest, scorers: Scorers | None = None) -> RecommendationList:
        """The list of one request. Raises its error."""
        return self.all([request], scorers)[0]

    def rows(
        self, request: RecommendRequest, names: Sequence[RowName], tell: bool = False
    ) -> RecommendationRows:
        """Rows of one request, from one pass over the scorers. Raises its error.

        Args:
            request: ``options.k`` is the length of each row.
            names: which rows, if there is enough to show.
            tell: whether a note says which of them are left out.
        """
        scorers = self._parts.scorers
        with one_blas_thread():
            self.sync()
            (read,) = self.model_reading.read([by_taste(request)])
            draft = Draft(0, read, self._parts.item_store)
            for _, made in self._through([draft], scorers):
                if isinstance(made, Exception):
                    raise made
            return self.compose.compose(draft, names, tell=tell)

    def model_scores(
        self,
        user: ResolvedProfile,
        strategy: Strategy,
        *,
        rows: Ints | None = None,
        seed: int = 0,
        scorers: Scorers | None = None,
    ) -> list[Scores]:
        """Scores over the whole catalog by language models, and all else beyond candidate scope.

        Args:
            user: the resolved profile.
            strategy: which scorers take part.
            rows: catalog rows that scorers of the scope ``shortlist`` score; ``None``: all.
            seed: of free writing.
            scorers: instead of the recommender's.
        """
        self.sync(scorers)
        out = []
        scopes: tuple[tuple[Scope, Ints | None], ...] = (("catalog", None), ("shortlist", rows))
        for scope, only in scopes:
            for scorer in (scorers or self._parts.scorers).of(strategy, scope):
                request = ScoreRequest(user, self._parts.item_store, only, seed=seed)
                (found,) = scorer.score([request])
                if isinstance(found, Exception):
                    raise found
                out.append(found)
        return out

    def generate(self, request: RecommendRequest, n: int) -> list[Candidate]:
        """The ``n`` likeliest catalog titles (``catalog``) or written titles (``free``)."""
        self.sync()
        model = self.resources.model
        prompt = model.prompt(request.user).text
        if request.options.strategy == "catalog":
            return model.candidates(prompt, n)
        draft = Draft(0, request, self._parts.item_store)
        rows = choices(self._parts, self.candidates, draft)
        return list(model.write(prompt, n, request.decoding, request.seed, rows))

    def rank_grounded(
        self, request: RecommendRequest, groundings: Sequence[Grounding]
    ) -> RecommendationList:
        """Rank and explain what given titles were grounded to."""
        self.sync()
        draft = Draft(0, request, self._parts.item_store)
        draft.catalog_scores = [written_scores(LMSignals(), self._parts.item_store, groundings)]
        self.score.score([draft], self._parts.scorers)
        if isinstance(draft.made, Exception):
            raise draft.made
        return self.explain.explain(draft, self.rank.rank(draft))

    def sync(self, scorers: Scorers | None = None) -> None:
        """Have item store and scorers catch up with the catalog."""
        self._parts.item_store.sync()
        (scorers or self._parts.scorers).sync(self.resources)

    def _batch(
        self, start: int, requests: Sequence[RecommendRequest], scorers: Scorers
    ) -> Iterator[tuple[int, RecommendationList | Exception]]:
        self.sync(scorers)
        requests = self.model_reading.read([by_taste(request) for request in requests])
        items = self._parts.item_store
        yield from self._through(
            [Draft(start + n, request, items) for n, request in enumerate(requests)], scorers
        )

    def _through(
        self, drafts: Sequence[Draft], scorers: Scorers
    ) -> Iterator[tuple[int, RecommendationList | Exception]]:
        """All stages after the readings."""
        writing = [d for d in drafts if any(d.asks(s) for s in proposing(scorers))]
        models = [s for s in scorers if s.scope == "shortlist"]
        reading = [d for d in drafts if d not in writing and any(d.asks(s) for s in models)]
        quick = [d for d in drafts if d not in writing and d not in reading]
        yield from self._finish(quick, scorers)
        yield from self._finish(reading, scorers)
        while writing:
            some = writing[: concurrency(scorers)]
            del writing[: len(some)]
            self.propose.propose(some, scorers)
            yield from self._finish(some, scorers)

    def _finish(
        self, drafts: Sequence[Draft], scorers: Scorers
    ) -> Iterator[tuple[int, RecommendationList | Exception]]:
        """All stages after the proposals; twice where too few candidates pass the filters."""
        named = {draft.position: self._named(draft) for draft in drafts}
        self._make(drafts, named, scorers)
        short = [draft for draft in drafts if self._is_short(draft)]
        yield from ((d.position, d.made) for d in drafts if d.made is not None and d not in short)
        for draft in short:
            named[draft.position].update(self._popular_that_pass(draft))
        self._make(short, named, scorers)
        yield from ((draft.position, draft.made) for draft in short if draft.made is not None)

    def _make(
        self, drafts: Sequence[Draft], named: Mapping[int, Collection[str]], scorers: Scorers
    ) -> None:
        def select(draft: Draft) -> None:
            user = draft.request.user
            draft.candidates = self.candidates.select(user, named[draft.position])

        def respond(draft: Draft) -> None:
            draft.ranked = self.rank.rank(draft)
            draft.made = self.explain.explain(draft, draft.ranked)

        isolate(drafts, select)
        self.score.score(drafts, scorers)
        isolate(drafts, respond)

    def _is_short(self, draft: Draft) -> bool:
        """Whether a part of the catalog gave fewer than k items."""
        if not isinstance(draft.made, RecommendationList):
            return False
        part = draft.candidates is not self._parts.item_store
        return part and len(draft.made) < draft.request.options.k

    def _named(self, draft: Draft) -> set[str]:
        """Ids of items that are candidates in any case: written, or promoted."""
        named = set(draft.lm.found or ())
        items = self._parts.item_store
        if len(items.ids) > self._parts.settings.pool_from:
            raised = (a.items for a in draft.request.options.adjustments if a.amount > 0)
            for ids in raised:
                named.update(self._most_popular(ids, _WIDER * draft.request.options.k))
            if draft.constraints is not None:
                named.update(self._popular_that_pass(draft))
        return named

    def _most_popular(self, ids: Collection[str], n: int) -> list[str]:
        items = self._parts.item_store
        rows = items.rows_of(ids)
        ranked = rows[np.argsort(-items.popularity[rows], kind="stable")]
        return [items.ids[row] for row in ranked[:n].tolist()]

    def _popular_that_pass(self, draft: Draft) -> Iterable[str]:
        """Ids of the most popular items that filters and constraints allow, by tier."""
        items = self._parts.item_store
        rows = np.argsort(-items.popularity, kind="stable")
        if draft.constraints is not None:
            verdicts = draft.constraints.verdicts(items)
            rows = rows[~verdicts.excluded[rows]]
            rows = rows[np.argsort(verdicts.tier[rows], kind="stable")]
        ranked = (items.items[row] for row in rows)
        passing = (item.item_id for item in ranked if draft.passes(item))
        return islice(passing, _WIDER * draft.request.options.k)
