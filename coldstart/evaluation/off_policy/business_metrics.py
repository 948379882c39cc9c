"""What a logged recommender earned, and what another one would have: CTR to ROI, and replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError, ConfigError, DataError
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog, LoggedRequest, Reward

DRAWS = 1000
FEW = 0.05

Policy = Callable[[LoggedRequest], Sequence[str]]
"""A request → item ids, best first; for example
``lambda r: recommender.recommend(people[r.user_id]).item_ids``."""


@dataclass(frozen=True)
class Measured:
    """A figure and its 95 % interval, from ``DRAWS`` bootstrap draws of whole users.

    A user's rows depend on each other, so users are drawn with replacement, and not rows (the
    cluster bootstrap of Field and Welsh, 2007); the bounds are the 2.5th and 97.5th percentile.

    Args:
        value: the figure on the log as it is.
        low: lower bound; ``None`` with a single user, which has no spread.
        high: upper bound, likewise.
        users: number of users that it rests on.
    """

    value: float
    low: float | None
    high: float | None
    users: int

    def shifted(self, by: float, scale: float = 1.0) -> Measured:
        """``scale · (x + by)`` of the value and the bounds, for ``scale`` > 0."""
        low, high = (None if x is None else scale * (x + by) for x in (self.low, self.high))
        return Measured(scale * (self.value + by), low, high, self.users)


@dataclass(frozen=True)
class Roi:
    """What is left of the revenue.

    Args:
        profit: ``revenue per recommendation - cost``, in the currency of the values.
        ratio: ``profit / cost``, from -1 if nothing is sold; ``None`` if the cost is 0.
    """

    profit: Measured
    ratio: Measured | None


@dataclass(frozen=True)
class BusinessReport:
    """Business metrics of the first ``k`` ranks of a log; ``None`` where it lacks a column.

    Args:
        k: rows with a rank up to here were counted.
        recommendations: number of these rows.
        users: number of users.
        ctr: see ``ctr``.
        conversion: see ``conversion``.
        revenue: see ``revenue``.
        roi: see ``roi``; ``None`` also if no cost was given.
        coverage: see ``coverage``; ``None`` also if no catalog was given.
    """

    k: int
    recommendations: int
    users: int
    ctr: Measured
    conversion: Measured | None = None
    revenue: Measured | None = None
    roi: Roi | None = None
    coverage: Measured | None = None


@dataclass(frozen=True)
class Replay:
    """Another policy on the log: the rows that it would have shown as well.

    Args:
        matched: number of rows that were kept.
        rows: number of rows with a rank up to ``k``.
        report: of the kept rows; ``None`` if there are none.
        notes: what to know before believing it.
    """

    matched: int
    rows: int
    report: BusinessReport | None
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """``matched / rows``, in [0, 1]."""
        return self.matched / self.rows


def ctr(log: InteractionLog, k: int = 10, *, seed: int = 0) -> Measured:
    """Click-through rate at ``k``, in [0, 1].

    ``Σ clicked / number of rows``, both over the rows with rank ≤ ``k``: a ratio of sums, so that
    users with more impressions weigh more.

    Raises:
        DataError: no row has such a rank.
    """
    return _per_row(log, "clicked", k, seed)


def conversion(log: InteractionLog, k: int = 10, *, seed: int = 0) -> Measured:
    """Conversion rate at ``k``, in [0, 1].

    ``Σ converted / number of rows``, both over the rows with rank ≤ ``k``: per recommendation,
    not per click.

    Raises:
        DataError: no row has such a rank, or conversions were not logged.
    """
    return _per_row(log, "converted", k, seed)


def revenue(log: InteractionLog, k: int = 10, *, seed: int = 0) -> Measured:
    """Revenue per recommendation at ``k``, in the currency of the values.

    ``Σ converted · value / number of rows``, both over the rows with rank ≤ ``k``.

    Raises:
        DataError: no row has such a rank, or conversions or values are unknown.
    """
    return _per_row(log, "revenue", k, seed)


def roi(log: InteractionLog, cost: float, k: int = 10, *, seed: int = 0) -> Roi:
    """Return on investment at ``k``: ``revenue - cost``, and that divided by ``cost``.

    Args:
        log: with conversions and values.
        cost: of showing one recommendation, at least 0, in the currency of the values.
        k: rows with a rank up to here count.
        seed: of the bootstrap.

    Raises:
        ConfigError: ``cost`` is no such number.
        DataError: as for ``revenue``.
    """
    if not (math.isfinite(cost) and cost >= 0):
        raise ConfigError(f"cost is {cost!r}", "expected a finite number from 0 up")
    profit = revenue(log, k, seed=seed).shifted(-cost)
    return Roi(profit, profit.shifted(0.0, 1 / cost) if cost else None)


def coverage(log: InteractionLog, catalog: Catalog, k: int = 10, *, seed: int = 0) -> Measured:
    """Share of the catalog's items that the log shows at rank ≤ ``k``, in [0, 1].

    ``|shown items ∩ catalog| / |catalog|``. It grows with the number of users, so compare only
    logs of like size. A bootstrap draw repeats users and so covers less than the log: the interval
    is that of the draws, moved so that its middle is the value, and cut at 0 and 1. Where most
    items were shown to one or two users only it is too narrow: simulated with 40 users and 40
    items, it holds the expected coverage 84 (one item per list) to 92 (up to three) times in 100
    instead of 95.

    Raises:
        CatalogError: the catalog is empty.
        DataError: no row has such a rank.
    """
    if not len(catalog):
        raise CatalogError("the catalog is empty", "expected the items that could have been shown")
    table = log.table.filter(_shown(log, k))
    users, items = codes(table["user_id"]), codes(table["item_id"])
    known = table["item_id"].is_in(list(catalog.ids)).to_numpy()

    def covered(times: np.ndarray) -> float:
        seen = items[(times[users] > 0) & known]
        return np.count_nonzero(np.bincount(seen)) / len(catalog) if len(seen) else 0.0

    drawn = _bootstrap(covered, int(users.max()) + 1, seed)
    if drawn.low is None or drawn.high is None:
        return drawn
    half = (drawn.high - drawn.low) / 2
    return Measured(
        drawn.value, max(0.0, drawn.value - half), min(1.0, drawn.value + half), drawn.users
    )


def business_report(
    log: InteractionLog,
    k: int = 10,
    *,
    catalog: Catalog | None = None,
    cost: float | None = None,
    seed: int = 0,
) -> BusinessReport:
    """Every figure that the log, the catalog and the cost allow.

    Raises:
        CatalogError: the catalog is empty.
        ConfigError: ``k`` or ``cost`` is out of range.
        DataError: no row has a rank up to ``k``.
    """
    known, rate = log.rewards, ctr(log, k, seed=seed)
    sold = "revenue" in known
    return BusinessReport(
        k=k,
        recommendations=int(_shown(log, k).sum()),
        users=rate.users,
        ctr=rate,
        conversion=conversion(log, k, seed=seed) if "converted" in known else None,
        revenue=revenue(log, k, seed=seed) if sold else None,
        roi=roi(log, cost, k, seed=seed) if sold and cost is not None else None,
        coverage=coverage(log, catalog, k, seed=seed) if catalog is not None else None,
    )


def replay(
    log: InteractionLog,
    policy: Policy,
    k: int = 10,
    *,
    same_rank: bool = False,
    cost: float | None = None,
    seed: int = 0,
) -> Replay:
    """Replay estimate of another policy, from the logged rows that it would show as well.

    Of the rows with rank ≤ ``k``, those are kept with an item among the first ``k`` of the
    policy's list for their request; figures are those of the kept rows. For one item per request
    drawn uniformly at random by the logging policy this is unbiased (Li, Chu, Langford and Wang,
    2011, "Unbiased offline evaluation of contextual-bandit-based news article recommendation
    algorithms"); any other log favours policies that resemble its own: see
    ``coldstart.evaluation.off_policy.estimators``.

    Args:
        log: what was shown; the policy sees its requests, never what came of them.
        policy: request → item ids, best first.
        k: length of the lists.
        same_rank: keep a row only if the policy has its item at the logged rank: fewer rows, but
            no advantage from items that were shown further up than the policy would.
        cost: of one recommendation, for ``roi``.
        seed: of the bootstrap.

    Raises:
        ConfigError: ``k`` or ``cost`` is out of range.
        DataError: no row has a rank up to ``k``, or the policy gives no list of item ids.
    """
    shown = _shown(log, k)
    places = {(r.user_id, r.request_id): _places(policy, r, k) for r in log.requests}
    rows = log.table.select("user_id", "request_id", "item_id", "rank").iter_rows()
    ours = [(places[user, request].get(item), rank) for user, request, item, rank in rows]
    kept = [at == rank if same_rank else at is not None for at, rank in ours]
    matched = log.table.filter(shown & pl.Series(kept, dtype=pl.Boolean))
    report = (
        business_report(InteractionLog(matched), k, cost=cost, seed=seed) if len(matched) else None
    )
    return Replay(len(matched), int(shown.sum()), report, _notes(log, len(matched), shown))


def _places(policy: Policy, request: LoggedRequest, k: int) -> dict[str, int]:
    """Rank of each of the policy's first ``k`` items."""
    ranked: object = policy(request)
    if not isinstance(ranked, list | tuple) or not all(isinstance(i, str) for i in ranked):
        raise DataError(
            f"the policy gave {repr(ranked)[:100]} for request {request.request_id!r}",
            "expected a list of item ids, each a text",
        )
    return {item: rank for rank, item in reversed(list(enumerate(ranked[:k], start=1)))}


def _notes(log: InteractionLog, matched: int, shown: pl.Series) -> tuple[str, ...]:
    notes, rows = [], int(shown.sum())
    if matched < FEW * rows:
        notes.append(f"only {matched} of {rows} rows match: the figures rest on little")
    if "propensity" in log.table.columns:
        drawn = log.propensities[shown.to_numpy()]
        low, high = drawn.min(), drawn.max()
        if not np.isclose(low, high):
            notes.append(
                f"the log's propensities go from {low:.3g} to {high:.3g}: replay is unbiased only "
                "if items were drawn uniformly; use coldstart.evaluation.off_policy.estimators"
            )
    return tuple(notes)


def _shown(log: InteractionLog, k: int) -> pl.Series:
    """Which rows have a rank up to ``k``; at least one does."""
    if k < 1:
        raise ConfigError(f"k is {k!r}", "expected a whole number from 1 up")
    shown = log.table["rank"] <= k
    if not shown.any():
        raise DataError(f"no row of the log has a rank up to {k}", "ranks count from 1")
    return shown


def _per_row(log: InteractionLog, reward: Reward, k: int, seed: int) -> Measured:
    shown = _shown(log, k)
    users = codes(log.table["user_id"].filter(shown))
    gains = np.bincount(users, log.reward(reward)[shown.to_numpy()])
    rows = np.bincount(users)
    return _bootstrap(lambda times: float(times @ gains / (times @ rows)), len(rows), seed)


def codes(ids: pl.Series) -> np.ndarray:
    """Number of each id, from 0, in the order of the sorted ids."""
    return ids.rank("dense").to_numpy().astype(np.int64) - 1


def _bootstrap(figure: Callable[[np.ndarray], float], users: int, seed: int) -> Measured:
    """Interval of a figure that is a function of how often each user counts, shape (users,)."""
    value = figure(np.ones(users))
    if users < 2:
        return Measured(value, None, None, users)
    rng = np.random.default_rng(seed)
    draws = [
        figure(np.bincount(rng.integers(users, size=users), minlength=users)) for _ in range(DRAWS)
    ]
    low, high = np.percentile(draws, [2.5, 97.5]).tolist()
    return Measured(value, low, high, users)
