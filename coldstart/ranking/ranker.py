"""From features to an order: a blend of signals, corrected by trees, and diversity on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError, ConfigError
from coldstart.ranking.trees import TreeCorrection
from coldstart.scoring.features import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FULL_SHOTS = 10
"""Number of picks at which the weights reach their far end."""

DEFAULT_WEIGHTS: dict[str, tuple[float, float]] = {
    "popularity": (1.0, 0.0),
    "people": (1.0, 0.0),
    "picks": (1.2, 0.0),
    "resembles": (2.0, 0.0),
    "shares": (0.5, 0.0),
    "beyond": (0.5, 0.0),
    "words": (0.15, 0.0),
    "interests": (0.3, 0.0),
    "dislikes": (-1.0, 0.0),
    "model": (0.5, 0.0),
    "written": (1.0, 0.0),
}
"""Used before anything was fitted, and where fitting starts: (no picks, change by 10 picks)."""


def personal(features: Floats) -> bool:
    """Whether a user said more than attributes, which counts by group say best on their own."""
    said = [FEATURES.index(f) for f in ("shots", "words", "interests", "dislikes")]
    return bool(features[:, said].any())


def classical_weights() -> dict[str, tuple[float, float]]:
    """Default weights of all that is known without the language model."""
    return {f: w for f, w in DEFAULT_WEIGHTS.items() if f not in ("model", "written")}


class BlendRanker:
    """Score = Σ weight(k) · feature + trees(features), the weights linear in the number of picks k.

    Args:
        weights: by strategy, each feature's (weight without picks, change by 10 picks).
        trees: a correction that all strategies share; made only for users who are ``personal``.
        favourites: another one, for people whose picks are favourites rather than a
            ``history``; ``None``: the same.
    """

    def __init__(
        self,
        weights: Mapping[str, Mapping[str, tuple[float, float]]],
        trees: TreeCorrection | None = None,
        favourites: TreeCorrection | None = None,
    ) -> None:
        self.trees, self.favourites = trees, favourites
        self._weights = {s: {f: tuple(w) for f, w in ws.items()} for s, ws in weights.items()}
        for strategy, by_name in self._weights.items():
            unknown = by_name.keys() - set(FEATURES)
            if unknown:
                raise ArtifactError(
                    f"ranker weights for {strategy!r} name unknown feature(s) {sorted(unknown)}",
                    hint="the artifact was made by another version of coldstart",
                )

    @classmethod
    def default(cls) -> BlendRanker:
        """The unfitted blend, for every strategy."""
        unused = {"catalog": {"written"}, "free": {"model"}, "both": set[str]()}
        unused["prior"] = {"written", "model"}
        return cls(
            {s: {f: w for f, w in DEFAULT_WEIGHTS.items() if f not in u} for s, u in unused.items()}
        )

    @classmethod
    def classical(
        cls, trees: TreeCorrection | None = None, favourites: TreeCorrection | None = None
    ) -> BlendRanker:
        """Everything but the language model, for the ``prior`` strategy."""
        return cls({"prior": classical_weights()}, trees, favourites)

    def weights(self, strategy: str, shots: int) -> Floats:
        """Weights for ``shots`` picks, shape (len(FEATURES),)."""
        if strategy not in self._weights:
            raise ConfigError(
                f"no ranker weights for strategy {strategy!r}",
                hint=f"one of {', '.join(self._weights)}",
            )
        far = min(shots, FULL_SHOTS) / FULL_SHOTS
        pairs = (self._weights[strategy].get(f, (0.0, 0.0)) for f in FEATURES)
        return np.array([base + slope * far for base, slope in pairs])

    def scores(self, features: Floats, weights: Floats) -> Floats:
        """Score of every item, shape (N,); higher is better."""
        linear, trees = np.asarray(features @ weights), self._trees_for(features)
        return linear if trees is None else linear + trees.correct(features, FEATURES, linear)

    def contributions(self, features: Floats, weights: Floats, rows: Sequence[int]) -> Floats:
        """Each feature's part in the scores of some items, shape (len(rows), len(FEATURES)).

        Args:
            features: of all items, shape (N, len(FEATURES)).
            weights: shape (len(FEATURES),).
            rows: the items; the parts of each sum to its score.
        """
        linear, trees = features[rows] * weights, self._trees_for(features)
        return linear if trees is None else linear + trees.explain(features[rows], FEATURES)

    def _trees_for(self, features: Floats) -> TreeCorrection | None:
        if not personal(features):
            return None
        shots, history = (features[0, FEATURES.index(f)] for f in ("shots", "history"))
        return self.trees if history or not shots else self.favourites or self.trees

    def table(self, strategy: str) -> dict[str, tuple[float, float]]:
        """Each feature's (weight without picks, change by 10 picks)."""
        return {f: (w[0], w[1]) for f, w in self._weights[strategy].items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        weights = {s: {f: list(w) for f, w in ws.items()} for s, ws in self._weights.items()}
        return {
            "weights": weights,
            "correction": self.trees and self.trees.to_dict(),
            "favourites": self.favourites and self.favourites.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BlendRanker:
        """Read what ``to_dict`` wrote."""
        try:
            weights = {
                s: {f: (float(w[0]), float(w[1])) for f, w in ws.items()}
                for s, ws in data["weights"].items()
            }
            parts = data["correction"], data.get("favourites")
        except (TypeError, ValueError, AttributeError, LookupError) as e:
            raise ArtifactError(f"malformed ranker weights: {e}") from e
        return cls(weights, *(p and TreeCorrection.from_dict(p, FEATURES) for p in parts))


def diversify(scores: Floats, vectors: NDArray[Any], k: int, diversity: float) -> list[int]:
    """Order of the first ``k`` of a ranked pool by maximal marginal relevance.

    Next comes the argmax of ``(1 − λ) · score − λ · max cosine to those chosen``, with scores
    scaled to [0, 1] over the pool (Carbonell and Goldstein, 1998).

    Args:
        scores: of the pool, descending, shape (P,).
        vectors: unit content vectors of the pool, shape (P, dim).
        k: how many to choose.
        diversity: λ in [0, 1]; 0 keeps the order.
    """
    if diversity == 0 or len(scores) <= 1:
        return list(range(min(k, len(scores))))
    spread = scores.max() - scores.min()
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    chosen: list[int] = []
    nearest = np.full(len(scores), -1.0)
    left = np.ones(len(scores), dtype=bool)
    while len(chosen) < min(k, len(scores)):
        value = np.where(left, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen
