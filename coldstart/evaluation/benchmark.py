"""Benchmark engine: every system on the same cold users, fold by fold, with cached results.

Folds come from ``scenarios``, cases from ``cases`` and ``profile_regimes``, systems from
``baselines``; ``case_metrics`` turns each list into a ``Record``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.system import System as System
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.case_metrics import CaseEvaluator, Record
from coldstart.evaluation.cases import MIN_TARGETS, N_PICKS, ColdCase, Order, support_cases
from coldstart.evaluation.profile_regimes import REGIMES, restricted
from coldstart.evaluation.result_cache import ResultCache
from coldstart.evaluation.scenarios import Fold, Kind, Scenario, new_users
from coldstart.protocols import Encoder, Recommends
from coldstart.splitting.user_splits import Split

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BenchmarkPlan:
    """What every system is tested on; see ``support_cases`` and ``REGIMES``.

    Args:
        n_picks: numbers of picks; only the regime ``picks`` has more than 0.
        support: likes of each user reserved for the profile.
        order: which likes those are.
        regime: what profiles contain.
        min_targets: users with fewer targets are dropped.
        seed: of a random order and of simulated text.
        fixed_targets: refuse more picks than support items.

    Raises:
        ConfigError: an unknown regime, or no number of picks.
    """

    n_picks: tuple[int, ...] = N_PICKS
    support: int = 10
    order: Order = "first"
    regime: str = "picks"
    min_targets: int = MIN_TARGETS
    seed: int = 0
    fixed_targets: bool = True

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            raise ConfigError(f"no regime {self.regime!r}", hint=f"one of {', '.join(REGIMES)}")
        if not self.n_picks:
            raise ConfigError("no number of picks", hint="give one or more, such as 0,1,3")

    def key(self) -> dict[str, Any]:
        """Plain data that identifies cached results."""
        out = asdict(self)
        out["shots"] = out.pop("n_picks")
        if out.pop("fixed_targets"):
            return out
        return out | {"fixed_targets": False}


@dataclass(frozen=True)
class BenchmarkRun:
    """All records, and what produced them.

    Args:
        plan: the test.
        systems: in the order of the tables.
        folds: numbers of the folds that were run.
        records: every result.
        fit_seconds: training time, by (system, fold).
        dropped: number of users by fold with too few likes for a case.
        shares: by fold, share of training users that like each candidate.
        data: fingerprint of the data.
        splits: fingerprint of all folds, run or not.
        kind: description of the scenario.
    """

    plan: BenchmarkPlan
    systems: tuple[System, ...]
    folds: tuple[int, ...]
    records: tuple[Record, ...]
    fit_seconds: Mapping[tuple[str, int], float]
    dropped: Mapping[int, int]
    shares: Mapping[int, Mapping[str, float]]
    data: str
    splits: str
    kind: Kind = field(default_factory=Kind)


@dataclass(frozen=True)
class FoldTask:
    """One fold, ready to train and test systems on.

    Args:
        number: of the fold.
        fold: its users, data and candidates.
        training: what baselines are trained on.
        cases: of the test users.
        dropped: number of test users without a case.
        evaluator: computes the metrics.
        likes: number of training users that like each candidate.
    """

    number: int
    fold: Fold
    training: TrainingData
    cases: tuple[ColdCase, ...]
    dropped: int
    evaluator: CaseEvaluator
    likes: Mapping[str, float]

    @classmethod
    def prepare(
        cls,
        data: Dataset,
        scenario: Scenario,
        number: int,
        plan: BenchmarkPlan,
        encoder: Encoder | None = None,
    ) -> FoldTask:
        """Make the training data and the cases of a fold.

        Raises:
            DataError: no user of the fold has enough likes for a case.
        """
        fold = scenario.folds[number]
        candidates = replace(fold.train, catalog=fold.candidates)
        training = TrainingData.of(candidates, fold.split.train, encoder=encoder)
        cases, dropped = _cases(data, fold, plan, number)
        counted = training.matrix.sum(axis=0).tolist()
        likes = dict(zip(fold.candidates.ids, counted, strict=True))
        evaluator = CaseEvaluator(likes, fold.targets, scenario.kind.metrics)
        return cls(number, fold, training, cases, dropped, evaluator, likes)

    def fit(self, system: System) -> Recommends:
        """Train a system on the fold."""
        return system.make(self.training, self.fold.split, self.fold.train)

    def test(
        self,
        name: str,
        made: Recommends,
        cases: Sequence[ColdCase] | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> list[Record]:
        """Evaluate a trained system.

        Args:
            name: of the system.
            made: from ``fit``.
            cases: instead of those of the fold.
            report: called with (done, total) after each case.
        """
        cases = self.cases if cases is None else cases
        out = []
        for done, case in enumerate(cases, start=1):
            out.append(self.evaluator.evaluate(name, self.number, made, case))
            if report:
                report(done, len(cases))
        return out


def run_benchmark(
    data: Dataset,
    splits: Sequence[Split] | Scenario,
    systems: Sequence[System],
    plan: BenchmarkPlan | None = None,
    *,
    only: Sequence[int] | None = None,
    work: Path | None = None,
    encoder: Encoder | None = None,
    note: Callable[[str], None] | None = None,
    report: Report | None = None,
) -> BenchmarkRun:
    """Train every system on every fold and evaluate it on the fold's test users.

    Args:
        data: everything; systems are given a fold's training users only, and its validation users.
        splits: the folds of users (``user_folds``), or of ``scenarios``.
        systems: with distinct names.
        plan: the test; the default is ``BenchmarkPlan()``.
        only: numbers of the folds to run; ``None`` for all.
        work: folder in which the results of one system on one fold are cached as soon as they are
            complete; ``None`` caches nothing.
        encoder: of texts, for systems that need one; ``None``: the packaged one.
        note: called with a line about a damaged or outdated file, which is computed again.
        report: called with (what, cases done, cases).

    Raises:
        ConfigError: no such fold, no system, or two of one name.
        DataError: no user of a fold has enough likes for a case.
    """
    plan = plan or BenchmarkPlan()
    scenario = splits if isinstance(splits, Scenario) else new_users(data, splits)
    folds = _chosen(scenario, only)
    names = [s.name for s in systems]
    if not names or not folds or len(set(names)) < len(names):
        raise ConfigError(
            f"{len(folds)} folds and the systems {', '.join(names) or 'none'}",
            hint="one fold or more, and one system or more, each with a name of its own",
        )
    fingerprint = scenario.fingerprint
    cache = ResultCache(work, data, fingerprint, plan.key(), scenario.kind.metrics, encoder, note)
    records: list[Record] = []
    seconds: dict[tuple[str, int], float] = {}
    dropped: dict[int, int] = {}
    shares: dict[int, dict[str, float]] = {}
    for number in folds:
        task = FoldTask.prepare(data, scenario, number, plan, encoder)
        dropped[number] = task.dropped
        users = max(1, len(task.training.users))
        shares[number] = {i: n / users for i, n in task.likes.items()}
        for system in systems:
            found, fit = _results(task, system, cache, report)
            records += found
            seconds[system.name, number] = fit
    return BenchmarkRun(
        plan,
        tuple(systems),
        folds,
        tuple(records),
        seconds,
        dropped,
        shares,
        data.fingerprint_with_dislikes,
        fingerprint,
        scenario.kind,
    )


def _chosen(scenario: Scenario, only: Sequence[int] | None) -> tuple[int, ...]:
    count = len(scenario.folds)
    folds = tuple(dict.fromkeys(range(count) if only is None else only))
    if wrong := [f for f in folds if not 0 <= f < count]:
        there = f"folds are 0 to {count - 1}" if count > 1 else "there is one fold, number 0"
        raise ConfigError(f"no fold {wrong[0]}", hint=there)
    return folds


def _results(
    task: FoldTask, system: System, cache: ResultCache, report: Report | None
) -> tuple[list[Record], float]:
    """Records of a system on a fold, from the cache if possible, and its training time."""
    what, code = f"fold {task.number}: {system.name}", system.fingerprint()
    wanted = [(c.user, c.n_picks) for c in task.cases]
    cached = cache.find(system.name, system.settings, task.number, wanted, code)
    if cached is not None:
        if report:
            report(what, len(wanted), len(wanted))
        return cached
    if report:
        report(what, 0, len(wanted))
    start = time.perf_counter()
    made = task.fit(system)
    fit = round(time.perf_counter() - start, 3)
    telling = None if report is None else lambda done, total: report(what, done, total)
    records = task.test(system.name, made, report=telling)
    cache.put(system.name, system.settings, task.number, records, fit, code)
    return records, fit


def _cases(
    data: Dataset, fold: Fold, plan: BenchmarkPlan, number: int
) -> tuple[tuple[ColdCase, ...], int]:
    found = support_cases(
        data,
        fold.split.test,
        plan.n_picks,
        support=plan.support,
        order=plan.order,
        seed=plan.seed,
        min_targets=plan.min_targets,
        targets=fold.targets,
        candidates=fold.candidates.ids,
        fixed_targets=plan.fixed_targets,
    )
    if not found.cases:
        what = "" if fold.targets is None else ", the latter among cold items"
        raise DataError(
            f"none of the {found.dropped} test users of fold {number} has "
            f"{plan.support} + {plan.min_targets} likes{what}",
            hint="lower --support or --min-targets",
        )
    return tuple(restricted(data, found.cases, REGIMES[plan.regime], plan.seed)), found.dropped
