"""Rivals that get a fair chance on data they have never met, and the strongest simple one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.ease import ease
from coldstart.evaluation.baselines.knn_text_prior import knn_text_prior
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.baselines.selection import all_systems
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.baselines.tuning import settings as combinations
from coldstart.evaluation.baselines.tuning import tune, tune_in_turn, validation_cases
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.case_metrics import mean_by_picks
from coldstart.evaluation.cases import MIN_TARGETS, N_PICKS, ColdCase
from coldstart.interactions.interaction_stats import co_occurrence, log_popularity
from coldstart.schema import UserProfile
from coldstart.splitting.folds import user_folds
from tests.evaluation.baselines.six_films import FILMS, training
from tests.fakes import FakeEncoder
from tests.toy import toy_dataset

DATA = toy_dataset()
FOLDS = user_folds(list(DATA.likes), 3)
TRAINING = TrainingData.of(DATA, FOLDS[0].train, encoder=FakeEncoder())


def weighed(**weights):
    """A recommender whose worth is known: how near its weights are to 3 and 2."""
    base = baselines()["random_items"].build(TRAINING)
    base.worth = -abs(weights["a"] - 3) - abs(weights["b"] - 2)
    return base


def test_values_are_chosen_one_after_the_other(monkeypatch):
    from coldstart.evaluation.baselines import tuning

    monkeypatch.setattr(tuning, "_mean", lambda system, cases, metric: system.worth)
    grid = {"a": (1, 2, 3), "b": (1, 2, 4)}
    found = tune_in_turn(weighed, grid, {"a": 1, "b": 4}, [object()])
    assert found.setting == {"a": 3, "b": 2}
    assert found.value == 0
    assert [(s["a"], s["b"]) for s, _ in found.tried] == [(1, 4), (2, 4), (3, 4), (3, 1), (3, 2)]


def test_equals_keep_what_was_set(monkeypatch):
    from coldstart.evaluation.baselines import tuning

    monkeypatch.setattr(tuning, "_mean", lambda system, cases, metric: 1.0)
    assert tune_in_turn(
        weighed, {"a": (1, 3), "b": (2,)}, {"a": 7, "b": 2}, [object()]
    ).setting == {
        "a": 7,
        "b": 2,
    }


def test_nobody_to_tune_on_is_said():
    with pytest.raises(ConfigError, match="nothing to tune"):
        tune_in_turn(weighed, {"a": (1,)}, {"a": 1}, [])


def short(likes):
    """The toy world, in which everybody likes so many items."""
    cut = {u: DATA.likes[u][:likes] for u in DATA.likes}
    return Dataset("short", DATA.catalog, DATA.users, cut)


def test_short_histories_are_tuned_on_as_well():
    users = list(DATA.likes)
    long = validation_cases(short(12), users)
    assert min(len(c.targets) for c in long) >= MIN_TARGETS
    brief = validation_cases(short(4), users)
    assert {c.n_picks for c in brief} == {k for k in N_PICKS if k < 4}
    assert min(len(c.targets) for c in brief) == 1
    assert len({c.user for c in validation_cases(short(12), users, limit=5)}) <= 5


def test_on_demand_every_rival_is_tuned_on_the_folds_own_validation_users():
    names = ["item_knn", "knn_text_prior", "random_items"]
    plain = [all_systems()[n] for n in names]
    tuned = [all_systems(tuned=True)[n] for n in names]
    assert plain[2].settings == tuned[2].settings  # it has nothing to be tuned
    assert tuned[0].settings["grid"] == baselines()["item_knn"].grid
    plan = BenchmarkPlan((0, 1), 1, min_targets=1)
    trial = run_benchmark(DATA, FOLDS, tuned, plan, only=[0], encoder=FakeEncoder())
    cases = validation_cases(DATA, FOLDS[0].valid)
    best = tune(lambda **s: knn_text_prior(TRAINING, **s), {"weight": (0.5, 5.0)}, cases)
    assert best.value <= 1
    assert {r.system for r in trial.records} == set(names)


def test_the_hybrid_is_the_sum_of_its_parts():
    picks = [DATA.likes[FOLDS[0].train[0]][0]]
    profile = UserProfile(liked=picks)
    ids = DATA.catalog.ids
    vectors = FakeEncoder().encode([i.content_text() for i in DATA.catalog])
    expected = log_popularity(TRAINING.counts) + 3 * co_occurrence(TRAINING.counts, picks)
    expected = expected + 0.5 * (vectors @ vectors[ids.index(picks[0])])
    system = knn_text_prior(TRAINING, weight=3.0, text=0.5)
    np.testing.assert_allclose(system.scores(profile), expected, rtol=1e-5)
    assert picks[0] not in system.recommend(profile, k=5).item_ids


def test_without_picks_the_hybrid_is_demographic_popularity():
    cases = [c for c in validation_cases(DATA, FOLDS[0].valid) if not c.n_picks]
    plain = all_systems()["demographic_popularity"].make(TRAINING, FOLDS[0], DATA)
    assert mean_by_picks(knn_text_prior(TRAINING), cases) == mean_by_picks(plain, cases)


# -- grid search -----------------------------------------------------------------------------------


def test_tuning_averages_over_numbers_of_picks():
    # "a" is right for three users without picks, "b" for the only one with one.
    cases = [ColdCase(str(n), 0, UserProfile(), frozenset("a")) for n in range(3)]
    cases.append(ColdCase("x", 1, UserProfile(liked="f"), frozenset("b")))

    def build(first, rest):
        order = [first, rest, *sorted(set(FILMS) - {first, rest})]
        return training().ranking(lambda p: np.array([-float(order.index(i)) for i in FILMS]))

    tuned = tune(build, {"first": ["c", "a", "b"], "rest": ["d", "e"]}, cases)
    assert tuned.setting == {"first": "a", "rest": "d"}  # the first of equals
    assert [s for s, _ in tuned.tried] == combinations({"first": "cab", "rest": "de"})
    assert tuned.value == max(value for _, value in tuned.tried) == 0.75
    worth = {s["first"]: value for s, value in tuned.tried if s["rest"] == "d"}
    assert worth["b"] == worth["a"]  # right for one of two numbers of picks, not of four cases


def test_tuning_a_rival():
    cases = [ColdCase("u", 1, UserProfile(liked="a"), frozenset("bc"))]
    tuned = tune(partial(ease, training()), {"l2": [1.0, 10.0]}, cases, "recall@10")
    assert tuned.setting == {"l2": 1.0}
    assert tuned.value == 1.0


@pytest.mark.parametrize(
    ("grid", "cases", "metric", "why"),
    [
        ({"l2": [1.0]}, 1, "ndcg@3", "unknown metric 'ndcg@3'"),
        ({"l2": []}, 1, "ndcg@10", "nothing to tune"),
        ({"l2": [1.0]}, 0, "ndcg@10", "nothing to tune"),
    ],
)
def test_what_cannot_be_tuned(grid, cases, metric, why):
    one = [ColdCase("u", 1, UserProfile(liked="a"), frozenset("b"))]
    with pytest.raises(ConfigError, match=why):
        tune(partial(ease, training()), grid, one * cases, metric)
