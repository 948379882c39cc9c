"""Systems that learn from no request and no like, on recorded requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.prior_popularity import prior_lift
from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.errors import ConfigError
from coldstart.evaluation.requests.by_meaning import EncoderSimilarity, RequestVectors
from coldstart.evaluation.requests.by_words import ItemWords
from coldstart.evaluation.requests.ranks import Entrant
from coldstart.evaluation.requests.system import Floats, LearnedOnce
from coldstart.evaluation.requests.trained import TrainedRecommender, TrainedSystem
from coldstart.evaluation.zero_shot.shortlist import reordered
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.schema import UserProfile
from coldstart.training.requests.blend import profile_of

if TYPE_CHECKING:
    from coldstart.evaluation.zero_shot.model import UntunedModel

OURS = "from_nothing"
SYSTEMS = (
    *("random_items", "catalog_order", "catalog_popularity", "bm25", "encoder", "promptrec"),
    *("untuned_lm", "untuned_lm_lift", OURS, f"{OURS}-strict"),
)
"""Names, in the order of tables."""
CLOZE, TITLES = 50, 200
"""Items that the cloze, and the titles, are read for."""
RowScore = Callable[[UserProfile, Sequence[int]], NDArray[np.float64]]


class SameForAll(LearnedOnce):
    """One order of the items for every request.

    Args:
        name: see ``RequestSystem``.
        description: likewise.
        values: score of every item of a log's catalog, shape (N,).
    """

    def __init__(self, name: str, description: str, values: Callable[[RequestLog], Floats]) -> None:
        super().__init__(name, description)
        self._values_of = values

    def learn(self, log: RequestLog) -> None:
        """Order the items."""
        self._values = self._values_of(log)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """The same for every request; equal scores are ordered at random."""
        return np.tile(self._values, (len(requests), 1))


class OfNearest(LearnedOnce):
    """An untuned language model orders the items nearest by sentence embeddings.

    Args:
        name: see ``RequestSystem``.
        description: likewise.
        nearest: what the shortlist is chosen and the rest is ordered by.
        shortlist: number of items that are read.
        ranker: catalog → scores of rows for a profile.
    """

    def __init__(
        self,
        name: str,
        description: str,
        nearest: EncoderSimilarity,
        shortlist: int,
        ranker: Callable[[Catalog], RowScore],
    ) -> None:
        super().__init__(name, description)
        self._nearest, self._shortlist, self._make = nearest, shortlist, ranker

    def learn(self, log: RequestLog) -> None:
        """Encode the items."""
        self._nearest.fit(log)
        self._rows, self._score = log.catalog.rows, self._make(log.catalog)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Items that the request names take no place on the shortlist."""
        near = np.asarray(self._nearest.scores(requests), dtype=np.float64)
        return np.stack([self._of(r, own) for r, own in zip(requests, near, strict=True)])

    def _of(self, request: RecordedRequest, near: NDArray[np.float64]) -> NDArray[np.float64]:
        profile = profile_of(request)
        named = [self._rows[m.item_id] for m in request.mentioned]
        return reordered(near, named, self._shortlist, lambda rows: self._score(profile, rows))


class RequestSystemsFromNothing:
    """The systems by name, over shared parts; nothing is learned from a log but its catalog.

    Args:
        model: loads the untuned language model; ``None``: the packaged one.
    """

    def __init__(self, model: Callable[[], UntunedModel] | None = None) -> None:
        self._load = model or _packaged

    def entrants(self, names: Sequence[str], log: RequestLog) -> tuple[Entrant, ...]:
        """Systems in the order of tables.

        Args:
            names: of ``SYSTEMS``, or ``all``: those that the catalog has something for.
            log: whose catalog is started from.

        Raises:
            ConfigError: there is no such system, or none is left.
        """
        if unknown := [n for n in names if n not in (*SYSTEMS, "all")]:
            hint = f"all, or some of {', '.join(SYSTEMS)}"
            raise ConfigError(f"no system {unknown[0]!r} from nothing", hint=hint)
        rated = any(item.popularity is not None for item in log.catalog)
        there = [n for n in SYSTEMS if rated or n != "catalog_popularity"]
        chosen = [n for n in SYSTEMS if n in names or ("all" in names and n in there)]
        if not chosen:
            raise ConfigError("no system to run", hint="all, or names")
        made = self._makers(log)
        return tuple(made[name]() for name in chosen)

    def _makers(self, log: RequestLog) -> Mapping[str, Callable[[], Entrant]]:
        from coldstart.evaluation.zero_shot.cloze import ClozeRanker
        from coldstart.evaluation.zero_shot.title_likelihood import TitleLikelihood

        trained = TrainedRecommender(partial(Recommender.from_catalog, log.catalog))
        return {
            "random_items": lambda: Entrant(
                SameForAll("random_items", "random order", lambda log: np.zeros(len(log.catalog)))
            ),
            "catalog_order": lambda: Entrant(
                SameForAll("catalog_order", "order of the catalog", _order)
            ),
            "catalog_popularity": lambda: Entrant(
                SameForAll("catalog_popularity", "popularity column of the catalog", _popularity)
            ),
            "bm25": lambda: Entrant(ItemWords()),
            "encoder": lambda: Entrant(self._nearest),
            "promptrec": lambda: Entrant(
                OfNearest(
                    "promptrec",
                    f"PromptRec-style: an untuned language model's opinion of the {CLOZE} nearest",
                    self._nearest,
                    CLOZE,
                    lambda catalog: ClozeRanker(catalog, self._load()).scores,
                )
            ),
            "untuned_lm": lambda: Entrant(
                OfNearest(
                    "untuned_lm",
                    f"an untuned language model's log-probability of the {TITLES} nearest titles",
                    self._nearest,
                    TITLES,
                    lambda catalog: TitleLikelihood(catalog, self._load()).logprobs,
                )
            ),
            "untuned_lm_lift": lambda: Entrant(
                OfNearest(
                    "untuned_lm_lift",
                    "the same less that without a request",
                    self._nearest,
                    TITLES,
                    lambda catalog: TitleLikelihood(catalog, self._load()).lift,
                )
            ),
            OURS: partial(_started, trained, strict=False),
            f"{OURS}-strict": partial(_started, trained, strict=True),
        }

    @cached_property
    def _nearest(self) -> EncoderSimilarity:
        return EncoderSimilarity(RequestVectors(make_encoder(models.DEFAULT_ENCODER)))


def _started(trained: TrainedRecommender, *, strict: bool) -> Entrant:
    system = TrainedSystem(trained, "prior", strict=strict)
    how = "what the text demands comes first" if strict else "demands of the text as signals"
    name = f"{OURS}-strict" if strict else OURS
    return Entrant(system, name, description=f"coldstart start, {how}", ours=True)


def _order(log: RequestLog) -> Floats:
    return -np.arange(len(log.catalog), dtype=np.float64)


def _popularity(log: RequestLog) -> Floats:
    sales = [np.nan if item.popularity is None else item.popularity for item in log.catalog]
    return np.asarray(prior_lift(np.array(sales, dtype=np.float64)))


def _packaged() -> UntunedModel:
    from coldstart.evaluation.zero_shot.model import packaged_model

    return packaged_model()
