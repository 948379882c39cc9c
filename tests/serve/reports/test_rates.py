"""Rates: intervals hold their value, and those of places are over people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.experiment import wilson
from coldstart.serve.reports.rates import MeanAmount, Rate

PLACES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=40)


@given(PLACES)
def test_an_interval_holds_its_value_and_is_never_empty(places):
    shown = [n for _, n in places]
    taken = [min(x, n) for x, n in places]
    rate = Rate.of_places(taken, shown)
    assert rate.value == pytest.approx(sum(taken) / sum(shown))
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.low < rate.high


def test_nothing_counted_is_no_rate():
    assert Rate.of_places([], []) == Rate.of_people(0, 0) == Rate()


def test_people_are_wilsons_and_places_are_resampled_by_person():
    assert (Rate.of_people(3, 10).low, Rate.of_people(3, 10).high) == wilson(3, 10)
    one_by_one = Rate.of_places([1] * 30 + [0] * 70, [1] * 100)
    in_ten_people = Rate.of_places([10] * 3 + [0] * 7, [10] * 10)
    assert one_by_one.value == in_ten_people.value == 0.3
    width = [rate.high - rate.low for rate in (one_by_one, in_ten_people)]
    assert width[1] > 2 * width[0]


def test_many_people_have_the_interval_that_resampling_would_give():
    rng = np.random.default_rng(0)
    shown = rng.integers(1, 20, 5000)
    taken = rng.binomial(shown, 0.1)
    few, many = (
        Rate.of_places([*map(int, taken), *more], [*map(int, shown), *more])
        for more in ((), (1,))  # 5,000 people, and one more
    )
    assert many.low == pytest.approx(few.low, abs=0.001)
    assert many.high == pytest.approx(few.high, abs=0.001)


def test_amounts_are_means_over_people_whose_intervals_agree_beyond_the_bootstrap():
    assert MeanAmount.of_people([]) == MeanAmount()
    for amounts in ([20.0], [20.0, 20.0], [20.0] * 5001):  # tell nothing of how amounts differ
        assert MeanAmount.of_people(amounts) == MeanAmount(value=20.0)
    rng = np.random.default_rng(0)
    amounts = [*map(float, rng.exponential(20, 5000))]
    few, many = MeanAmount.of_people(amounts), MeanAmount.of_people([*amounts, 20.0])
    assert few.value == pytest.approx(np.mean(amounts))
    assert many.low == pytest.approx(few.low, abs=0.05)
    assert many.high == pytest.approx(few.high, abs=0.05)
