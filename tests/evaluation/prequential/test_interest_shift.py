from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.prequential.interest_shift import (
    ShiftAnswer,
    ShiftPlan,
    ask_shifted,
    genre_groups,
    shift_cases,
)
from coldstart.evaluation.prequential.recovery import by_user, recovery
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, UserProfile

A, B = frozenset({"Action", "War"}), frozenset({"Drama", "Romance"})
PLAN = ShiftPlan(before=2, after=3, steps=(0, 1, 3), k=2, min_targets=2)


def world(users=1, *, tilt=0):
    """24 items: 10 of each group, 4 of both or none; everyone likes the lot, in turns."""
    kinds = [("Action", "War"), ("Drama",), ("War",), ("Romance", "Drama")] * 5
    kinds += [("Action", "Drama"), ("Action", "Drama"), (), ()]
    ids = [f"i{n}" for n in range(len(kinds))]
    items = [Item(item_id=i, title=f"T{i}", categories=c) for i, c in zip(ids, kinds, strict=True)]
    likes = {}
    for u in range(users):
        own = [i for n, i in enumerate(ids) if not tilt or n >= 20 or n % 2 == u % 2]
        likes[f"u{u}"] = tuple(own)
    return Dataset("w", Catalog.from_items(items), {u: UserProfile() for u in likes}, likes)


class Nearest:
    """Shows items of the kind of the last pick first; knows what to show from picks only."""

    def __init__(self, data, *, last=1):
        self.data, self.last, self.asked = data, last, []
        self.counts = Counts.fit(data.catalog.ids, {}, {})

    def recommend(self, profile, *, k=10):
        picks = [p.item for p in profile.liked]
        self.asked.append(picks)
        seen = [set(self.data.catalog[i].categories) for i in picks[-self.last :]]

        def score(_):
            kinds = [set(i.categories) for i in self.data.catalog]
            return np.array([sum(len(c & s) > 0 for s in seen) + (len(c) > 0) for c in kinds])

        return ScoredBaseline(self.data.catalog, self.counts, score).recommend(profile, k=k)


# -- groups and cases ------------------------------------------------------------------------------


def test_groups_are_what_users_differ_in():
    data = world(6, tilt=1)
    found = genre_groups(data, list(data.likes))
    assert set(found) == {A, B}
    assert genre_groups(data, list(data.likes)[::-1]) == found


def test_no_two_tastes_is_an_error():
    with pytest.raises(DataError, match="1 users and 4 categories show no two tastes.*name"):
        genre_groups(world(1), ["u0"])
    with pytest.raises(DataError, match="0 users"):
        genre_groups(world(1), [])


def test_a_history_is_cut_by_group_and_keeps_its_order():
    forth, back = shift_cases(world(), ["u0"], (A, B), PLAN)
    assert (forth.direction, back.direction) == (0, 1)
    assert forth.before == ("i0", "i2")
    assert forth.after == ("i1", "i3", "i5")
    assert forth.old_targets == {f"i{n}" for n in range(4, 20, 2)}
    assert forth.targets == {f"i{n}" for n in range(7, 20, 2)}
    assert back.before == ("i1", "i3")
    mixed = {"i20", "i21", "i22", "i23"}
    for case in (forth, back):
        parts = [set(case.before), set(case.after), case.old_targets, case.targets]
        assert sum(map(len, parts)) == len(set().union(*parts)) == 20
        assert not mixed & set().union(*parts)
        assert not case.profile.liked


def test_short_histories_are_left_out():
    data = world(2, tilt=1)  # each likes one group only
    with pytest.raises(DataError, match=r"none of 2 users has 2 \+ 2 likes.*lower --before"):
        shift_cases(data, list(data.likes), (A, B), PLAN)


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ((A, A), "no two groups"),
        ((A, frozenset()), "no two groups of categories: .* / nothing"),
        ((A, frozenset({"Horror"})), "Horror .*of Action, Drama, Romance, War"),
    ],
)
def test_bad_groups(groups, why):
    with pytest.raises(DataError, match=why):
        shift_cases(world(), ["u0"], groups, PLAN)


def test_unknown_user():
    with pytest.raises(DataError, match="user 'x' has no likes in w"):
        shift_cases(world(), ["x"], (A, B), PLAN)


@pytest.mark.parametrize(
    "change", [{"before": 0}, {"after": 1}, {"k": 0}, {"steps": ()}, {"steps": (0, 4)},
               {"steps": (1, 0)}, {"min_targets": 0}]
)  # fmt: skip
def test_bad_plans(change):
    with pytest.raises(ConfigError, match="likes before|steps are"):
        replace(PLAN, **change)


