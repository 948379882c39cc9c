import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from coldstart.errors import DataError
from coldstart.metrics.beyond_accuracy import (
    coverage,
    gini,
    intra_list_diversity,
    mean_intra_list_diversity,
    mean_popularity,
    novelty,
)

ITEMS = "abcdefgh"
lists_ = st.lists(st.lists(st.sampled_from(ITEMS), unique=True), max_size=12)
shown = lists_.filter(any)


def test_coverage_by_hand():
    assert coverage([["a", "b"], ["a", "c"]], 10) == 3 / 10
    assert coverage([[]], 10) == coverage([], 10) == 0.0
    assert coverage([["a"]], 1) == 1.0


def test_gini_by_hand():
    # counts 0 0 1 3: Σ (2i − 5) x_i = 1 · 1 + 3 · 3 = 10, over 4 · 4
    assert gini([["a", "b"], ["a"], ["a"]], 4) == 10 / 16
    assert gini([["a"], ["b"], ["c"], ["d"]], 4) == 0.0
    assert gini([["a"], ["a"]], 4) == 3 / 4  # all to one: 1 − 1/n
    assert gini([["a"]], 1) == 0.0


@given(shown, st.integers(0, 20))
def test_gini_is_half_the_relative_mean_difference(lists, unknown):
    n = len(ITEMS) + unknown
    counts = [sum(i in ranked for ranked in lists) for i in ITEMS] + [0] * unknown
    mean = sum(counts) / n
    difference = sum(abs(x - y) for x in counts for y in counts) / n**2
    assert gini(lists, n) == pytest.approx(difference / (2 * mean))
    assert -1e-12 <= gini(lists, n) <= 1 - 1 / n + 1e-12


@given(shown)
def test_exposure_does_not_depend_on_order(lists):
    turned = [ranked[::-1] for ranked in lists[::-1]]
    assert gini(turned, 8) == pytest.approx(gini(lists, 8))
    assert coverage(turned, 8) == coverage(lists, 8)


def test_more_items_shown_than_there_are():
    for metric in (coverage, gini):
        with pytest.raises(DataError, match="lists show 2 items of a catalog of 1"):
            metric([["a", "b"]], 1)
        with pytest.raises(DataError, match="lists show 0 items of a catalog of 0"):
            metric([], 0)


def test_popularity_and_novelty_by_hand():
    share = {"a": 1.0, "b": 1 / 4, "c": 1 / 8, "d": 0.0}
    assert mean_popularity([["a", "b"], ["a", "c"]], share) == (1 + 1 / 4 + 1 + 1 / 8) / 4
    assert novelty([["a", "b"], ["a", "c"]], share) == (0 + 2 + 0 + 3) / 4
    assert novelty([["d"], ["new"]], share) == 3.0  # as novel as the least liked
    assert mean_popularity([["d", "new"]], share) == 0.0
    assert mean_popularity([["a"], [], ["d"]], share) == 1 / 2  # an empty list has no place


def test_what_needs_something_shown():
    for nothing in ([], [[]]):
        for metric in (mean_popularity, novelty):
            with pytest.raises(DataError, match="no list shows an item"):
                metric(nothing, {"a": 0.5})
        with pytest.raises(DataError, match="no list shows an item"):
            gini(nothing, 3)


@pytest.mark.parametrize("share", [3.0, -0.1, math.nan])
def test_counts_are_no_shares(share):
    for metric in (mean_popularity, novelty):
        with pytest.raises(DataError, match=r"the share of 'b' .*divide likes by the number"):
            metric([["a"]], {"a": 0.5, "b": share})


def test_novelty_without_any_like():
    with pytest.raises(DataError, match="no item has a positive share"):
        novelty([["a"]], {"a": 0.0})


VECTORS = {
    "east": np.array([2.0, 0.0]),
    "north": np.array([0.0, 1.0]),
    "west": np.array([-3.0, 0.0]),
    "zero": np.zeros(2),
}


def test_diversity_by_hand():
    assert intra_list_diversity(["east", "north"], VECTORS) == 1.0
    assert intra_list_diversity(["east", "west"], VECTORS) == 2.0
    assert intra_list_diversity(["east", "north", "west"], VECTORS) == pytest.approx(4 / 3)
    assert intra_list_diversity(["east", "zero"], VECTORS) == 1.0
    assert intra_list_diversity(["east", "twin"], {**VECTORS, "twin": np.array([1, 0])}) == 0.0
    assert intra_list_diversity(["east"], VECTORS) == intra_list_diversity([], VECTORS) == 0.0
    lists = [["east", "west"], ["north"]]
    assert mean_intra_list_diversity(lists, VECTORS) == (2 + 0) / 2


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 99))
def test_diversity_agrees_with_scipy(n, width, seed):
    rows = np.random.default_rng(seed).normal(size=(n, width))
    vectors = {str(r): row for r, row in enumerate(rows)}
    assert intra_list_diversity(list(vectors), vectors) == pytest.approx(
        pdist(rows, "cosine").mean()
    )


def test_diversity_refuses_what_it_cannot_see():
    with pytest.raises(DataError, match=r"1 items, first 'up', have no vector .*encode"):
        intra_list_diversity(["east", "up"], VECTORS)
    with pytest.raises(DataError, match="there is no list"):
        mean_intra_list_diversity([], VECTORS)
