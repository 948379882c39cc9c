"""Blend of requests in words: log-linear in request signals and in what taste alone would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError
from coldstart.ranking.trees import UNKNOWN_SIGNALS
from coldstart.runtime import untrusted
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MANY_WORDS = 40.0
"""Words at which a request counts as fully specific."""
EVEN = 0.5
"""Share of the words, beside the taste, at which scores are as they were learned."""


@dataclass(frozen=True)
class RequestBlend:
    """Score = Σ (weight + slope · s) · signal + (taste + slope · s) · taste score.

    s in [0, 1] is how specific the request is: log(1 + words) / log(1 + ``MANY_WORDS``), at most 1.
    The taste score is that of the other blend for the same profile without its words; popularity
    is a part of it, so that the weight of popularity is learned for requests, and falls or rises
    with their length.

    Args:
        weights: (weight, slope) of each signal.
        taste: (weight, slope) of the taste score.

    Raises:
        ArtifactError: an unknown signal.
    """

    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    taste: tuple[float, float] = (1.0, 0.0)

    def __post_init__(self) -> None:
        if unknown := self.weights.keys() - set(SIGNALS.names):
            raise ArtifactError(
                f"request weights name unknown signal(s) {sorted(unknown)}", hint=UNKNOWN_SIGNALS
            )

    def vector(self, features: Floats) -> Floats:
        """Weight of every signal for the request that the features are of, (len(SIGNALS),)."""
        out = np.zeros(len(SIGNALS))
        s = specificity(features)
        fixed = {signal.name: signal.weight for signal in SIGNALS if signal.fixed}
        for name, (weight, slope) in {**fixed, **self.weights}.items():
            out[SIGNALS.index(name)] = weight + slope * s
        return out

    def taste_weight(self, features: Floats) -> float:
        """Weight of the taste score."""
        return self.taste[0] + self.taste[1] * specificity(features)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"weights": {f: list(w) for f, w in self.weights.items()}, "taste": list(self.taste)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RequestBlend:
        """Read what ``to_dict`` wrote.

        Raises:
            ArtifactError: malformed, a number that is not finite, or an unknown signal.
        """
        with untrusted.within("malformed request weights"):
            found = untrusted.mapping(data, "the blend of requests", ("weights", "taste"))
            weights = untrusted.mapping(found["weights"], "weights")
            pairs = {
                f: untrusted.pair(w, f"weight of {untrusted.shown(f)}") for f, w in weights.items()
            }
            taste = untrusted.pair(found["taste"], "taste")
        return cls(pairs, taste)


def words_and_taste(words: float) -> tuple[float, float]:
    """Factors of what the words and of what the taste add to a score; both 1 at ``EVEN``.

    >>> words_and_taste(0.5), words_and_taste(0.25), words_and_taste(1.0)
    ((1.0, 1.0), (0.5, 1.0), (1.0, 0.0))

    Args:
        words: 0 (taste alone) to 1 (words alone).
    """
    return min(1.0, words / EVEN), min(1.0, (1.0 - words) / (1.0 - EVEN))


def in_words(features: Floats) -> bool:
    """Whether a request has a text, from its features, shape (N, len(SIGNALS))."""
    return bool(len(features)) and features[0, SIGNALS.index("request_words")] > 0


def specificity(features: Floats) -> float:
    """How specific a request is, in [0, 1], by the number of its words."""
    words = float(features[0, SIGNALS.index("request_words")])
    return min(1.0, float(np.log1p(words) / np.log1p(MANY_WORDS)))


def without_words(features: Floats) -> Floats:
    """The features of the same profile had it no text: text signals are zero.

    Picks, dislikes and stated interests stay: they are taste.
    """
    out = features.copy()
    out[:, [SIGNALS.index(signal.name) for signal in SIGNALS if signal.of_words]] = 0.0
    return out
