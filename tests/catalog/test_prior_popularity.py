"""Prior popularity from sales."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coldstart.catalog.prior_popularity import prior_lift


def test_sales_are_smoothed_by_their_median():
    found = prior_lift(np.array([0.0, 100.0, 1000.0, np.nan]))
    expected = np.array([100.0, 200.0, 1100.0, 200.0]) / 400
    assert found == pytest.approx(np.log(expected))


@pytest.mark.parametrize("sales", [[np.nan, np.nan], [0.0, 0.0], []])
def test_without_sales_all_items_are_alike(sales):
    assert not prior_lift(np.array(sales)).any()


@example([0.0, 0.0, 5e-324])
@example([1e-323, 5e-324, None, 5e-324])
@given(st.lists(st.none() | st.floats(0, 1e12), min_size=1, max_size=30))
def test_shares_sum_to_one_and_keep_the_order(sales):
    values = np.array([np.nan if x is None else x for x in sales], dtype=float)
    lift = prior_lift(values)
    assert np.isfinite(lift).all()
    assert np.exp(lift).mean() == pytest.approx(1.0)
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(lift[known][order]) >= -1e-9).all()
