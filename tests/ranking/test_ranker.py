import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ArtifactError, ConfigError
from coldstart.ranking.diversity import diversify
from coldstart.ranking.ranker import (
    FULL_PICKS,
    BlendRanker,
)
from coldstart.scoring.registry import SIGNALS

numbers = st.floats(-5, 5)
weights = st.dictionaries(
    st.sampled_from(["catalog", "free", "both", "prior"]),
    st.dictionaries(st.sampled_from(SIGNALS.names), st.tuples(numbers, numbers)),
)


# -- BlendRanker ----------------------------------------------------------------------------


@given(weights)
def test_ranker_survives_json(given_weights):
    ranker = BlendRanker(given_weights)
    again = BlendRanker.from_dict(json.loads(json.dumps(ranker.to_dict())))
    assert again.to_dict() == ranker.to_dict()
    for strategy in given_weights:
        assert again.weights(strategy, 3).tolist() == ranker.weights(strategy, 3).tolist()


@pytest.mark.parametrize(("shots", "expected"), [(0, 1.0), (5, 2.0), (10, 3.0), (40, 3.0)])
def test_weights_move_with_the_picks_up_to_ten(shots, expected):
    ranker = BlendRanker({"prior": {"picks": (1.0, 2.0)}})
    found = dict(zip(SIGNALS.names, ranker.weights("prior", shots), strict=True))
    assert found.pop("picks") == expected
    assert set(found.values()) == {0.0}


@given(weights.filter(bool), st.integers(0, 20), st.integers(0, 5))
def test_scores_are_weighted_sums(given_weights, shots, rows):
    ranker, strategy = BlendRanker(given_weights), next(iter(given_weights))
    features = np.random.default_rng(0).normal(size=(rows, len(SIGNALS)))
    far = min(shots, FULL_PICKS) / FULL_PICKS
    expected = [
        sum((a + b * far) * row[SIGNALS.index(f)] for f, (a, b) in given_weights[strategy].items())
        for row in features
    ]
    assert ranker.scores(features, ranker.weights(strategy, shots)).tolist() == pytest.approx(
        expected
    )


def test_weights_handed_out_may_be_changed():
    ranker = BlendRanker.default()
    ranker.weights("prior", 0)[:] = 99
    assert ranker.weights("prior", 0).max() < 99


def test_default_knows_every_strategy_and_uses_only_its_evidence():
    ranker = BlendRanker.default()

    def used(strategy):
        return {SIGNALS.names[n] for n in ranker.weights(strategy, 0).nonzero()[0]}

    everything = set(SIGNALS.weights("both"))
    assert everything <= set(SIGNALS.names)
    assert used("both") == everything
    assert used("catalog") == everything - {"written"}
    assert used("free") == everything - {"model"}
    assert used("prior") == everything - {"written", "model"}
    assert ranker.weights("both", 0)[SIGNALS.index("dislikes")] < 0


def test_unknown_strategy_names_the_known():
    with pytest.raises(ConfigError, match="'magic'.*one of catalog, free, both, prior"):
        BlendRanker.default().weights("magic", 0)


def test_unknown_feature_says_it_is_another_version():
    with pytest.raises(ArtifactError, match="'prior' name unknown feature.*'shoe'.*version"):
        BlendRanker({"prior": {"shoe": (1.0, 0.0)}})


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        None,
        {"weights": {"prior": {}}},
        *(
            {"weights": {"prior": broken}, "correction": None}
            for broken in (
                3,
                {"picks": 3},
                {"picks": []},
                {"picks": [1]},
                {"picks": {"a": 1}},
                {"picks": ["a", "b"]},
                {"picks": [None, 1]},
            )
        ),
    ],
)
def test_malformed_weights_are_an_artifact_error(data):
    with pytest.raises(ArtifactError, match="malformed ranker weights"):
        BlendRanker.from_dict(data)


# -- diversify -------------------------------------------------------------------------------

pools = st.tuples(st.lists(numbers, max_size=12), st.integers(0, 10_000)).map(
    lambda x: (np.array(sorted(x[0], reverse=True)), unit_vectors(len(x[0]), x[1]))
)


def unit_vectors(n, seed, dim=3):
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(pools, st.integers(0, 15), st.floats(0, 1))
def test_diversify_chooses_k_of_the_pool_without_repeats(pool, k, diversity):
    scores, vectors = pool
    chosen = diversify(scores, vectors, k, diversity)
    assert len(chosen) == len(set(chosen)) == min(k, len(scores))
    assert set(chosen) <= set(range(len(scores)))


@given(pools, st.integers(0, 15))
def test_no_diversity_keeps_the_order(pool, k):
    scores, vectors = pool
    assert diversify(scores, vectors, k, 0.0) == list(range(min(k, len(scores))))


@given(pools, st.integers(1, 15), st.floats(0, 0.99))
def test_the_best_item_comes_first(pool, k, diversity):
    scores, vectors = pool
    assert diversify(scores, vectors, k, diversity)[:1] == list(range(min(1, len(scores))))


@given(pools.filter(lambda p: len(p[0]) > 1), st.integers(1, 12))
def test_full_diversity_always_takes_the_farthest(pool, k):
    scores, vectors = pool
    chosen = diversify(scores, vectors, k, 1.0)
    assert chosen[0] == 0
    for n in range(1, len(chosen)):
        nearest = (vectors @ vectors[chosen[:n]].T).max(axis=1)
        left = [i for i in range(len(scores)) if i not in chosen[:n]]
        assert nearest[chosen[n]] == pytest.approx(nearest[left].min())


@given(pools.filter(lambda p: len(p[0]) > 1), st.integers(1, 12), st.floats(0.01, 0.99))
def test_every_step_maximises_marginal_relevance(pool, k, diversity):
    scores, vectors = pool
    spread = np.ptp(scores)
    relevance = (scores - scores.min()) / spread if spread else np.ones(len(scores))
    chosen = diversify(scores, vectors, k, diversity)
    for n in range(1, len(chosen)):
        nearest = (vectors @ vectors[chosen[:n]].T).max(axis=1)
        value = (1 - diversity) * relevance - diversity * nearest
        left = [i for i in range(len(scores)) if i not in chosen[:n]]
        assert value[chosen[n]] == pytest.approx(value[left].max())


def test_a_copy_of_the_best_waits():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert diversify(np.array([3.0, 2.9, 1.0]), vectors, 3, 0.6) == [0, 2, 1]
    assert diversify(np.array([3.0, 2.9, 1.0]), vectors, 3, 0.2) == [0, 1, 2]
