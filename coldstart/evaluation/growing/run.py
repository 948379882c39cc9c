"""Replay from zero: every system is made of the first likes of a stream, and asked by new users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.system import System
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.cases import MIN_TARGETS, cut, support_cases
from coldstart.evaluation.growing.stream import Arrival, like_stream, observed
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.protocols import Encoder
from coldstart.splitting.user_splits import Split

K = 10
"""Length of the lists."""
EVENTS = (0, 10, 100, 1000, 10_000)
"""Numbers of observed likes at which systems are made."""
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GrowthPlan:
    """What is measured, and when.

    Args:
        events: numbers of observed likes, rising from 0 up.
        whole: whether to measure with the whole stream as well.
        n_picks: numbers of picks of the users who ask.
        support: likes of each of them reserved for picks; no targets.
        min_targets: users with fewer targets are left out.
        arrival: order of the stream.
        seed: of mixed arrivals and of a shuffled catalog.
        most: users who ask, drawn by the seed; ``None``: all that can.
        shuffled: whether the catalog is in random order, so that its order, which often is one of
            popularity, helps no system between equals.

    Raises:
        ConfigError: an option out of range.
    """

    events: tuple[int, ...] = EVENTS
    whole: bool = True
    n_picks: tuple[int, ...] = (0, 1, 3, 10)
    support: int = 10
    min_targets: int = MIN_TARGETS
    arrival: Arrival = "time"
    seed: int = 0
    most: int | None = None
    shuffled: bool = True

    def __post_init__(self) -> None:
        rising = sorted(set(self.events)) == list(self.events)
        if not self.events or not rising or self.events[0] < 0:
            raise ConfigError(
                f"numbers of observed likes are {self.events}",
                hint="rising numbers from 0, such as 0,10,100",
            )

    def steps(self, total: int) -> tuple[int, ...]:
        """Numbers of observed likes for a stream of so many.

        >>> GrowthPlan(events=(0, 100)).steps(50), GrowthPlan(events=(0, 100)).steps(200)
        ((0, 50), (0, 100, 200))
        """
        known = [n for n in self.events if n <= total]
        return tuple(dict.fromkeys([*known, total])) if self.whole else tuple(known)


@dataclass(frozen=True)
class GrownList:
    """NDCG@10 of one list.

    Args:
        system: its name.
        events: number of likes that were observed before.
        user: id of the user.
        n_picks: number of picks.
        ndcg: in [0, 1]; likes reserved for picks are neither shown nor missed.
        top: the first ten recommended ids, best first.
    """

    system: str
    events: int
    user: str
    n_picks: int
    ndcg: float
    top: tuple[str, ...]


@dataclass(frozen=True)
class GrowthRun:
    """All lists of a replay from zero.

    Args:
        lists: in the order of events, systems, users and picks.
        systems: their names, in the order given.
        steps: numbers of observed likes.
        visitors: users with a like, by number of observed likes.
        users: number of users who ask.
        dropped: number of test users with too few likes to ask.
    """

    lists: tuple[GrownList, ...]
    systems: tuple[str, ...]
    steps: tuple[int, ...]
    visitors: tuple[int, ...]
    users: int
    dropped: int


def run_growth(
    data: Dataset,
    split: Split,
    systems: Sequence[System],
    plan: GrowthPlan | None = None,
    *,
    encoder: Encoder | None = None,
    report: Report | None = None,
) -> GrowthRun:
    """Measure systems on the test users of a split, after rising numbers of observed likes.

    Args:
        data: everything.
        split: the stream is of its training and validation users; its test users ask. They never
            come into the stream, so that the lists of all steps are for the same users and targets.
        systems: with distinct names; each is made again at every step, from the likes until then. A
            recommender with a true attribute ``ignores_likes`` is asked at the first step only.
        plan: the default is ``GrowthPlan()``.
        encoder: of texts, for systems that need one; ``None``: the packaged one.
        report: called with (what, lists done, lists).

    Raises:
        ConfigError: no system, or two of one name.
        DataError: no user has enough likes to ask.
    """
    plan = plan or GrowthPlan()
    names = tuple(s.name for s in systems)
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"the systems {', '.join(names) or 'none'}", hint="distinct names")
    cases = support_cases(
        data, split.test, plan.n_picks, support=plan.support, min_targets=plan.min_targets
    )
    if not cases.cases:
        raise DataError(
            f"none of {len(split.test)} test users has {plan.support} + {plan.min_targets} likes",
            hint="lower --support or --min-targets",
        )
    asking = list(dict.fromkeys(case.user for case in cases.cases))
    if plan.most is not None and plan.most < len(asking):
        drawn = np.random.default_rng([plan.seed, 19]).permutation(len(asking))[: plan.most]
        chosen = {asking[n] for n in drawn}
        cases = replace(cases, cases=tuple(c for c in cases.cases if c.user in chosen))
    catalog = data.catalog
    if plan.shuffled:
        order = np.random.default_rng([plan.seed, 17]).permutation(len(catalog))
        catalog = Catalog(catalog.items[n] for n in order)
    stream = like_stream(data, [*split.train, *split.valid], plan.arrival, plan.seed)
    steps = plan.steps(len(stream))
    out: list[GrownList] = []
    constant: set[str] = set()  # systems whose lists no like changes, asked once
    visitors = []
    for step in steps:
        known = observed(data, stream[:step])
        visitors.append(len(known.likes))
        users = tuple(known.likes)
        training = TrainingData(
            catalog, known.users, known.likes, encoder=encoder, ordered=data.ordered
        )
        for system in systems:
            if system.name in constant:
                own = (x for x in out if (x.system, x.events) == (system.name, steps[0]))
                out += [replace(x, events=step) for x in list(own)]
                continue
            made = system.make(training, Split(users, (), ()), replace(known, catalog=catalog))
            if getattr(made, "ignores_likes", False):
                constant.add(system.name)
            for done, case in enumerate(cases.cases, start=1):
                wanted = min(K + len(case.excluded), len(data.catalog))
                ranked = made.recommend(case.profile, k=wanted).item_ids
                top = tuple(cut(ranked, case.excluded, K))
                value = ndcg(top, case.targets, K)
                out.append(GrownList(system.name, step, case.user, case.n_picks, value, top))
                if report:
                    report(f"{step:,} likes: {system.name}", done, len(cases.cases))
    users_asked = len({case.user for case in cases.cases})
    return GrowthRun(tuple(out), names, steps, tuple(visitors), users_asked, cases.dropped)
