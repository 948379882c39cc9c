"""Blend of requests in words: sums, specificity, and nothing of it without words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coldstart.errors import ArtifactError
from coldstart.ranking.ranker import BlendRanker
from coldstart.ranking.request_blend import (
    MANY_WORDS,
    RequestBlend,
    in_words,
    specificity,
    without_words,
)
from coldstart.scoring.registry import SIGNALS

numbers = st.floats(-5, 5)
pairs = st.tuples(numbers, numbers)
blends = st.builds(
    RequestBlend, st.dictionaries(st.sampled_from(SIGNALS.names), pairs, max_size=6), pairs
)
WORDS, OF_WORDS = (
    SIGNALS.index("request_words"),
    [SIGNALS.index(s.name) for s in SIGNALS if s.of_words],
)
features_of = st.integers(1, 6).flatmap(
    lambda n: hnp.arrays(np.float64, (n, len(SIGNALS)), elements=st.floats(-3, 3))
)


def with_words(features, words):
    out = features.copy()
    out[:, WORDS] = words
    return out


def ranker(blend, trees=None):
    table = {name: (0.3, 0.1) for name in SIGNALS.names if name != "request_words"}
    return BlendRanker({"prior": table}, trees, requests={"prior": blend})


@given(st.integers(0, 10**6))
def test_specificity_is_a_share_that_grows_with_the_words(words):
    features = with_words(np.zeros((1, len(SIGNALS))), words)
    found = specificity(features)
    assert 0 <= found <= 1
    assert found <= specificity(with_words(features, words + 1))
    assert (found == 1) == (words >= MANY_WORDS)
    assert in_words(features) == (words > 0)


@given(features_of, st.integers(1, 80), blends)
def test_parts_sum_to_scores(features, words, blend):
    own, features = ranker(blend), with_words(features, words)
    weights, rows = own.weights("prior", 4), range(len(features))
    scores = own.scores(features, weights, "prior")
    parts = own.contributions(features, weights, rows, "prior")
    np.testing.assert_allclose(parts.sum(axis=1), scores, atol=1e-9)
    some = [0, len(features) - 1]
    np.testing.assert_allclose(own.contributions(features, weights, some, "prior"), parts[some])
    np.testing.assert_allclose(
        own.ordinary(features, weights, "prior"), parts.mean(axis=0), atol=1e-9
    )


@given(features_of, st.integers(1, 80), blends)
def test_scores_are_those_of_the_formula(features, words, blend):
    features = with_words(features, words)
    s = min(1, np.log1p(words) / np.log1p(40))
    own = ranker(blend)
    weights = own.weights("prior", 0)
    expected = (blend.taste[0] + blend.taste[1] * s) * (without_words(features) @ weights)
    fixed = {n: SIGNALS[n].weight for n in ("about", "not_about", "like_named", "asked_unlike")}
    for name, (weight, slope) in {**fixed, **blend.weights}.items():
        expected += (weight + slope * s) * features[:, SIGNALS.index(name)]
    np.testing.assert_allclose(own.scores(features, weights, "prior"), expected, atol=1e-9)
    np.testing.assert_allclose(own.linear(features, 0), expected, atol=1e-9)


@given(features_of, blends)
def test_requests_without_words_are_scored_as_before(features, blend):
    features = with_words(features, 0)
    own, before = ranker(blend), BlendRanker({"prior": ranker(blend).table("prior")})
    weights, rows = own.weights("prior", 3), range(len(features))
    for strategy in ("prior", "catalog"):
        np.testing.assert_array_equal(
            own.scores(features, weights, strategy), before.scores(features, weights)
        )
        np.testing.assert_array_equal(
            own.contributions(features, weights, rows, strategy),
            before.contributions(features, weights, rows),
        )
        np.testing.assert_array_equal(
            own.ordinary(features, weights, strategy), before.ordinary(features, weights)
        )
    np.testing.assert_array_equal(own.linear(features, 3), before.linear(features, 3))


def test_another_strategy_is_scored_by_its_own_weights():
    features = with_words(np.ones((2, len(SIGNALS))), 9)
    own = ranker(RequestBlend({"words": (5.0, 0.0)}))
    weights = own.weights("prior", 0)
    np.testing.assert_array_equal(own.scores(features, weights, "free"), features @ weights)


def test_taste_is_what_is_left_without_the_words():
    features = np.arange(2.0 * len(SIGNALS)).reshape(2, -1) + 1
    left = without_words(features)
    assert not left[:, OF_WORDS].any()
    others = np.setdiff1d(np.arange(len(SIGNALS)), OF_WORDS)
    np.testing.assert_array_equal(left[:, others], features[:, others])
    assert features.all()
    assert not in_words(left)
    assert not in_words(np.zeros((0, len(SIGNALS))))


@given(blends)
def test_a_blend_survives_json(blend):
    assert RequestBlend.from_dict(json.loads(json.dumps(blend.to_dict()))) == blend
    own = ranker(blend)
    again = BlendRanker.from_dict(json.loads(json.dumps(own.to_dict())))
    assert again.requests == own.requests
    assert again.signals == own.signals >= blend.weights.keys()


def test_artifacts_from_before_have_no_blend():
    data = BlendRanker.default().to_dict()
    del data["requests"]
    assert BlendRanker.from_dict(data).requests == {}


@pytest.mark.parametrize(
    "make", [RequestBlend, lambda w: RequestBlend.from_dict({"weights": w, "taste": [1, 0]})]
)
def test_unknown_signals_are_refused(make):
    with pytest.raises(ArtifactError, match=r"request weights name unknown signal.*'shoe'"):
        make({"shoe": (1.0, 0.0), "words": (1.0, 0.0)})


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"weights": {}},
        {"weights": {}, "taste": [1]},
        {"weights": [], "taste": [1, 0]},
        {"weights": {"words": 1}, "taste": [1, 0]},
        {"weights": {"words": ["a", 0]}, "taste": [1, 0]},
    ],
)
def test_malformed_weights_are_refused(data):
    with pytest.raises(ArtifactError, match="malformed request weights"):
        RequestBlend.from_dict(data)


def test_a_fixed_signal_has_its_default_weight_in_every_blend():
    features = with_words(np.zeros((2, len(SIGNALS))), 3)
    features[0, SIGNALS.index("asked_unlike")] = 1.0
    weight = SIGNALS["asked_unlike"].weight[0]
    first, second = features @ RequestBlend().vector(features)
    assert first - second == pytest.approx(weight)
    assert weight < 0
