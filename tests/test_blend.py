"""Learning the blend: it finds what ranks well, and stays at the defaults where nothing does."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.evaluation.metrics import ndcg
from coldstart.features import FEATURES
from coldstart.ranking import DEFAULT_WEIGHTS, LinearRanker
from coldstart.training.blend import Bench, Case, as_array, fit_weights
from coldstart.training.ranker import cross_validate


def simulated(truth, *, users=40, items=120, seed=0):
    """People who like what a known blend puts first, with some noise."""
    rng = np.random.default_rng(seed)
    cases = []
    for n in range(users):
        features = np.zeros((items, len(FEATURES)), dtype=np.float32)
        used = [FEATURES.index(f) for f in truth]
        features[:, used] = rng.normal(size=(items, len(used)))
        shots = int(rng.choice([0, 5, 10]))
        at = LinearRanker({"prior": truth}).weights("prior", shots)
        score = features @ at + rng.gumbel(size=items)
        order = np.argsort(-score)
        excluded = order[40 : 40 + shots].astype(np.int64)
        cases.append(Case(f"u{n}", features, order[:8].astype(np.int64), excluded, shots))
    return cases


def mean_ndcg(weights, cases):
    bench = Bench(cases)
    return bench.ndcg(as_array(weights), np.arange(len(cases)), (10,)).mean()


def test_fitting_ranks_better_for_new_users():
    truth = {"popularity": (1.0, 0.0), "words": (3.0, 0.0), "alike": (-1.0, 0.0)}
    fitted = fit_weights(simulated(truth), list(truth))
    fresh = simulated(truth, seed=1)
    default = {n: DEFAULT_WEIGHTS[n] for n in truth}
    best = mean_ndcg(truth, fresh)
    assert mean_ndcg(fitted, fresh) > mean_ndcg(default, fresh) + 0.8 * (
        best - mean_ndcg(default, fresh)
    )
    assert fitted["alike"][0] < 0 < fitted["words"][0]


def test_weights_that_move_with_the_picks_are_found():
    truth = {"popularity": (1.0, 0.0), "picks": (0.0, 4.0)}
    fitted = fit_weights(simulated(truth, users=80), list(truth))
    fresh = simulated(truth, users=80, seed=1)
    default = {n: DEFAULT_WEIGHTS[n] for n in truth}
    assert fitted["picks"][1] > 0
    assert mean_ndcg(fitted, fresh) > mean_ndcg(default, fresh)


def test_the_scale_is_that_of_popularity():
    truth = {"popularity": (2.0, 0.0), "words": (1.0, 0.0)}
    assert fit_weights(simulated(truth), list(truth))["popularity"][0] == 1.0


def test_nothing_to_learn_from_keeps_the_defaults():
    nobody = Case("u", np.ones((3, len(FEATURES)), np.float32), np.array([], int), np.array([0]), 1)
    names = ["popularity", "picks"]
    for cases in ([], [nobody]):
        assert fit_weights(cases, names) == {n: DEFAULT_WEIGHTS[n] for n in names}
    useless = simulated({"popularity": (1.0, 0.0)})
    assert fit_weights(useless, ["popularity", "words"])["words"] == pytest.approx(
        DEFAULT_WEIGHTS["words"]
    )


def test_fitting_is_repeatable_and_leaves_the_cases_alone():
    cases = simulated({"popularity": (1.0, 0.0), "words": (1.0, 0.0)}, users=10)
    before = [c.features.copy() for c in cases]
    assert fit_weights(cases, ["popularity", "words"]) == fit_weights(
        cases, ["popularity", "words"]
    )
    for case, features in zip(cases, before, strict=True):
        np.testing.assert_array_equal(case.features, features)


@pytest.mark.parametrize("cut", [5, 10, 40])
def test_the_bench_measures_what_the_metric_measures(cut):
    cases = simulated({"popularity": (1.0, 0.0), "picks": (1.0, 1.0)}, users=15)
    weights = {"popularity": (1.0, -0.5), "picks": (0.3, 0.2)}
    found = Bench(cases).ndcg(as_array(weights), np.arange(len(cases)), (cut,))
    ranker = LinearRanker({"prior": weights})
    for case, value in zip(cases, found, strict=True):
        scores = ranker.scores(case.features, "prior", case.shots)
        scores[case.excluded] = -np.inf
        ranked = [str(r) for r in np.argsort(-scores, kind="stable")]
        assert value == pytest.approx(ndcg(ranked, {str(t) for t in case.targets}, cut))


def test_cross_validation_reports_every_strategy_and_number_of_picks():
    found = cross_validate(simulated({"popularity": (1.0, 0.0), "words": (2.0, 0.0)}, users=12))
    assert set(found) == {
        f"{s}_k{k}" for s in ("catalog", "free", "both", "prior", "classical") for k in (0, 5, 10)
    }
    assert all(0 <= v <= 1 for v in found.values())
    assert found["catalog_k0"] > found["classical_k0"]
