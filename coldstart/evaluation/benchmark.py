"""Systems asked about the same cold users, fold by fold; what is done is kept and not done again.

The parts are made elsewhere: folds by ``scenarios``, cases by ``support`` and ``regimes``, systems
by ``systems``. Here they meet, and every answer becomes one ``Record`` (``judge``).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.case_metrics import Judge
from coldstart.evaluation.cases import Order, SupportCase, support_cases
from coldstart.evaluation.harness import MIN_TARGETS, SHOTS
from coldstart.evaluation.profile_regimes import REGIMES, told
from coldstart.evaluation.result_cache import Record, ResultCache, data_fingerprint
from coldstart.evaluation.scenarios import Fold, Kind, Scenario, new_users
from coldstart.protocols import Encoder, Recommends
from coldstart.runtime.code_fingerprint import outside_source, source_digest
from coldstart.splitting.user_splits import Split

Factory = Callable[[TrainingData, Split, Dataset], Recommends]
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class System:
    """Something to be measured, made anew for each fold.

    Args:
        name: in tables; no two systems of a trial share one.
        make: (training users, the fold's users, what it may look at) → a trained recommender of
            the training users' catalog. That may have items which the last argument lacks: they
            came later. It may choose settings on the fold's validation users and must not look
            at the test users.
        description: one line for a legend.
        settings: plain data; whatever changes the lists belongs here, since kept results are found
            by it.
        requires: library that has to be installed, or ``None``.
        code: modules of this package that ``make`` is from; kept results count only as long as
            neither they nor what they import has changed, nor a file elsewhere that it is from.
        ours: whether it is what the benchmark is about, rather than what it is held against.
    """

    name: str
    make: Factory
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    requires: str | None = None
    ours: bool = False
    code: tuple[str, ...] = ("coldstart.evaluation.systems",)

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the code that makes its answers and judges them."""
        ours = source_digest(__name__, *self.code).encode()
        return hashlib.sha256(ours + outside_source(self.make)).hexdigest()


@dataclass(frozen=True)
class TrialPlan:
    """What every system is asked; see ``support_cases`` and ``REGIMES``.

    Args:
        shots: numbers of picks; only the regime ``picks`` has more than 0.
        support: likes of each user reserved for what they say.
        order: which likes those are.
        regime: what the users say.
        min_targets: users with fewer targets are dropped.
        seed: of a random order and of simulated text.

    Raises:
        ConfigError: an unknown regime, or no number of picks.
    """

    shots: tuple[int, ...] = SHOTS
    support: int = 10
    order: Order = "first"
    regime: str = "picks"
    min_targets: int = MIN_TARGETS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            raise ConfigError(f"no regime {self.regime!r}", hint=f"one of {', '.join(REGIMES)}")
        if not self.shots:
            raise ConfigError("no number of picks", hint="give one or more, such as 0,1,3")


@dataclass(frozen=True)
class Trial:
    """All answers, and what they are answers to.

    Args:
        plan: what was asked.
        systems: in the order of the tables.
        folds: numbers of the folds that were run.
        records: every answer.
        fit_seconds: time to make a system, by (system, fold).
        dropped: number of users by fold who were too short for a case.
        shares: by fold, the share of training users who like each item that may be shown.
        data: fingerprint of the data.
        splits: fingerprint of all folds, run or not.
        kind: what the folds are about.
    """

    plan: TrialPlan
    systems: tuple[System, ...]
    folds: tuple[int, ...]
    records: tuple[Record, ...]
    fit_seconds: Mapping[tuple[str, int], float]
    dropped: Mapping[int, int]
    shares: Mapping[int, Mapping[str, float]]
    data: str
    splits: str
    kind: Kind = field(default_factory=Kind)


def run_trial(
    data: Dataset,
    splits: Sequence[Split] | Scenario,
    systems: Sequence[System],
    plan: TrialPlan | None = None,
    *,
    only: Sequence[int] | None = None,
    work: Path | None = None,
    encoder: Encoder | None = None,
    note: Callable[[str], None] | None = None,
    report: Report | None = None,
) -> Trial:
    """Ask every system about the test users of every fold.

    Args:
        data: everything; systems are given a fold's training users only, and its validation users.
        splits: the folds of users (``user_folds``), or of ``scenarios``.
        systems: with distinct names.
        plan: what they are asked; the default is ``TrialPlan()``.
        only: numbers of the folds to run; ``None`` for all.
        work: folder in which the answers of one system on one fold are kept as soon as they are
            complete, and looked up before any work; ``None`` keeps nothing.
        encoder: of texts, for systems that need one; ``None``: the packaged one.
        note: called with a line about a damaged or outdated file, whose work is done again.
        report: called with (what, cases done, cases).

    Raises:
        ConfigError: no such fold, no system, or two of one name.
        DataError: no user of a fold is long enough for a case.
    """
    plan = plan or TrialPlan()
    scenario = splits if isinstance(splits, Scenario) else new_users(data, splits)
    count = len(scenario.folds)
    folds = tuple(dict.fromkeys(range(count) if only is None else only))
    if wrong := [f for f in folds if not 0 <= f < count]:
        there = f"folds are 0 to {count - 1}" if count > 1 else "there is one fold, number 0"
        raise ConfigError(f"no fold {wrong[0]}", hint=there)
    names = [s.name for s in systems]
    if not names or not folds or len(set(names)) < len(names):
        raise ConfigError(
            f"{len(folds)} folds and the systems {', '.join(names) or 'none'}",
            hint="one fold or more, and one system or more, each with a name of its own",
        )
    fingerprint, metrics = scenario.fingerprint, scenario.kind.metrics
    kept = ResultCache(work, data, fingerprint, plan, metrics, encoder, note)
    records: list[Record] = []
    seconds: dict[tuple[str, int], float] = {}
    dropped: dict[int, int] = {}
    shares: dict[int, dict[str, float]] = {}
    for fold in folds:
        here = scenario.folds[fold]
        shown = replace(here.train, catalog=here.candidates)
        training = TrainingData.of(shown, here.split.train, encoder=encoder)
        cases, dropped[fold] = _cases(data, here, plan, fold)
        likes = dict(zip(here.candidates.ids, training.matrix.sum(axis=0).tolist(), strict=True))
        shares[fold] = {i: n / max(1, len(training.users)) for i, n in likes.items()}
        judge = Judge(likes, here.targets)
        for system in systems:
            what, code = f"fold {fold}: {system.name}", system.fingerprint()
            found = kept.find(
                system.name, system.settings, fold, [(c.user, c.shots) for c in cases], code
            )
            if found is None:
                if report:
                    report(what, 0, len(cases))
                start = time.perf_counter()
                made = system.make(training, here.split, here.train)
                fit = round(time.perf_counter() - start, 3)
                answers = []
                for done, case in enumerate(cases, start=1):
                    answers.append(judge.ask(system.name, fold, made, case))
                    if report:
                        report(what, done, len(cases))
                kept.put(system.name, system.settings, fold, answers, fit, code)
            else:
                answers, fit = found
                if report:
                    report(what, len(cases), len(cases))
            records += answers
            seconds[system.name, fold] = fit
    return Trial(
        plan,
        tuple(systems),
        folds,
        tuple(records),
        seconds,
        dropped,
        shares,
        data_fingerprint(data),
        fingerprint,
        scenario.kind,
    )


def _cases(data: Dataset, here: Fold, plan: TrialPlan, fold: int) -> tuple[list[SupportCase], int]:
    found = support_cases(
        data,
        here.split.test,
        plan.shots,
        support=plan.support,
        order=plan.order,
        seed=plan.seed,
        min_targets=plan.min_targets,
        targets=here.targets,
        candidates=here.candidates.ids,
    )
    if not found.cases:
        what = "" if here.targets is None else ", the latter among cold items"
        raise DataError(
            f"none of the {found.dropped} test users of fold {fold} has "
            f"{plan.support} + {plan.min_targets} likes{what}",
            hint="lower --support or --min-targets",
        )
    return told(data, found.cases, REGIMES[plan.regime], plan.seed), found.dropped
