from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.audits.list_similarity import (
    DEPTH,
    compare,
    mean_of,
    overlap,
    rank_biased_overlap,
    rank_shift,
)

lists = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=16)


@given(lists, lists)
def test_equal_lists_agree_fully_and_disjoint_ones_not_at_all(a, b):
    assert compare(a, a) == {"overlap": 1.0, "rbo": pytest.approx(1.0), "shift": 0.0}
    apart = [x.upper() for x in b]
    assert rank_biased_overlap(a, apart) == (0.0 if a or b else 1.0)
    assert overlap(a, apart) == (0.0 if a or b else 1.0)
    assert 0 <= rank_biased_overlap(a, b) <= 1
    assert rank_biased_overlap(a, b) == pytest.approx(rank_biased_overlap(b, a))
    assert overlap(a, b) == overlap(b, a)
    assert 0 <= rank_shift(a, b) <= DEPTH


@given(lists.filter(bool), st.randoms(use_true_random=False), st.floats(0.1, 0.99))
def test_rank_biased_overlap_is_the_formula_with_sets(a, rng, p):
    b = rng.sample("abcdefghijklmnopqrst", k=len(a))
    agreement = [len(set(a[:d]) & set(b[:d])) / d for d in range(1, len(a) + 1)]
    tail = sum(x * p**d for d, x in enumerate(agreement, start=1))
    expected = agreement[-1] * p ** len(a) + (1 - p) / p * tail
    assert rank_biased_overlap(a, b, p) == pytest.approx(min(1, expected))


def test_measures_by_hand():
    a, b = list("abcd"), list("bacx")
    assert overlap(a, b, 2) == 1.0
    assert overlap(a, b, 4) == 0.75
    assert overlap(list("ab"), list("abcd"), 4) == 0.5
    # a and b move one place each, c none; d is not found and has rank 101.
    assert rank_shift(a, b) == (1 + 1 + 0 + 97) / 4
    assert rank_shift(a, b, k=1, depth=1) == 1
    # Agreement 0 at the first rank, 1 at the second: .5² · 1 + .5 / .5 · (0 + .25)
    assert rank_biased_overlap(list("ab"), list("ba"), 0.5) == pytest.approx(0.5)
    # The top counts most.
    swapped = [list("bacdef"), list("abcdfe")]
    assert rank_biased_overlap(list("abcdef"), swapped[0]) < rank_biased_overlap(
        list("abcdef"), swapped[1]
    )


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: overlap(["a"], ["a"], 0), "k is 0"),
        (lambda: overlap(["a", "a"], ["a"]), "names an item twice"),
        (lambda: rank_biased_overlap(["a"], ["b"], 1.0), "p is 1.0"),
        (lambda: rank_biased_overlap(["a"], ["b", "b"]), "names an item twice"),
        (lambda: rank_shift(["a"], ["a"], 10, 5), "depth is 5"),
        (lambda: mean_of({}), "no value"),
        (lambda: mean_of({"u": math.nan}), "not finite"),
    ],
)
def test_measures_refuse_nonsense(call, why):
    with pytest.raises((ConfigError, DataError), match=why):
        call()
