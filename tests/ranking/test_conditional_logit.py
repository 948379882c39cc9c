"""Conditional logit against its definition, a known truth, and scikit-learn's own optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.errors import ArtifactError, ConfigError, DataError
from coldstart.ranking.conditional_logit import ChoiceCase, ConditionalLogit


def drawn(weights, cases, items=12, seed=0, excluded=0):
    """Choices that a conditional logit with these weights would make."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(cases):
        features = rng.normal(size=(items, len(weights)))
        scores = features @ weights
        barred = rng.permutation(items)[:excluded]
        scores[barred] = -np.inf
        odds = np.exp(scores - scores.max())
        target = rng.choice(items, p=odds / odds.sum())
        out.append(ChoiceCase(features, np.array([target]), barred))
    return out


def test_known_weights_are_found_again():
    truth = np.array([1.5, -0.7, 0.0])
    found = ConditionalLogit.fit(drawn(truth, 4000, excluded=2), l2=0.0)
    assert np.abs(found.weights - truth).max() < 0.1


def test_scale_of_a_feature_does_not_matter_without_penalty():
    cases = drawn(np.array([1.0, -0.5]), 300)
    scale = np.array([1000.0, 0.01])
    scaled = [ChoiceCase(c.features * scale, c.targets, c.excluded) for c in cases]
    one, other = (ConditionalLogit.fit(x, l2=0.0) for x in (cases, scaled))
    assert np.allclose(one.weights, other.weights * scale, atol=1e-3)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)


def test_the_gradient_vanishes_at_the_weights():
    """At the optimum the features expected equal those of the targets (moment conditions)."""
    cases = drawn(np.array([0.8, -0.3]), 200, excluded=1)
    model = ConditionalLogit.fit(cases, l2=0.0)
    gap = np.zeros(2)
    for case in cases:
        odds = np.exp(model.log_probabilities(case.features, case.excluded))
        gap += odds @ case.features - case.features[case.targets].mean(axis=0)
    assert np.abs(gap / len(cases)).max() < 1e-4


def test_one_binary_choice_is_logistic_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3))
    y = (x @ np.array([1.0, -2.0, 0.5]) + rng.logistic(size=400) > 0).astype(int)
    cases = [
        ChoiceCase(np.stack([np.zeros(3), row]), np.array([label]))
        for row, label in zip(x, y, strict=True)
    ]
    theirs = linear.LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10).fit(x, y)
    ours = ConditionalLogit.fit(cases, l2=0.0)
    assert np.allclose(ours.weights, theirs.coef_[0], atol=2e-3)


def test_nonnegative_weights():
    cases = drawn(np.array([1.0, -1.0]), 300)
    free = ConditionalLogit.fit(cases, names=("a", "b"))
    kept = ConditionalLogit.fit(cases, names=("a", "b"), nonnegative=("b",))
    assert free.weights[1] < -0.5
    assert kept.weights[1] == 0
    assert kept.weights[0] > 0.5
    assert kept.log_likelihood < free.log_likelihood
    assert (ConditionalLogit.fit(cases, nonnegative=True).weights >= 0).all()


def test_target_weights_and_case_weights_count():
    features = np.eye(2)
    both, more = np.array([0, 1]), np.array([3.0, 1.0])
    even = ConditionalLogit.fit([ChoiceCase(features, both)])
    assert even.weights[0] == pytest.approx(even.weights[1], abs=1e-6)
    skewed = ConditionalLogit.fit([ChoiceCase(features, both, target_weights=more)], l2=0.0)
    assert skewed.weights[0] - skewed.weights[1] == pytest.approx(np.log(3), abs=1e-3)
    cases = [ChoiceCase(features, both[:1], weight=3.0), ChoiceCase(features, both[1:])]
    assert np.allclose(ConditionalLogit.fit(cases, l2=0.0).weights, skewed.weights, atol=1e-3)


def test_a_constant_feature_gets_no_weight():
    cases = [
        ChoiceCase(np.c_[c.features, np.full(len(c.features), 1e6)], c.targets)
        for c in drawn(np.array([1.0]), 100)
    ]
    assert abs(ConditionalLogit.fit(cases).weights[1]) < 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 8))
