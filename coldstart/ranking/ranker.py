"""Blend of signals: linear weights that depend on the number of picks, corrected by trees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from coldstart.errors import ArtifactError, ConfigError
from coldstart.ranking.request_blend import (
    EVEN,
    RequestBlend,
    in_words,
    without_words,
    words_and_taste,
)
from coldstart.ranking.trees import UNKNOWN_SIGNALS, TreeCorrection
from coldstart.runtime import untrusted
from coldstart.schema import Strategy
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FULL_PICKS = 10
"""Number of picks at which the weights reach their far end."""


PLAIN = RequestBlend()
"""Stands for the blend of a strategy without one, where words or taste shall count less."""


def states_taste(features: Floats) -> bool:
    """Whether a request has more than attributes, for which counts by group alone rank best."""
    columns = [SIGNALS.index(signal.name) for signal in SIGNALS if signal.states_taste]
    return bool(features[:, columns].any())


class BlendRanker:
    """Score = Σ weight(k) · feature + trees(features), the weights linear in the number of picks k.

    A request in words is scored by the strategy's ``RequestBlend``, in which this score of the same
    profile without its words is one term.

    Args:
        weights: by strategy, each feature's (weight without picks, change by 10 picks).
        trees: a correction that all strategies share; made only where the request
            ``states_taste``.
        favourites: another one, for picks that are favourites rather than a
            ``history``; ``None``: the same.
        requests: by strategy, the blend of requests in words; strategies without one rank them
            by ``weights`` and trees.
    """

    def __init__(
        self,
        weights: Mapping[str, Mapping[str, tuple[float, float]]],
        trees: TreeCorrection | None = None,
        favourites: TreeCorrection | None = None,
        requests: Mapping[str, RequestBlend] | None = None,
    ) -> None:
        self.requests = dict(requests or {})
        self.trees, self.favourites = trees, favourites
        self._weights = {s: {f: tuple(w) for f, w in ws.items()} for s, ws in weights.items()}
        for strategy, by_name in self._weights.items():
            unknown = by_name.keys() - set(SIGNALS.names)
            if unknown:
                raise ArtifactError(
                    f"ranker weights for {strategy!r} name unknown feature(s) {sorted(unknown)}",
                    hint=UNKNOWN_SIGNALS,
                )

    @classmethod
    def default(cls) -> BlendRanker:
        """The unfitted blend, for every strategy."""
        return cls({strategy: SIGNALS.weights(strategy) for strategy in get_args(Strategy)})

    @classmethod
    def classical(
        cls, trees: TreeCorrection | None = None, favourites: TreeCorrection | None = None
    ) -> BlendRanker:
        """Everything that is not ``learned_late``, for the ``prior`` strategy."""
        late = SIGNALS.learned_late("prior")
        weights = {name: w for name, w in SIGNALS.weights("prior").items() if name not in late}
        return cls({"prior": weights}, trees, favourites)

    @property
    def signals(self) -> frozenset[str]:
        """Names of the signals that have a weight in a strategy, or that trees use."""
        trees = (t.names for t in (self.trees, self.favourites) if t is not None)
        of_requests = (blend.weights for blend in self.requests.values())
        return frozenset().union(*self._weights.values(), *trees, *of_requests)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Strategies that have weights."""
        return tuple(self._weights)

    def weights(self, strategy: str, n_picks: int) -> Floats:
        """Weights for ``n_picks`` picks, shape (len(SIGNALS),)."""
        if strategy not in self._weights:
            raise ConfigError(
                f"no ranker weights for strategy {strategy!r}",
                hint=f"one of {', '.join(self._weights)}",
            )
        far = min(n_picks, FULL_PICKS) / FULL_PICKS
        pairs = (self._weights[strategy].get(f, (0.0, 0.0)) for f in SIGNALS.names)
        return np.array([base + slope * far for base, slope in pairs])

    def weighs(self, strategy: str, names: Iterable[str]) -> bool:
        """Whether any of some signals can move a score of a strategy."""
        blend = self.requests.get(strategy)
        weighed = {n for n, pair in self._weights.get(strategy, {}).items() if any(pair)}
        weighed |= {n for n, pair in (blend.weights if blend else {}).items() if any(pair)}
        for trees in (self.trees, self.favourites):
            weighed |= set(trees.names) if trees is not None else set()
        return not weighed.isdisjoint(names)

    def scores(
        self, features: Floats, weights: Floats, strategy: str = "", words: float = EVEN
    ) -> Floats:
        """Score of every item, shape (N,); higher is better.

        Args:
            features: shape (N, len(SIGNALS)).
            weights: of the strategy and the number of picks, shape (len(SIGNALS),).
            strategy: whose blend of requests in words applies, if it has one.
            words: what the words count beside the taste, 0 to 1; see ``words_and_taste``.
        """
        blend = self._blend(features, strategy, words)
        if blend is None:
            return self._taste(features, weights)
        of_words, of_taste = words_and_taste(words)
        bare = self._taste(without_words(features), weights)
        if blend is PLAIN:
            return of_words * (self._taste(features, weights) - bare) + of_taste * bare
        taste = of_taste * blend.taste_weight(features) * bare
        return of_words * np.asarray(features @ blend.vector(features)) + taste

    def linear(self, features: Floats, n_picks: int, words: float = EVEN) -> Floats:
        """Scores of the ``prior`` strategy without the trees, by which a shortlist is chosen."""
        weights, blend = self.weights("prior", n_picks), self._blend(features, "prior", words)
        if blend is None:
            return np.asarray(features @ weights)
        of_words, of_taste = words_and_taste(words)
        bare = without_words(features) @ weights
        if blend is PLAIN:
            return np.asarray(of_words * (features @ weights - bare) + of_taste * bare)
        taste = of_taste * blend.taste_weight(features) * bare
        return of_words * np.asarray(features @ blend.vector(features)) + taste

    def contributions(
        self,
        features: Floats,
        weights: Floats,
        rows: Sequence[int],
        strategy: str = "",
        words: float = EVEN,
    ) -> Floats:
        """Each feature's part in the scores of some items, shape (len(rows), len(SIGNALS)).

        Args:
            features: of all items, shape (N, len(SIGNALS)).
            weights: shape (len(SIGNALS),).
            rows: the items; the parts of each sum to its score.
            strategy: as for ``scores``.
            words: likewise.
        """
        blend = self._blend(features, strategy, words)
        if blend is None:
            return self._taste_parts(features, weights, rows)
        of_words, of_taste = words_and_taste(words)
        bare = self._taste_parts(without_words(features), weights, rows)
        if blend is PLAIN:
            whole = self._taste_parts(features, weights, rows)
            return of_words * (whole - bare) + of_taste * bare
        own: Floats = of_words * (features[rows] * blend.vector(features))
        return own + of_taste * blend.taste_weight(features) * bare

    def ordinary(
        self, features: Floats, weights: Floats, strategy: str = "", words: float = EVEN
    ) -> Floats:
        """Mean part of each feature over all items, without trees, shape (len(SIGNALS),).

        Args:
            features: of all items, shape (N, len(SIGNALS)).
            weights: shape (len(SIGNALS),).
            strategy: as for ``scores``.
            words: likewise.
        """
        blend, mean = self._blend(features, strategy, words), features.mean(axis=0)
        if blend is None or blend is PLAIN:
            return np.asarray(mean * self.slopes(features, weights, strategy, words))
        of_words, of_taste = words_and_taste(words)
        bare = without_words(mean[None])[0] * weights
        own = of_words * (mean * blend.vector(features))
        return np.asarray(own + of_taste * blend.taste_weight(features) * bare)

    def slopes(
        self, features: Floats, weights: Floats, strategy: str = "", words: float = EVEN
    ) -> Floats:
        """What each feature counts for this request, without trees, shape (len(SIGNALS),).

        Arguments as for ``ordinary``.
        """
        blend = self._blend(features, strategy, words)
        if blend is None:
            return weights
        of_words, of_taste = words_and_taste(words)
        bare = without_words(np.ones((1, len(weights))))[0] * weights
        if blend is PLAIN:
            return np.asarray(of_words * (weights - bare) + of_taste * bare)
        taste = of_taste * blend.taste_weight(features) * bare
        return np.asarray(of_words * blend.vector(features) + taste)

    def _blend(self, features: Floats, strategy: str, words: float) -> RequestBlend | None:
        """The blend of a request in words; ``None`` where it is ranked as one without words is.

        Where the strategy has none, ``PLAIN``, unless words and taste count as they were learned.
        """
        if not in_words(features):
            return None
        return self.requests.get(strategy) or (None if words == EVEN else PLAIN)

    def _taste(self, features: Floats, weights: Floats) -> Floats:
        linear, trees = np.asarray(features @ weights), self._trees_for(features)
        return linear if trees is None else linear + trees.correct(features, SIGNALS.names, linear)

    def _taste_parts(self, features: Floats, weights: Floats, rows: Sequence[int]) -> Floats:
        linear, trees = features[rows] * weights, self._trees_for(features)
        return linear if trees is None else linear + trees.explain(features[rows], SIGNALS.names)

    def _trees_for(self, features: Floats) -> TreeCorrection | None:
        if not states_taste(features):
            return None
        n_picks, history = (features[0, SIGNALS.index(f)] for f in ("shots", "history"))
        return self.trees if history or not n_picks else self.favourites or self.trees

    def table(self, strategy: str) -> dict[str, tuple[float, float]]:
        """Each feature's (weight without picks, change by 10 picks)."""
        return {f: (w[0], w[1]) for f, w in self._weights[strategy].items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        stated = {s.name: (0.0, 0.0) for s in SIGNALS if s.always}
        weights = {
            s: {f: list(w) for f, w in {**stated, **ws}.items()} for s, ws in self._weights.items()
        }
        return {
            "weights": weights,
            "correction": self.trees and self.trees.to_dict(),
            "favourites": self.favourites and self.favourites.to_dict(),
            "requests": {s: blend.to_dict() for s, blend in self.requests.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BlendRanker:
        """Read what ``to_dict`` wrote; new signals that count ``always`` get their default.

        Raises:
            ArtifactError: malformed, without a known strategy, with an unknown signal, or with a
                number that is not finite.
        """
        with untrusted.within("malformed ranker weights"):
            found = untrusted.mapping(data, "the ranker", ("weights", "correction"))
            weights = {
                strategy: {
                    f: untrusted.pair(w, f"weight of {untrusted.shown(f)}")
                    for f, w in untrusted.mapping(ws, "weights of a strategy").items()
                }
                for strategy, ws in _by_strategy(found["weights"]).items()
            }
            blends = _by_strategy(found.get("requests") or {})
        known = frozenset().union(*weights.values())
        for strategy, by_name in weights.items():
            default = SIGNALS.weights(strategy)
            new = {s.name for s in SIGNALS if s.always} & default.keys() - known
            by_name.update({name: default[name] for name in new})
        requests = {s: RequestBlend.from_dict(blend) for s, blend in blends.items()}
        trees, favourites = (
            None if part is None else TreeCorrection.from_dict(part, SIGNALS.names)
            for part in (found["correction"], found.get("favourites"))
        )
        return cls(weights, trees, favourites, requests)


def _by_strategy(value: object) -> dict[str, Any]:
    found = untrusted.mapping(value, "weights by strategy")
    if unknown := sorted(found.keys() - set(get_args(Strategy))):
        expected = f"some of {', '.join(get_args(Strategy))}"
        raise untrusted.refuse("strategies", unknown, expected)
    return found
