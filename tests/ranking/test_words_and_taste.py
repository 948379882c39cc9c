"""How much words count beside the taste: exact at 0.5, the taste alone at 0, the words at 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.ranking.ranker import BlendRanker
from coldstart.ranking.request_blend import (
    EVEN,
    RequestBlend,
    in_words,
    without_words,
    words_and_taste,
)
from coldstart.scoring.registry import SIGNALS

PLAIN = BlendRanker.default()
BLENDED = BlendRanker(
    {"prior": SIGNALS.weights("prior")},
    requests={"prior": RequestBlend({"lexical": (1.0, 0.5), "wished": (2.0, 0.0)}, (0.7, -0.2))},
)
shares = st.floats(0, 1)


def features(seed=0, words=5.0):
    made = np.random.default_rng(seed).normal(size=(9, len(SIGNALS)))
    made[:, SIGNALS.index("request_words")] = words
    return made


@pytest.mark.parametrize("ranker", [PLAIN, BLENDED])
@given(seed=st.integers(0, 50))
def test_even_is_what_was_learned_to_the_last_bit(ranker, seed):
    made, weights = features(seed), ranker.weights("prior", 3)
    assert (
        ranker.scores(made, weights, "prior", EVEN) == ranker.scores(made, weights, "prior")
    ).all()
    assert (ranker.linear(made, 3, EVEN) == ranker.linear(made, 3)).all()


@pytest.mark.parametrize("ranker", [PLAIN, BLENDED])
def test_at_the_ends_only_one_of_them_counts(ranker):
    made, weights = features(), ranker.weights("prior", 3)
    bare = without_words(made)
    taste = ranker.scores(made, weights, "prior", 0.0)
    assert np.corrcoef(taste, ranker.scores(bare, weights, "prior"))[0, 1] == pytest.approx(1.0)
    words = ranker.scores(made, weights, "prior", 1.0)
    moved = made.copy()
    moved[:, SIGNALS.index("popularity")] += np.arange(9.0)
    assert ranker.scores(moved, weights, "prior", 1.0) == pytest.approx(words)
    assert not np.allclose(ranker.scores(moved, weights, "prior", 0.5), taste)


@pytest.mark.parametrize("ranker", [PLAIN, BLENDED])
@given(words=shares, seed=st.integers(0, 20))
def test_parts_of_a_score_sum_to_it_at_any_share(ranker, words, seed):
    made, weights = features(seed), ranker.weights("prior", 2)
    parts = ranker.contributions(made, weights, range(9), "prior", words)
    assert parts.sum(axis=1) == pytest.approx(ranker.scores(made, weights, "prior", words))
    slopes = ranker.slopes(made, weights, "prior", words)
    assert made @ slopes == pytest.approx(parts.sum(axis=1))
    assert made.mean(axis=0) * slopes == pytest.approx(
        ranker.ordinary(made, weights, "prior", words)
    )


@pytest.mark.parametrize("ranker", [PLAIN, BLENDED])
@given(words=shares)
def test_without_words_the_share_changes_nothing(ranker, words):
    made, weights = features(words=0.0), ranker.weights("prior", 2)
    assert not in_words(made)
    assert (
        ranker.scores(made, weights, "prior", words) == ranker.scores(made, weights, "prior")
    ).all()


@given(shares)
def test_one_of_the_factors_is_always_whole(words):
    of_words, of_taste = words_and_taste(words)
    assert max(of_words, of_taste) == 1.0
    assert 0 <= min(of_words, of_taste) <= 1
