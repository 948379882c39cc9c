"""A shortlist that another score orders."""

from __future__ import annotations

import numpy as np

from coldstart.evaluation.zero_shot.shortlist import reordered

NEAR = np.array([0.9, 0.1, 0.8, 0.7, 0.6])


def order(named, shortlist, asked):
    def score(rows):
        asked.append(list(rows))
        return -100.0 - np.array(rows, dtype=float)

    return np.argsort(-reordered(NEAR, named, shortlist, score)).tolist()


def test_the_shortlist_is_ordered_anew_and_stays_above_the_rest():
    asked = []
    assert order([], 3, asked) == [0, 2, 3, 4, 1]
    assert asked == [[0, 2, 3]]


def test_items_that_are_named_take_no_place():
    asked = []
    assert order([0], 2, asked)[:2] == [2, 3]
    assert asked == [[2, 3]]


def test_all_items_are_read_without_a_shortlist():
    asked = []
    assert order([], 0, asked) == [0, 1, 2, 3, 4]
    assert asked == [[0, 1, 2, 3, 4]]


def test_nothing_is_read_where_nothing_may_be_shown():
    asked = []
    assert sorted(order([0, 1, 2, 3, 4], 3, asked)) == [0, 1, 2, 3, 4]
    assert not asked
