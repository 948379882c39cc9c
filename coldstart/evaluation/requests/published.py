"""Systems beside published results on the same turns (He et al., CIKM 2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.data.requests.he2023 import PublishedTurn
from coldstart.data.requests.recorded import RequestLog
from coldstart.errors import DataError
from coldstart.evaluation.requests.ranks import Entrant, TargetRanks, rank_targets
from coldstart.evaluation.requests.summary import by_dialogue, case_values
from coldstart.metrics.significance import Difference, bootstrap_interval, holm, paired_bootstrap

METRICS = ("recall@1", "recall@10", "ndcg@10")


@dataclass(frozen=True)
class TurnMean:
    """One metric of one system or published model over the targets of all turns.

    Args:
        system: its name.
        metric: one of ``METRICS``.
        value: mean over targets.
        low: lower end of the 95 % interval.
        high: upper end.
        published: whether the values are published ones.
    """

    system: str
    metric: str
    value: float
    low: float
    high: float
    published: bool


@dataclass(frozen=True)
class TurnPaired:
    """One system less a published model, turn by turn.

    Args:
        system: its name.
        model: the published one.
        metric: one of ``METRICS``.
        difference: mean over targets, 95 % interval over dialogues, and p-value.
        adjusted: p-value adjusted (Holm) for all systems, at this model and metric.
    """

    system: str
    model: str
    metric: str
    difference: Difference
    adjusted: float


@dataclass(frozen=True)
class PublishedComparison:
    """Figures of all systems and published models.

    Args:
        means: published models first.
        paired: of each system with each model.
        turns: number of turns.
        targets: number of targets.
    """

    means: tuple[TurnMean, ...]
    paired: tuple[TurnPaired, ...]
    turns: int
    targets: int


def compare_published(
    log: RequestLog,
    turns: Sequence[PublishedTurn],
    entrants: Sequence[Entrant],
    *,
    seed: int = 0,
    report: Callable[[str, int, int], None] | None = None,
) -> PublishedComparison:
    """Rank the targets of the published turns and compare turn by turn.

    Published values of a turn come in no certain order of targets, so that a turn's values are
    summed before they are compared. Intervals resample dialogues; see ``summary``.

    Args:
        log: what systems are fitted on.
        turns: see ``load_published_turns``.
        entrants: the systems.
        seed: see ``rank_targets``.
        report: likewise.

    Raises:
        DataError: no turn, or one whose targets are mentioned before.
    """
    if not turns:
        raise DataError("no published turn", hint="is the table of cases empty?")
    requests = [turn.request for turn in turns]
    if any(len(r.targets) != len(r.chosen) for r in requests):
        raise DataError("a published turn has a target that was mentioned", hint="drop such turns")
    ranks = rank_targets(log, requests, entrants, seed=seed, report=report)
    sizes = np.array([len(request.targets) for request in requests], dtype=float)
    dialogues = [request.dialogue for request in requests]
    ours = {e.label: _by_turn(ranks[e.label], len(turns)) for e in entrants}
    models = list(turns[0].hits)
    theirs = {
        model: {
            metric: np.array([turn.hits[model][metric] for turn in turns])
            for metric in turns[0].hits[model]
        }
        for model in models
    }
    means, linear = [], {}
    for name, sums in (theirs | ours).items():
        for metric, values in sums.items():
            spread = _linear(values, sizes, dialogues)
            low, high = bootstrap_interval(spread.values(), seed)
            value = float(values.sum() / sizes.sum())
            means.append(TurnMean(name, metric, value, low, high, name in theirs))
            linear[name, metric] = spread
    paired = tuple(
        pair
        for model in models
        for metric in theirs[model]
        for pair in _paired(linear, list(ours), model, metric, seed)
    )
    return PublishedComparison(tuple(means), paired, len(turns), int(sizes.sum()))


def _by_turn(ranks: TargetRanks, turns: int) -> dict[str, np.ndarray]:
    return {
        metric: np.bincount(ranks.request, weights=case_values(ranks.rank, metric), minlength=turns)
        for metric in METRICS
    }


def _linear(sums: np.ndarray, sizes: np.ndarray, dialogues: Sequence[str]) -> dict[str, float]:
    """As ``by_dialogue``, from the sums of turns: a turn's mean stands for each of its targets."""
    times = sizes.astype(int)
    each = np.repeat(sums / sizes, times)
    return by_dialogue(each, np.repeat(np.array(dialogues, dtype=object), times).tolist())


def _paired(
    linear: Mapping[tuple[str, str], Mapping[str, float]],
    systems: Sequence[str],
    model: str,
    metric: str,
    seed: int,
) -> list[TurnPaired]:
    against = linear[model, metric]
    if len(against) < 2:
        return []
    found = [paired_bootstrap(linear[s, metric], against, seed) for s in systems]
    adjusted = holm([d.p_value for d in found])
    return [
        TurnPaired(s, model, metric, d, p) for s, d, p in zip(systems, found, adjusted, strict=True)
    ]
