"""What a signal is worth beside a score that stays: found where it helps, zero where not."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.metrics.ranking_metrics import ndcg
from coldstart.ranking.ranker import BlendRanker
from coldstart.scoring.registry import SIGNALS
from coldstart.training.blend import Case, NDCGEvaluator, fit_weights
from coldstart.training.ranker import base_scores, cross_validate, fit_ranker

PLAIN = BlendRanker.classical()


def simulated(truth, *, users=40, items=120, seed=0):
    """People who like what a known blend puts first, with some noise."""
    rng = np.random.default_rng(seed)
    cases = []
    for n in range(users):
        features = np.zeros((items, len(SIGNALS)), dtype=np.float32)
        used = [SIGNALS.index(f) for f in truth]
        features[:, used] = rng.normal(size=(items, len(used)))
        shots = int(rng.choice([0, 5, 10]))
        at = BlendRanker({"prior": truth}).weights("prior", shots)
        score = features @ at + rng.gumbel(size=items)
        order = np.argsort(-score)
        excluded = order[40 : 40 + shots].astype(np.int64)
        cases.append(Case(f"u{n}", features, order[:8].astype(np.int64), excluded, shots))
    return cases


def mean_ndcg(ranker, cases, strategy):
    values = []
    for case in cases:
        scores = ranker.scores(case.features, ranker.weights(strategy, case.n_picks))
        scores[case.excluded] = -np.inf
        ranked = [str(r) for r in np.argsort(-scores, kind="stable")]
        values.append(ndcg(ranked, {str(t) for t in case.targets}, 10))
    return np.mean(values)


def test_a_helpful_model_earns_its_weight_and_ranks_better_for_new_users():
    truth = {"popularity": (1.0, 0.0), "model": (2.0, 0.0)}
    ranker, fresh = fit_ranker(simulated(truth), PLAIN), simulated(truth, seed=1)
    best = mean_ndcg(BlendRanker({"catalog": truth}), fresh, "catalog")
    without = mean_ndcg(ranker, fresh, "prior")
    assert mean_ndcg(ranker, fresh, "catalog") > without + 0.8 * (best - without)


def test_weights_that_move_with_the_picks_are_found():
    truth = {"popularity": (1.0, 0.0), "model": (0.0, 4.0)}
    weight, change = fit_ranker(simulated(truth, users=80), PLAIN).table("catalog")["model"]
    assert change > weight >= 0


@pytest.mark.parametrize("worth", [0.0, -2.0])
def test_a_useless_or_misleading_model_weighs_next_to_nothing(worth):
    truth = {"popularity": (1.0, 0.0), "model": (worth, 0.0)}
    weight, change = fit_ranker(simulated(truth, users=80), PLAIN).table("catalog")["model"]
    assert 0 <= weight < 0.15
    assert weight + change >= -1e-9


def test_what_is_known_without_the_model_keeps_its_weights():
    truth = {"popularity": (1.0, 0.0), "model": (2.0, 0.0)}
    table = fit_ranker(simulated(truth), PLAIN).table("both")
    assert {f: w for f, w in table.items() if f not in ("model", "written")} == {
        f: w for f, w in SIGNALS.weights("prior").items()
    }


def test_nothing_to_learn_from_keeps_the_defaults():
    nobody = Case("u", np.ones((3, len(SIGNALS)), np.float32), np.array([], int), np.array([0]), 1)
    for cases in ([], [nobody]):
        base = base_scores(cases, PLAIN)
        assert fit_weights(cases, base, ["model"]) == {"model": SIGNALS["model"].weight}


def test_fitting_is_repeatable_and_leaves_the_cases_alone():
    cases = simulated({"popularity": (1.0, 0.0), "model": (1.0, 0.0)}, users=10)
    before = [c.features.copy() for c in cases]
    assert fit_ranker(cases, PLAIN).to_dict() == fit_ranker(cases, PLAIN).to_dict()
    for case, features in zip(cases, before, strict=True):
        np.testing.assert_array_equal(case.features, features)


@pytest.mark.parametrize("cut", [5, 10, 40])
def test_the_bench_measures_what_the_metric_measures(cut):
    cases = simulated({"popularity": (1.0, 0.0), "model": (1.0, 1.0)}, users=15)
    base = [c.features[:, SIGNALS.index("popularity")].astype(float) for c in cases]
    evaluator = NDCGEvaluator(cases, base, ["model"])
    found = evaluator.ndcg(np.array([[0.3, 0.5]]), np.arange(len(cases)), (cut,))
    ranker = BlendRanker({"prior": {"popularity": (1.0, 0.0), "model": (0.3, 0.2)}})
    for case, value in zip(cases, found, strict=True):
        scores = ranker.scores(case.features, ranker.weights("prior", case.n_picks))
        scores[case.excluded] = -np.inf
        ranked = [str(r) for r in np.argsort(-scores, kind="stable")]
        assert value == pytest.approx(ndcg(ranked, {str(t) for t in case.targets}, cut))


def test_cross_validation_reports_every_strategy_and_number_of_picks():
    cases = simulated({"popularity": (1.0, 0.0), "model": (2.0, 0.0)}, users=12)
    found = cross_validate(cases, PLAIN)
    names = ("catalog", "free", "both", "prior", "classical", "popularity")
    assert set(found) == {f"{name}_k{k}" for name in names for k in (0, 5, 10)}
    assert all(0 <= v <= 1 for v in found.values())
    assert found["catalog_k0"] > found["classical_k0"]
