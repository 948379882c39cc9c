"""Labels of plots: apart, in order, and near what they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.evaluation.plots.placing import clear, middle, spread, visible

PLACES = st.lists(st.floats(-100, 100, width=32), max_size=12)


@given(PLACES, st.floats(0.1, 10))
def test_labels_are_apart_and_keep_their_order(places, least):
    moved = spread(places, least)
    order = sorted(range(len(places)), key=lambda n: places[n])
    for lower, upper in zip(order, order[1:], strict=False):
        assert moved[upper] - moved[lower] >= least * (1 - 1e-9) - 1e-9
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)


@given(st.lists(st.integers(-50, 50), unique=True, max_size=12))
def test_labels_that_are_apart_stay(places):
    assert spread(places, 1.0) == places


def test_the_axis_holds_every_interval_and_begins_at_zero_if_that_is_near():
    assert visible([(0, 0.5, 0.4, 0.6), (1, 0.5, 0.45, 0.8)]) == pytest.approx((0.376, 0.824))
    assert visible([(0, 0.1, 0.01, 0.6)])[0] == 0
    assert visible([(0, 0, -1, 1)]) == pytest.approx((-1.12, 1.12))
    low, high = visible([(0, 0.5, 0.5, 0.5)])
    assert low < 0.5 < high


def test_important_labels_move_and_others_are_left_out():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 4)).add_subplot()
    points = {"first": (0.5, 0.5), "second": (0.5, 0.5), "third": (0.5, 0.5), "far": (0.1, 0.1)}
    shown = {name: shift for name, _, shift in clear(axes, points, 2)}
    assert list(shown) == ["first", "second", "far"]
    assert abs(shown["first"] - shown["second"]) > 7
    assert shown["far"] == 0


def test_the_middle_is_one_of_the_values():
    assert middle([3, 1, 2]) == 2
    assert middle([4, 1, 2, 3]) == 3