# -- asking ----------------------------------------------------------------------------------------


def test_each_phase_is_told_its_own_picks():
    data = world()
    cases = shift_cases(data, ["u0"], (A, B), PLAN)[:1]
    system, seen = Nearest(data), []
    answers = ask_shifted("x", system, cases, PLAN, report=lambda *at: seen.append(at))
    b, a = list(cases[0].before), list(cases[0].after)
    assert system.asked == [b, b, b + a[:1], b + a, [], a[:1], a[:2], a]
    phases = [(x.phase, x.picks) for x in answers]
    assert phases == [
        ("before", 2), ("after", 0), ("after", 1), ("after", 3),
        ("control", 0), ("control", 1), ("control", 2), ("control", 3),
    ]  # fmt: skip
    assert seen == [("x", 1, 1)]


def test_one_who_follows_the_last_pick_recovers_at_once_and_one_who_averages_does_not():
    data = world()
    cases = shift_cases(data, ["u0"], (A, B), PLAN)
    quick = ask_shifted("q", Nearest(data), cases, PLAN)
    slow = ask_shifted("s", Nearest(data, last=9), cases, PLAN)
    value = {n: by_user(quick, "after", n)["u0"] for n in PLAN.steps}
    assert value[0] == 0
    assert value[1] == value[3] > 0
    assert by_user(quick, "before", 2)["u0"] > 0

    def until(answers):
        curve = {n: by_user(answers, "after", n) for n in PLAN.steps}
        return recovery(curve, by_user(quick, "control", 2), 0.9).picks

    assert until(quick) == 1
    assert until(slow) in (3, None)


def test_reserved_items_are_neither_shown_nor_missed():
    data = world()
    cases = shift_cases(data, ["u0"], (A, B), PLAN)[:1]

    class Cheat(Nearest):
        def recommend(self, profile, *, k=10):
            assert k <= len(data.catalog)
            return super().recommend(profile, k=k)

    found = ask_shifted("x", Cheat(data), cases, PLAN, phases=["control"])
    assert found[-1].ndcg == 1.0


# -- recovery ------------------------------------------------------------------------------------


def curve(*means, users=("u", "v")):
    return {n: dict.fromkeys(users, m) for n, m in enumerate(means)}


LEVEL = {"u": 0.5, "v": 0.5}


@pytest.mark.parametrize(
    ("means", "picks"),
    [
        ((0.1, 0.3, 0.45, 0.5), 2),
        ((0.1, 0.46, 0.3, 0.5), 3),  # it has to stay
        ((0.5, 0.5), 0),
        ((0.1, 0.2), None),
    ],
)
def test_recovery_is_the_first_step_from_which_it_stays(means, picks):
    found = recovery(curve(*means), LEVEL, 0.9)
    assert (found.picks, found.low, found.high) == (picks, picks, picks)
    assert (found.level, found.users) == (0.5, 2)


def test_recovery_has_an_interval():
    early = {0: 0.0, 1: 0.5, 2: 0.5, 3: 0.5}
    late = {0: 0.0, 1: 0.0, 2: 0.3, 3: 0.5}
    users = {f"u{n}": (early if n % 2 else late) for n in range(20)}
    by_step = {s: {u: x[s] for u, x in users.items()} for s in range(4)}
    found = recovery(by_step, dict.fromkeys(users, 0.5), 0.75)
    assert found.picks == 2
    assert found.low in (1, 2)
    assert found.high in (2, 3)
    assert found.low < found.high
    assert recovery(by_step, dict.fromkeys(users, 0.5), 0.75) == found


@pytest.mark.parametrize("share", [0, -1, 1.1, float("nan")])
def test_bad_share(share):
    with pytest.raises(ConfigError, match="share is .*such as 0.9"):
        recovery(curve(0.5), LEVEL, share)


@pytest.mark.parametrize(
    ("steps", "level"), [({}, LEVEL), (curve(0.5), {}), (curve(0.5, users=("u",)), LEVEL)]
)
def test_curve_and_level_must_fit(steps, level):
    with pytest.raises(DataError, match="do not belong together"):
        recovery(steps, level)


def test_directions_of_a_user_are_averaged():
    answers = [ShiftAnswer("x", "u", d, "after", 1, v) for d, v in ((0, 0.2), (1, 0.6))]
    assert by_user(answers, "after", 1) == {"u": pytest.approx(0.4)}
    assert by_user(answers, "control", 1) == {}