def test_never_worse_than_chance_and_probabilities_sum_to_one(seed, width, items):
    rng = np.random.default_rng(seed)
    cases = [
        ChoiceCase(rng.normal(size=(items, width)).astype(np.float32), rng.integers(items, size=1))
        for _ in range(5)
    ]
    model = ConditionalLogit.fit(cases)
    assert model.log_likelihood >= -np.log(items) - 1e-9
    logs = model.log_probabilities(cases[0].features, np.array([0]))
    assert logs[0] == -np.inf
    assert np.exp(logs).sum() == pytest.approx(1)


def test_round_trip():
    model = ConditionalLogit.fit(drawn(np.array([1.0, 2.0]), 50), names=("a", "b"))
    read = ConditionalLogit.from_dict(model.to_dict())
    assert read.to_dict() == model.to_dict()
    features = np.random.default_rng(0).normal(size=(3, 5, 2))
    assert np.array_equal(read.scores(features), model.scores(features))


GOOD = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (ChoiceCase(GOOD, np.array([], dtype=int)), "no targets"),
        (ChoiceCase(GOOD, np.array([3])), "outside its 3 items"),
        (ChoiceCase(GOOD, np.array([1]), np.array([1])), "is excluded"),
        (ChoiceCase(GOOD * np.nan, np.array([1])), "not finite"),
        (ChoiceCase(np.zeros((3, 5)), np.array([1])), "shape"),
        (ChoiceCase(GOOD, np.array([1]), target_weights=np.array([0.0])), "not positive"),
        (ChoiceCase(GOOD, np.array([1]), weight=-1.0), "a weight of -1"),
    ],
)
def test_malformed_cases_are_named(case, message):
    with pytest.raises(DataError, match=f"choice 1: .*{message}"):
        ConditionalLogit.fit([ChoiceCase(GOOD, np.array([0])), case])


def test_bad_options():
    cases = [ChoiceCase(GOOD, np.array([0]))]
    with pytest.raises(DataError, match="none with a positive weight"):
        ConditionalLogit.fit([])
    with pytest.raises(ConfigError, match="l2 is -1"):
        ConditionalLogit.fit(cases, l2=-1)
    with pytest.raises(ConfigError, match="1 names for 2 features"):
        ConditionalLogit.fit(cases, names=("a",))
    with pytest.raises(ConfigError, match="no feature 'c'"):
        ConditionalLogit.fit(cases, names=("a", "b"), nonnegative=("c",))
    with pytest.raises(DataError, match="4 features for 2 weights"):
        ConditionalLogit.fit(cases).scores(np.zeros((1, 4)))
    with pytest.raises(ArtifactError, match="malformed"):
        ConditionalLogit.from_dict({"weights": ["x"]})
    with pytest.raises(ArtifactError, match="2 names for 1 weights"):
        ConditionalLogit.from_dict({"weights": [1], "names": ["a", "b"], "log_likelihood": 0})


def test_weights_stay_near_the_center_without_evidence_to_the_contrary():
    rng = np.random.default_rng(4)
    cases = [
        ChoiceCase(np.column_stack([rng.normal(size=20), np.zeros(20)]), np.array([n % 20]))
        for n in range(30)
    ]
    far = ConditionalLogit.fit(cases, l2=100.0, center=(2.0, -1.0)).weights
    assert far == pytest.approx([2.0, -1.0], abs=0.02)
    free = ConditionalLogit.fit(cases, l2=1e-6, center=(2.0, -1.0)).weights
    assert abs(free[0]) < 0.5  # what was chosen says nothing of the feature
    assert free[1] == pytest.approx(-1.0)  # a constant says nothing either
    assert ConditionalLogit.fit(cases, l2=100.0).weights == pytest.approx([0.0, 0.0], abs=0.02)
    with pytest.raises(ConfigError, match="center has 1 weights for 2 features"):
        ConditionalLogit.fit(cases, center=(1.0,))
