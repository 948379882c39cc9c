"""What the untuned language model adds on a catalog, measured on the catalog itself.

The inverse cloze task (Lee et al., "Latent retrieval for weakly supervised open domain question
answering", 2019): the start of a sentence of an item's description is the request, the item without
that sentence is to be found among items that resemble it. The language model's weight is the one
that finds them best, if it surely finds them better than the other signals alone; else 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.metrics.significance import paired_bootstrap
from coldstart.pipeline.parts import Parts
from coldstart.pipeline.pipeline import Pipeline
from coldstart.profile.resolve import PickResolver
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Context, Item, UserProfile
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import ScoreRequest
from coldstart.scoring.scorers import Scorers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GRID = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Weights that are tried, per nat of the lift."""
_SEEDS, _ALIKE = 8, 8  # groups of items that resemble each other, and items of each
_LOOKED_AT = 2000  # items
_QUERIES, _FEWEST = 40, 12
_WORDS = 8  # of a query: visitors write no longer ones
_FEWEST_WORDS = 4
_CHARACTERS = 3  # of a word, in scripts without spaces
_LEVEL = (
    0.99  # of the interval: reading a request with the model costs time, so doubt is against it
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True)
class ZeroShotGain:
    """Outcome of the measurement.

    Args:
        weight: of the lift, 0 where it does not help.
        queries: number of sentences that were looked for; 0: too few descriptions.
        base: mean reciprocal rank without the language model.
        gain: its mean change with the weight that the other half of the queries prefers.
        low: lower end of its 99 % interval.
        high: upper end.
    """

    weight: float = 0.0
    queries: int = 0
    base: float = 0.0
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def sentence(self) -> str:
        """The outcome, without a full stop."""
        if not self.queries:
            return "the language model is left out: too few descriptions to measure it with"
        change = f"{self.gain:+.3f} [{self.low:+.3f}, {self.high:+.3f}] on {self.base:.3f}"
        how = f"finding {self.queries} items by a sentence of their description: {change}"
        if not self.weight:
            return f"the language model is left out, as it does not help here ({how})"
        return f"the language model counts with weight {self.weight:g}, as it helps here ({how})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def measure_zero_shot(
    parts: Parts, report: Callable[[int, int], None] = lambda done, total: None, seed: int = 0
) -> ZeroShotGain:
    """Measure the gain of the language model's lift on a catalog.

    Args:
        parts: of the recommender, with a synchronised item store, a language model, and a ranker
            that gives it no weight.
        report: progress (done, total).
        seed: of the sample.
    """
    cases = _cases(parts.item_store, seed)
    if len(cases) < _FEWEST:
        return ZeroShotGain()
    scores, lifts, targets = _scored(parts, cases, report)
    ranks = {w: _reciprocal(scores + w * lifts, targets) for w in (0.0, *GRID)}
    halves = np.arange(len(targets)) % 2 == 0
    crossed = np.zeros(len(targets))
    for half in (halves, ~halves):
        best = max(ranks, key=lambda w: (ranks[w][~half].mean(), -w))
        crossed[half] = ranks[best][half]
    names = [str(n) for n in range(len(targets))]
    found = paired_bootstrap(
        dict(zip(names, crossed.tolist(), strict=True)),
        dict(zip(names, ranks[0.0].tolist(), strict=True)),
        seed,
        _LEVEL,
    )
    weight = max(ranks, key=lambda w: (ranks[w].mean(), -w)) if found.low > 0 else 0.0
    return ZeroShotGain(
        weight, len(targets), float(ranks[0.0].mean()), found.mean, found.low, found.high
    )


def _cases(items: ItemStore, seed: int) -> list[tuple[str, Item]]:
    """Items in groups that resemble each other; some with a sentence taken out of them.

    Returns:
        Query, empty for items that are not looked for, and item without it.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(items.ids))[:_LOOKED_AT].tolist()
    usable = [row for row in drawn if _split(items.items[row]) is not None]
    if len(usable) < _FEWEST:
        return []
    chosen: dict[int, None] = {}
    for row in usable[:_SEEDS]:
        near = items.content @ items.content[row]
        chosen.update(dict.fromkeys(np.argsort(-near, kind="stable")[:_ALIKE].tolist()))
    rows = list(chosen)
    asked = {rows[n] for n in rng.permutation(len(rows))[:_QUERIES]}
    cases = []
    for row in rows:
        split = _split(items.items[row]) if row in asked else None
        query, item = ("", items.items[row]) if split is None else split
        cases.append((query, item))
    return cases if sum(bool(q) for q, _ in cases) >= _FEWEST else []


def _split(item: Item) -> tuple[str, Item] | None:
    """The first words of the longest sentence of the description, and the item without it."""
    parts = [p for p in _SENTENCE.split(item.description) if p.strip()]
    if not parts:
        return None
    query = max(parts, key=len)
    words = query.split()
    if len(words) < _FEWEST_WORDS and not query.isascii():
        words = [query[: _WORDS * _CHARACTERS]] if len(query) >= _FEWEST_WORDS * 2 else []
    if not words or (len(words) < _FEWEST_WORDS and query.isascii()):
        return None
    rest = item.description.replace(query, " ").strip()
    return " ".join(words[:_WORDS]), item.model_copy(update={"description": rest})


def _scored(
    parts: Parts, cases: Sequence[tuple[str, Item]], report: Callable[[int, int], None]
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Scores without the language model, its lifts, and the row looked for, of every query."""
    catalog = Catalog.from_items(item for _, item in cases)
    counts = Counts.fit(catalog.ids, {}, {})
    small = replace(
        parts,
        catalog=catalog,
        item_store=ItemStore(catalog, counts, parts.encoder),
        scorers=Scorers(),
        ranker=parts.ranker,
        index=None,
        content_index=None,
    )
    pipeline = Pipeline(small)
    pipeline.sync()
    resolver = PickResolver(catalog, counts, "ignore")
    queries = [(row, query) for row, (query, _) in enumerate(cases) if query]
    scores, lifts, targets = [], [], []
    model = SIGNALS.index("model")
    for done, (row, query) in enumerate(queries, start=1):
        profile = UserProfile(about=query)
        user = resolver.resolve(profile, Context())
        user = replace(user, understood=pipeline.understand.understand(profile, Context()))
        made = pipeline.model_scores(user, "catalog")
        (features,) = small.scorers.features([ScoreRequest(user, small.item_store)], [made])
        lifts.append(features[:, model].copy())
        features[:, model] = 0.0
        ranker: BlendRanker = small.ranker
        scores.append(ranker.scores(features, ranker.weights("prior", 0), "prior"))
        targets.append(row)
        report(done, len(queries))
    return np.array(scores), np.array(lifts), np.array(targets)


def _reciprocal(scores: Floats, targets: NDArray[np.int64]) -> Floats:
    """Reciprocal rank of the target of every row, ties at their mean rank."""
    own = scores[np.arange(len(targets)), targets][:, None]
    above, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.asarray(1.0 / (1 + above + (equal - 1) / 2))
