"""Replay of systems on every fold: frozen, live and retrained; then interest drift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coldstart.data.dataset import Dataset
from coldstart.data.ties import order_warning
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.scored import FollowsCounts
from coldstart.evaluation.prequential.incremental import (
    REFRESH,
    IncrementalRecommender,
    RetrainedRecommender,
    train_system,
)
from coldstart.evaluation.prequential.interest_shift import (
    Phase,
    ShiftAnswer,
    ShiftCase,
    ShiftPlan,
    ask_shifted,
    genre_groups,
    shift_cases,
)
from coldstart.evaluation.prequential.replay import ReplayedList, ReplayPlan, Report, replay, stream
from coldstart.interactions.interaction_stats import EARLY, UNORDERED
from coldstart.interactions.live_counts import LiveCounts
from coldstart.protocols import Encoder, Recommends
from coldstart.splitting.user_splits import Split

Groups = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class ReplayOptions:
    """Options of a replay.

    Args:
        plan: of the replay.
        shift: of the shift; ``None`` for no shift.
        half_lives: of picks, each tried in the shift besides no decay.
        groups: of categories; ``None``: found on each fold's training users (``genre_groups``).
        refresh: likes from one snapshot of the counts to the next.
        retrain: whether to retrain when half of the likes have been played.
        seed: of whatever a system draws.

    Raises:
        ConfigError: ``refresh`` is below 1, or a half-life is not above 0.
    """

    plan: ReplayPlan = field(default_factory=ReplayPlan)
    shift: ShiftPlan | None = field(default_factory=ShiftPlan)
    half_lives: tuple[float, ...] = (5.0,)
    groups: Groups | None = None
    refresh: int = REFRESH
    retrain: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.refresh < 1 or not all(0 < h < float("inf") for h in self.half_lives):
            raise ConfigError(
                f"refresh {self.refresh} and half-lives {self.half_lives}",
                hint="refresh is a number of likes from 1, a half-life a number of picks above 0",
            )


@dataclass(frozen=True)
class ReplayRun:
    """All lists of a replay.

    Args:
        shown: by (system, ``frozen`` or ``live`` or ``retrained``). The retrained one is
            evaluated only after its training.
        shifted: answers about shifted users; systems are named ``NAME`` and ``NAME, half-life h``.
        cases: number of shifted histories.
        groups: of categories, fold by fold.
        likes: number of likes played.
        met: number of users in the stream, including those that are not evaluated.
    """

    shown: dict[tuple[str, str], list[ReplayedList]]
    shifted: list[ShiftAnswer]
    cases: int
    groups: tuple[Groups, ...]
    likes: int
    met: int


def run(
    data: Dataset,
    splits: Sequence[Split],
    names: Sequence[str],
    options: ReplayOptions | None = None,
    *,
    encoder: Encoder | None = None,
    note: Callable[[str], None] | None = None,
    report: Report | None = None,
) -> ReplayRun:
    """Replay the test users of every split given.

    Args:
        data: everything.
        splits: folds to run; of ``user_folds``.
        names: systems of ``all_systems``. Those that do not follow counts are replayed frozen only.
        options: the default is ``ReplayOptions()``.
        encoder: of texts; ``None``: the packaged one.
        note: called with a line about what is left out.
        report: called with (what, done, total).

    Raises:
        ConfigError: no split, no system, or an unknown one.
        DataError: no user has enough likes to be evaluated.
    """
    options = options or ReplayOptions()
    if not splits or not names:
        raise ConfigError(
            f"{len(splits)} folds and {len(names)} systems", hint="one or more of each"
        )
    shown: dict[tuple[str, str], list[ReplayedList]] = {}
    shifted: list[ShiftAnswer] = []
    groups, cases, played = [], 0, 0
    for at, split in enumerate(splits):
        likes = len(stream(data, split.test))
        played += likes
        found = []
        if options.shift:
            groups.append(options.groups or genre_groups(data, split.train))
            found = shift_cases(data, split.test, groups[-1], options.shift)
            cases += len(found)
        for name in dict.fromkeys(names):
            what = f"fold {at}: {name}" if len(splits) > 1 else name
            if report:
                report(f"{what}, frozen", 0, likes)
            made = train_system(name, data, split, seed=options.seed, encoder=encoder)
            follows = made if isinstance(made, FollowsCounts) else None
            variants: dict[str, tuple[Recommends, int]] = {"frozen": (made, 0)}
            if follows is None:
                if note:
                    note(f"{name} knows no way to go on from new counts: replayed frozen only")
            else:
                counts = LiveCounts(follows.counts, first=EARLY if data.ordered else UNORDERED)
                live = IncrementalRecommender(counts, follows.with_counts, options.refresh)
                variants["live"] = (live, 0)
                if options.retrain:
                    half = likes // 2
                    again = RetrainedRecommender(
                        name,
                        data,
                        split,
                        half,
                        refresh=options.refresh,
                        seed=options.seed,
                        encoder=encoder,
                    )
                    variants["retrained"] = (again, half)
            for variant, (system, start) in variants.items():
                said = f"{name}, {variant}"
                played_to = replay(
                    said,
                    system,
                    data,
                    split.test,
                    options.plan,
                    ask_from=start,
                    report=_prefixed(report, f"{what}, {variant}"),
                )
                shown.setdefault((name, variant), []).extend(played_to)
            if options.shift and found:
                shifted += ask_shifted(
                    name,
                    made,
                    found,
                    options.shift,
                    report=_prefixed(report, f"{what}, shift"),
                )
                if data.ordered:
                    telling = _prefixed(report, f"{what}, shift, decaying")
                    shifted += _decaying(name, follows, found, options, telling)
                elif note and follows and follows.decays:
                    note(f"{name} is shown no half-life: {order_warning(data.tied_share)}")
    met = sum(len(s.test) for s in splits)
    return ReplayRun(shown, shifted, cases, tuple(groups), played, met)


def _prefixed(report: Report | None, what: str) -> Report | None:
    if report is None:
        return None
    return lambda _, done, total: report(what, done, total)


def _decaying(
    name: str,
    follows: FollowsCounts | None,
    cases: Sequence[ShiftCase],
    options: ReplayOptions,
    report: Report | None,
) -> list[ShiftAnswer]:
    """Answers about shifted users with decaying picks, if a half-life changes the lists."""
    out: list[ShiftAnswer] = []
    if follows is None or not follows.decays or options.shift is None:
        return out
    phases: tuple[Phase, ...] = ("before", "after")
    for h in options.half_lives:
        said = f"{name}, half-life {h:g}"
        system = follows.with_counts(follows.counts, h)
        out += ask_shifted(said, system, cases, options.shift, phases=phases, report=report)
    return out
