"""Conditional logit: linear weights of item features by maximum likelihood of what was chosen.

The choice among N items is a softmax over their scores, which are linear in the features (McFadden,
"Conditional logit analysis of qualitative choice behavior", 1974; the listwise loss of Cao et al.,
"Learning to rank", 2007, with the chosen items as the target distribution). The log-likelihood is
concave, so that the weights depend neither on a start nor on a seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coldstart.errors import ArtifactError, ConfigError, DataError

Floats = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]

_NO_ROWS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class ChoiceCase:
    """One choice among the items of a catalog or of a candidate set.

    Args:
        features: of all items, shape (N, F); N may differ between cases.
        targets: rows of the chosen items, at least one, none of them excluded.
        excluded: rows that could not be chosen, such as the items that the request mentions.
        target_weights: share of each target in the target distribution, positive, of any sum;
            ``None``: equal. Shape of ``targets``.
        weight: of the case in the mean log-likelihood, at least 0.
    """

    features: Floats
    targets: Rows
    excluded: Rows = field(default_factory=lambda: _NO_ROWS)
    target_weights: Floats | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class ConditionalLogit:
    """Scores that are linear in the features of an item.

    Args:
        weights: of the features, shape (F,), in the units of the features.
        names: of the features; empty: they have none.
        log_likelihood: mean log-probability of the targets in the fitted cases, nats.
    """

    weights: NDArray[np.float64]
    names: tuple[str, ...] = ()
    log_likelihood: float = 0.0

    @classmethod
    def fit(
        cls,
        cases: Sequence[ChoiceCase],
        *,
        names: Sequence[str] = (),
        l2: float = 1e-3,
        nonnegative: Sequence[str] | bool = False,
        center: Sequence[float] = (),
        max_iterations: int = 200,
    ) -> ConditionalLogit:
        """Fit the weights by L-BFGS.

        The cases are read once per iteration; a sequence that makes a case's features on demand
        saves memory.

        Args:
            cases: at least one with positive weight.
            names: of the features.
            l2: strength of the penalty ``l2 / 2 · Σ ((weight − center) · standard deviation)²`` on
                the mean log-likelihood; above 0, features that repeat each other share their
                weight.
            nonnegative: whether weights are kept at 0 or above; or the names for which they are.
            center: weights that hold without evidence to the contrary, shape (F,); empty: 0.
            max_iterations: of L-BFGS.

        Returns:
            The fitted model.

        Raises:
            ConfigError: a penalty below 0, or names that do not fit.
            DataError: no case, features of different width or not finite, a case without targets,
                or a target that is excluded or outside the case.
        """
        width = _checked(cases, l2)
        labels = tuple(names)
        if labels and (len(labels) != width or len(set(labels)) < width):
            raise ConfigError(
                f"{len(labels)} names for {width} features", hint="name each feature, none twice"
            )
        scale = _deviations(cases, width)
        if len(center) not in (0, width):
            raise ConfigError(f"center has {len(center)} weights for {width} features")
        start = scale * (np.asarray(center, dtype=np.float64) if len(center) else np.zeros(width))
        total = sum(case.weight for case in cases)

        def loss(scaled: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            value, slope = 0.0, np.zeros(width)
            for case in cases:
                one, change = _negative_log_likelihood(case, scaled / scale)
                value += case.weight * one
                slope += case.weight * change
            away = scaled - start
            penalised = value / total + l2 / 2 * float(away @ away)
            return penalised, slope / scale / total + l2 * away

        bounds = [(0.0 if low else None, None) for low in _lower(labels, nonnegative, width)]
        from scipy.optimize import minimize  # half a second to import

        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iterations, "ftol": 1e-9, "gtol": 1e-7},
        )
        weights = np.asarray(found.x / scale, dtype=np.float64)
        means = [c.weight * _negative_log_likelihood(c, weights)[0] for c in cases]
        return cls(weights, labels, -float(np.sum(means)) / total)

    def scores(self, features: Floats) -> NDArray[np.float64]:
        """Score of every item, higher is better.

        Args:
            features: shape (…, F).

        Returns:
            Shape (…,).
        """
        if features.shape[-1] != len(self.weights):
            raise DataError(
                f"{features.shape[-1]} features for {len(self.weights)} weights",
                hint="give the features that the weights were fitted on, in their order",
            )
        return np.asarray(features @ self.weights, dtype=np.float64)

    def log_probabilities(self, features: Floats, excluded: Rows = _NO_ROWS) -> NDArray[np.float64]:
        """Log-probability that each item is chosen, shape (N,), nats; -inf where excluded."""
        scores = self.scores(features)
        scores[excluded] = -np.inf
        return np.asarray(scores - _log_sum_exp(scores), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "weights": self.weights.tolist(),
            "names": list(self.names),
            "log_likelihood": self.log_likelihood,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConditionalLogit:
        """Read what ``to_dict`` wrote."""
        try:
            weights = np.asarray(data["weights"], dtype=np.float64)
            names, value = tuple(map(str, data["names"])), float(data["log_likelihood"])
        except (TypeError, ValueError, LookupError) as e:
            raise ArtifactError(f"malformed weights of a conditional logit: {e}") from e
        if weights.ndim != 1 or not np.isfinite(weights).all():
            raise ArtifactError("malformed weights of a conditional logit: not a list of numbers")
        if names and len(names) != len(weights):
            raise ArtifactError(f"{len(names)} names for {len(weights)} weights")
        return cls(weights, names, value)


def _negative_log_likelihood(
    case: ChoiceCase, weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Cross-entropy of the target distribution, and its gradient in the weights."""
    scores = np.asarray(case.features @ weights.astype(case.features.dtype), dtype=np.float64)
    scores[case.excluded] = -np.inf
    level = _log_sum_exp(scores)
    share = _shares(case)
    value = level - float(share @ scores[case.targets])
    ahead = np.exp(scores - level)
    np.subtract.at(ahead, case.targets, share)
    slope = np.asarray(ahead.astype(case.features.dtype) @ case.features, dtype=np.float64)
    return value, slope


