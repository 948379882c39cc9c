"""Off-policy estimators of another policy's value, from a log with propensities.

Row i has context x_i, shown item a_i, reward r_i, propensity p_i = μ(a_i | x_i) of the logging
policy and π(a_i | x_i) of the target; its weight is w_i = π(a_i | x_i) / p_i. All estimate
V = E_x E_{a ~ π(. | x)} [r], the target's mean reward per recommendation. Where lists were shown,
"item" reads "item at this rank", and rewards are taken not to depend on the rest of the list.

IPS, SNIPS and doubly robust need support: p > 0 wherever π > 0. A log cannot show that it lacks
it, but weights that do not average 1 give it away; see ``Estimate.notes``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog, Reward
from coldstart.tabular.rows import rows_text

FEW = 0.05
Z = 1.959964  # 97.5th percentile of the normal distribution


@dataclass(frozen=True)
class Estimate:
    """A target policy's mean reward.

    Args:
        value: in the unit of the rewards.
        standard_error: of the value, groups (or rows) being drawn independently; ``None`` with
            a single one.
        effective_sample_size: ``(Σ w)² / Σ w²`` (Kong, 1992), in [0, rows]: as many rows drawn
            by the target itself would tell about as much.
        max_weight: largest w, after clipping; a few large ones make an estimate a gamble.
        rows: number of logged rows.
        notes: what to know before believing it.
    """

    value: float
    standard_error: float | None
    effective_sample_size: float
    max_weight: float
    rows: int
    notes: tuple[str, ...] = ()

    @property
    def interval(self) -> tuple[float, float] | None:
        """``value ± 1.96 · standard_error``, or ``None`` without one."""
        if self.standard_error is None:
            return None
        return self.value - Z * self.standard_error, self.value + Z * self.standard_error


def ips(
    rewards: ArrayLike,
    propensities: ArrayLike,
    target: ArrayLike,
    *,
    groups: ArrayLike | None = None,
) -> Estimate:
    """Inverse propensity scoring: ``V = 1/n Σ w_i r_i`` (Horvitz and Thompson, 1952).

    Unbiased with right propensities and support; its variance grows with the weights.

    Args:
        rewards: r, any finite numbers, shape (rows,).
        propensities: p, in (0, 1], shape (rows,).
        target: π(a_i | x_i), in [0, 1], shape (rows,).
        groups: rows of one group (a user) depend on each other; shape (rows,).

    Raises:
        DataError: naming rows, if a number is out of range, or lengths differ.
    """
    rows = _checked(rewards=rewards, propensities=propensities, target=target)
    weights = _weights(rows)
    notes = _weight_notes(weights, groups)
    return _mean(weights * rows["rewards"], weights, groups, notes)


def clipped_ips(
    rewards: ArrayLike,
    propensities: ArrayLike,
    target: ArrayLike,
    *,
    clip: float | None = None,
    groups: ArrayLike | None = None,
) -> Estimate:
    """IPS with weights of at most ``clip``: ``V = 1/n Σ min(w_i, clip) r_i``.

    Trades variance for bias: too low wherever rewards are not negative (Swaminathan and Joachims,
    2015, "Counterfactual risk minimization").

    Args:
        rewards: see ``ips``.
        propensities: see ``ips``.
        target: see ``ips``.
        clip: above 0; √rows if not given (Ionides, 2008, "Truncated importance sampling").
        groups: see ``ips``.

    Raises:
        ConfigError: ``clip`` is out of range.
        DataError: see ``ips``.
    """
    rows = _checked(rewards=rewards, propensities=propensities, target=target)
    clip = math.sqrt(len(rows["rewards"])) if clip is None else clip
    if not clip > 0:
        raise ConfigError(f"clip is {clip!r}", "expected a number above 0")
    full = _weights(rows)
    weights = np.minimum(full, clip)
    notes = _few(weights)
    if cut := np.count_nonzero(full > clip):
        notes += (f"{cut} of {len(full)} weights were cut to {clip:.4g}",)
    return _mean(weights * rows["rewards"], weights, groups, notes)


def snips(
    rewards: ArrayLike,
    propensities: ArrayLike,
    target: ArrayLike,
    *,
    groups: ArrayLike | None = None,
) -> Estimate:
    """Self-normalised IPS: ``V = Σ w_i r_i / Σ w_i``.

    Stays within the range of the rewards and moves with a constant added to them, unlike IPS; its
    bias is of order 1/rows (Swaminathan and Joachims, 2015, "The self-normalized estimator for
    counterfactual learning"). The standard error is that of a ratio, by the delta method: that of
    the mean of ``w_i (r_i - V) / mean w``.

    Args:
        rewards: see ``ips``.
        propensities: see ``ips``.
        target: see ``ips``.
        groups: see ``ips``.

    Raises:
        DataError: see ``ips``; also if the target gives every logged item probability 0.
    """
    rows = _checked(rewards=rewards, propensities=propensities, target=target)
    weights = _weights(rows)
    if not weights.any():
        raise DataError(
            "target is 0 in every row: the log says nothing of this policy",
            "expected a policy that could have shown some of what was shown",
        )
    value = float(weights @ rows["rewards"] / weights.sum())
    parts = value + weights * (rows["rewards"] - value) / weights.mean()
    return _mean(parts, weights, groups, _weight_notes(weights, groups))


def direct_method(expected: ArrayLike, *, groups: ArrayLike | None = None) -> Estimate:
    """Direct method: ``V = 1/n Σ q̂(x_i, π)``, the mean of what a reward model expects.

    As biased as the model: the standard error is that of the contexts alone. No row is weighted,
    so that the effective sample size is the number of rows and the largest weight 1.

    Args:
        expected: q̂(x_i, π) = Σ_a π(a | x_i) q̂(x_i, a), shape (rows,).
        groups: see ``ips``.

    Raises:
        DataError: see ``ips``.
    """
    rows = _checked(expected=expected)
    note = "the standard error knows nothing of the reward model's bias"
    return _mean(rows["expected"], np.ones(len(rows["expected"])), groups, (note,))


def doubly_robust(
    rewards: ArrayLike,
    propensities: ArrayLike,
    target: ArrayLike,
    *,
    predicted: ArrayLike,
    expected: ArrayLike,
    groups: ArrayLike | None = None,
) -> Estimate:
    """Doubly robust: ``V = 1/n Σ [q̂(x_i, π) + w_i (r_i - q̂(x_i, a_i))]``.

    Unbiased if either the propensities or the reward model is right, for a model that was not
    fitted to these rows (Dudík, Langford and Li, 2011, "Doubly robust policy evaluation and
    learning"); varies less than IPS the better the model.

    Args:
        rewards: see ``ips``.
        propensities: see ``ips``.
        target: see ``ips``.
        predicted: q̂(x_i, a_i), the model's reward of the logged item, shape (rows,).
        expected: q̂(x_i, π) = Σ_a π(a | x_i) q̂(x_i, a), shape (rows,).
        groups: see ``ips``.

    Raises:
        DataError: see ``ips``.
    """
    rows = _checked(
        rewards=rewards,
        propensities=propensities,
        target=target,
        predicted=predicted,
        expected=expected,
    )
    weights = _weights(rows)
    parts = rows["expected"] + weights * (rows["rewards"] - rows["predicted"])
    return _mean(parts, weights, groups, _weight_notes(weights, groups))


def estimate_policy(
    log: InteractionLog,
    target: ArrayLike,
    *,
    reward: Reward = "clicked",
    predicted: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    clip: float | None = None,
) -> dict[str, Estimate]:
    """Every estimate that can be made of a log; rows of one user are one group.

    Args:
        log: with propensities.
        target: π(item at this rank | request), in [0, 1], one per row of ``log.table``.
        reward: ``clicked``, ``converted`` or ``revenue``.
        predicted: reward of the logged item by a model, one per row.
        expected: reward of the target by the model, one per row.
        clip: see ``clipped_ips``.

    Returns:
        By name: ``ips``, ``clipped_ips``, ``snips``; ``direct_method`` given ``expected``, and
        ``doubly_robust`` given ``predicted`` too.

    Raises:
        ConfigError: ``clip`` is out of range.
        DataError: the log lacks propensities or the reward, or see ``ips`` and ``snips``.
    """
    logged = log.reward(reward), log.propensities, target
    users = log.table["user_id"].to_numpy()
    made = {
        "ips": ips(*logged, groups=users),
        "clipped_ips": clipped_ips(*logged, clip=clip, groups=users),
        "snips": snips(*logged, groups=users),
    }
    if expected is not None:
        _checked(rewards=logged[0], expected=expected)
        made["direct_method"] = direct_method(expected, groups=users)
    if expected is not None and predicted is not None:
        made["doubly_robust"] = doubly_robust(
            *logged, predicted=predicted, expected=expected, groups=users
        )
    return made


_RANGES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "propensities": ("probabilities above 0 and up to 1", lambda p: (p > 0) & (p <= 1)),
    "target": ("probabilities from 0 to 1", lambda p: (p >= 0) & (p <= 1)),
}


def _checked(**columns: ArrayLike) -> dict[str, np.ndarray]:
    """Columns as floats of equal length, all in range."""
    made: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        wanted, in_range = _RANGES.get(name, ("finite numbers", np.isfinite))
        try:
            column = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as e:
            raise DataError(f"{name}: {e}", f"expected {wanted}, one per row") from None
        if column.ndim != 1 or not len(column):
            raise DataError(f"{name} has shape {column.shape}", f"expected {wanted}, one per row")
        bad = np.flatnonzero(~(np.isfinite(column) & in_range(column)))
        if len(bad):
            came = ", ".join(dict.fromkeys(f"{v:.6g}" for v in column[bad[:3]]))
            where = rows_text(bad.tolist())
            raise DataError(f"{name}: {came} in {where}, expected {wanted}", "rows count from 0")
        made[name] = column
    if len({len(c) for c in made.values()}) > 1:
        raise _uneven({name: len(c) for name, c in made.items()})
    return made


def _weights(rows: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(over="ignore"):
        weights: np.ndarray = rows["target"] / rows["propensities"]
    if bad := np.flatnonzero(np.isinf(weights)).tolist():
        what = f"target / propensity is infinite in {rows_text(bad)}"
        raise DataError(what, "such a propensity is as good as 0: leave these rows out")
    return weights


def _uneven(lengths: dict[str, int]) -> DataError:
    told = ", ".join(f"{n} of {name}" for name, n in lengths.items())
    return DataError(f"lengths differ: {told}", "expected one number per logged row")


def _mean(
    parts: np.ndarray, weights: np.ndarray, groups: ArrayLike | None, notes: tuple[str, ...]
) -> Estimate:
    return Estimate(
        value=float(parts.mean()),
        standard_error=_standard_error(parts, groups),
        effective_sample_size=_effective(weights),
        max_weight=float(weights.max()),
        rows=len(parts),
        notes=notes,
    )


def _standard_error(parts: np.ndarray, groups: ArrayLike | None) -> float | None:
    """``√(G/(G-1) Σ_g (Σ_{i∈g} (part_i - mean))²) / n`` over G groups; s/√n if rows are groups."""
    rests = parts - parts.mean()
    if groups is not None:
        labels = np.asarray(groups)
        if labels.shape != parts.shape:
            raise _uneven({"rows": len(parts), "groups": labels.size})
        rests = np.bincount(np.unique(labels, return_inverse=True)[1], rests)
    if len(rests) < 2:
        return None
    return math.sqrt(len(rests) / (len(rests) - 1) * float(rests @ rests)) / len(parts)


def _effective(weights: np.ndarray) -> float:
    top = float(weights.max())
    scaled = weights / top if top > 0 else weights  # squares of tiny weights would vanish
    return float(scaled.sum() ** 2 / (scaled @ scaled)) if top > 0 else 0.0


def _few(weights: np.ndarray) -> tuple[str, ...]:
    size, rows = _effective(weights), len(weights)
    if size >= FEW * rows:
        return ()
    share = f"{size:.3g} of {rows} rows ({size / rows:.1%})"
    return (f"the effective sample size is only {share}: a few rows decide",)


def _weight_notes(weights: np.ndarray, groups: ArrayLike | None) -> tuple[str, ...]:
    """Notes on few effective rows, and on weights with a mean far from 1 (wrong or no support)."""
    mean, error = float(weights.mean()), _standard_error(weights, groups)
    if error is None or abs(mean - 1) <= 3 * error + 1e-9:
        return _few(weights)
    return (
        *_few(weights),
        f"the weights average {mean:.3g}, not 1: propensities or target are wrong, or the target "
        "shows items that the log never does",
    )
