import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.group_fairness import by_group, gap
from coldstart.metrics.significance import bootstrap_interval


def world(**groups):
    """Values and group of each user, from values by group."""
    values = {f"{g}{n}": float(v) for g, found in groups.items() for n, v in enumerate(found)}
    return values, {u: u.rstrip("0123456789") for u in values}


def test_groups_by_hand():
    values, groups = world(f=[0, 1, 0, 1, 1], m=[0.5] * 6, x=[1, 1])
    found = by_group(values, groups)
    assert list(found.means) == ["f", "m"]
    assert found.means["f"].mean == pytest.approx(3 / 5)
    assert found.means["f"].users == 5
    interval = bootstrap_interval([0, 1, 0, 1, 1], 0)
    assert (found.means["f"].low, found.means["f"].high) == interval
    m = found.means["m"]
    assert (m.mean, m.low, m.high, m.users) == (0.5, 0.5, 0.5, 6)
    assert found.small == {"x": 2}  # told, not measured
    assert set(by_group(values, groups, min_size=2).means) == {"f", "m", "x"}


@given(
    st.dictionaries(st.text("uvw", min_size=1), st.tuples(st.floats(0, 1), st.sampled_from("abc")))
)
def test_every_user_is_in_one_group(people):
    values = {u: v for u, (v, _) in people.items()}
    groups = {u: g for u, (_, g) in people.items()}
    found = by_group(values, groups, min_size=3, draws=50)
    assert sum(g.users for g in found.means.values()) + sum(found.small.values()) == len(values)
    assert by_group(dict(reversed(values.items())), groups, min_size=3, draws=50) == found


def test_groups_may_know_more_users():
    values, groups = world(f=[0, 1, 0, 1, 1])
    assert by_group(values, {**groups, "stranger": "f"}).means["f"].users == 5
    assert by_group({}, groups).means == {}


def test_users_without_group_are_refused():
    values, groups = world(f=[0, 1, 0, 1, 1], m=[1] * 5)
    del groups["m3"]
    for function in (by_group, gap):
        with pytest.raises(DataError, match=r"1 users, first 'm3', have no group .*unknown"):
            function(values, groups)
    with pytest.raises(DataError, match="not finite"):
        by_group({**values, "f0": math.nan}, {**groups, "m3": "m"})
    for function in (by_group, gap):
        with pytest.raises(ConfigError, match="min_size is 1"):
            function(values, groups, 1)


def test_gap_by_hand():
    values, groups = world(a=[0.1] * 5, b=[0.4] * 5, c=[0.3] * 5, d=[9, 9])
    found = gap(values, groups)
    assert (found.best, found.worst) == ("b", "a")
    assert (found.difference, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))
    assert found.p_value == 1 / 2001


def test_equal_groups_have_no_gap():
    values, groups = world(a=[0, 1] * 5, b=[0, 1] * 8)
    found = gap(values, groups)
    assert (found.difference, found.low, found.p_value) == (0.0, 0.0, 1.0)
    assert found.high > 0.2


def test_gap_is_seeded_and_orderless():
    rng = np.random.default_rng(0)
    values, groups = world(a=rng.random(20), b=rng.random(30))
    turned = dict(reversed(values.items()))
    assert gap(values, groups) == gap(turned, groups) == gap(values, groups, seed=0)
    assert gap(values, groups, seed=1) != gap(values, groups)


def test_interval_excludes_zero_where_p_is_small():
    rng = np.random.default_rng(0)
    for shift in np.linspace(0, 1, 20):
        values, groups = world(a=rng.random(20), b=rng.random(30) + shift, c=rng.random(10))
        found = gap(values, groups, draws=999)
        assert (found.low > 0) == (found.p_value <= 0.05)
        assert found.low <= found.difference <= found.high


@pytest.mark.parametrize("true", [0.0, 0.3, 1.0])
def test_gap_interval_holds_the_truth(true):
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        values, groups = world(
            a=rng.normal(size=30), b=rng.normal(size=60) + true / 2, c=rng.normal(size=20) + true
        )
        found = gap(values, groups, seed=seed, draws=400)
        held += found.low <= true <= found.high
    assert held / 200 >= 0.91  # 0.95 less 2.6 standard errors; wide is allowed


def test_a_gap_needs_two_groups():
    values, groups = world(a=[1] * 9, b=[0] * 4)
    with pytest.raises(DataError, match=r"1 groups have 5 users or more, a gap needs two"):
        gap(values, groups)
    with pytest.raises(DataError, match="0 groups"):
        gap({}, {})