def _shares(case: ChoiceCase) -> NDArray[np.float64]:
    if case.target_weights is None:
        return np.full(len(case.targets), 1 / len(case.targets))
    given = np.asarray(case.target_weights, dtype=np.float64)
    return np.asarray(given / given.sum(), dtype=np.float64)


def _log_sum_exp(scores: NDArray[np.float64]) -> float:
    top = float(scores.max())
    return top + float(np.log(np.exp(scores - top).sum()))


def _deviations(cases: Sequence[ChoiceCase], width: int) -> NDArray[np.float64]:
    """Standard deviation of each feature over all items of all cases; 1 where it is constant."""
    count, total, squares = 0, np.zeros(width), np.zeros(width)
    for case in cases:
        values = np.asarray(case.features, dtype=np.float64)
        count += len(values)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    variance = np.maximum(squares / count - (total / count) ** 2, 0.0)
    deviation = np.sqrt(variance)
    noise = 1e-6 * np.sqrt(squares / count)
    return np.where(deviation > noise, deviation, 1.0)


def _lower(names: tuple[str, ...], nonnegative: Sequence[str] | bool, width: int) -> list[bool]:
    if isinstance(nonnegative, bool):
        return [nonnegative] * width
    if unknown := sorted(set(nonnegative) - set(names)):
        raise ConfigError(
            f"no feature {unknown[0]!r} to keep at 0 or above",
            hint=f"one of {', '.join(names) or 'none: name the features'}",
        )
    return [name in nonnegative for name in names]


def _checked(cases: Sequence[ChoiceCase], l2: float) -> int:
    """Width of the features; raises where a case is malformed."""
    if not 0 <= l2 < np.inf:
        raise ConfigError(f"l2 is {l2!r}", hint="give 0 or more")
    width = 0
    for number, case in enumerate(cases):
        if problem := _problem(case, width):
            raise DataError(f"choice {number}: {problem}", hint="see ChoiceCase for what it holds")
        width = case.features.shape[1]
    if not any(case.weight > 0 for case in cases):
        raise DataError(
            f"{len(cases)} choices, none with a positive weight", hint="give at least one choice"
        )
    return width


def _problem(case: ChoiceCase, width: int) -> str:
    shape = case.features.shape
    if len(shape) != 2 or not shape[1] or (width and shape[1] != width):
        return f"features of shape {shape}, expected (items, {width or 'features'})"
    if not np.isfinite(case.features).all():
        return "a feature is not finite"
    if not len(case.targets):
        return "no targets"
    rows = np.concatenate([case.targets, case.excluded])
    if rows.min() < 0 or rows.max() >= shape[0]:
        return f"a row outside its {shape[0]} items"
    if np.isin(case.targets, case.excluded).any():
        return "a target is excluded"
    shares = case.target_weights
    if shares is not None and not (
        len(shares) == len(case.targets) and np.isfinite(shares).all() and (shares > 0).all()
    ):
        return "target weights that are not positive numbers, one for each target"
    return "" if 0 <= case.weight < np.inf else f"a weight of {case.weight}"
