import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from coldstart.errors import ConfigError, DataError
from coldstart.metrics import significance as statistics
from coldstart.metrics.significance import (
    bootstrap_interval,
    differences,
    holm,
    paired_bootstrap,
    two_level_bootstrap,
    weighted_interval,
)

numbers = st.lists(st.floats(-1, 1), min_size=2, max_size=30)


def people(values):
    return {f"u{n}": float(v) for n, v in enumerate(values)}


# -- one system ------------------------------------------------------------------------------


@given(numbers, st.randoms(use_true_random=False))
def test_interval_is_seeded_and_does_not_depend_on_order(values, random):
    low, high = bootstrap_interval(values, 3, draws=100)
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12
    random.shuffle(values)
    assert bootstrap_interval(values, 3, draws=100) == (low, high)


def test_interval_agrees_with_scipy():
    values = np.random.default_rng(0).beta(1, 3, size=150)
    low, high = bootstrap_interval(values.tolist(), 0, draws=5000)
    other = stats.bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=1)
    assert (low, high) == pytest.approx(other.confidence_interval, abs=0.002)


def test_higher_level_is_wider_and_more_users_are_narrower():
    values = np.random.default_rng(0).random(400)
    widths = [np.diff(bootstrap_interval(values, 0, level))[0] for level in (0.5, 0.8, 0.95, 0.99)]
    assert widths == sorted(widths)
    quarter, whole = (np.diff(bootstrap_interval(values[:n], 0))[0] for n in (100, 400))
    assert quarter / whole == pytest.approx(2, rel=0.2)


@given(numbers, st.floats(0.1, 10), st.randoms(use_true_random=False))
def test_equal_weights_change_nothing_and_order_neither(values, weight, random):
    weights = [weight] * len(values)
    found = weighted_interval(values, weights, 3, draws=100)
    assert found == pytest.approx(bootstrap_interval(values, 3, draws=100), abs=1e-9)
    weights = [weight + n for n in range(len(values))]
    found = weighted_interval(values, weights, 3, draws=100)
    order = random.sample(range(len(values)), len(values))
    mixed = weighted_interval([values[n] for n in order], [weights[n] for n in order], 3, draws=100)
    assert found == mixed
    assert min(values) - 1e-12 <= found[0] <= found[1] <= max(values) + 1e-12


def test_weighted_interval_agrees_with_scipy():
    rng = np.random.default_rng(0)
    values, weights = rng.beta(1, 3, size=150), rng.integers(1, 50, size=150).astype(float)

    def mean(x, w, axis):
        return (x * w).sum(axis=axis) / w.sum(axis=axis)

    found = weighted_interval(values, weights, 0, draws=5000)
    other = stats.bootstrap(
        (values, weights), mean, paired=True, n_resamples=5000, method="percentile", rng=1
    )
    assert found == pytest.approx(other.confidence_interval, abs=0.003)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(DataError, match="weights of 2 values, from .*give a weight above 0"):
        weighted_interval([0.1, 0.2], weights, 0)
    with pytest.raises(DataError, match="a value is not finite"):
        weighted_interval([0.1, 0.2], [1.0, math.nan], 0)


@pytest.mark.parametrize("shape", ["normal", "exponential"])
def test_interval_holds_the_truth_as_often_as_it_says(shape):
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(400):
        values = getattr(rng, shape)(size=80) - (shape == "exponential")
        low, high = bootstrap_interval(values, seed, 0.9, draws=400)
        held += low <= 0 <= high
    assert 0.86 <= held / 400 <= 0.94  # 0.9 ± 2.7 standard errors


def test_blocks_change_no_law(monkeypatch):
    values = np.random.default_rng(0).random(50)
    whole = bootstrap_interval(values, 0, draws=4000)
    monkeypatch.setattr(statistics, "_BLOCK", 7 * 50)
    assert bootstrap_interval(values, 0, draws=4000) == pytest.approx(whole, abs=0.01)
    monkeypatch.setattr(statistics, "_BLOCK", 1)
    assert bootstrap_interval(values, 0, draws=4000) == pytest.approx(whole, abs=0.01)


def test_equal_users_have_no_interval():
    assert bootstrap_interval([0.5] * 9, 0) == (0.5, 0.5)
    assert bootstrap_interval([0.25], 0) == (0.25, 0.25)


def test_what_cannot_be_resampled():
    with pytest.raises(DataError, match=r"no value to resample .*at least one user"):
        bootstrap_interval([], 0)
    with pytest.raises(DataError, match=r"not finite .*leave out users"):
        bootstrap_interval([0.5, math.nan], 0)
    for level in (0, 1, 95):
        with pytest.raises(ConfigError, match=f"level is {level} "):
            bootstrap_interval([0.5], 0, level)
    with pytest.raises(ConfigError, match="draws is 0"):
        bootstrap_interval([0.5], 0, draws=0)


# -- two systems -----------------------------------------------------------------------------


def test_users_are_matched_by_id():
    a, b = {"u": 0.5, "v": 1.0, "w": 0.25}, {"w": 0.25, "v": 0.75, "u": 0.75}
    assert differences(a, b) == {"u": -0.25, "v": 0.25, "w": 0.0}
    turned = dict(reversed(a.items()))
    assert paired_bootstrap(a, b, 0) == paired_bootstrap(turned, b, 0)


def test_other_users_are_refused():
    a, b = people([1, 2, 3]), people([1, 2])
    for one, two in ((a, b), (b, a)):
        with pytest.raises(DataError, match=r"1 users, first 'u2', .*the same users"):
            differences(one, two)
        with pytest.raises(DataError, match=r"1 users, first 'u2', .*the same users"):
            paired_bootstrap(one, two, 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30))
def test_swapping_systems_turns_signs(pairs):
    a, b = people(x for x, _ in pairs), people(y for _, y in pairs)
    one, two = (paired_bootstrap(x, y, 5, draws=200) for x, y in ((a, b), (b, a)))
    assert (two.mean, two.low, two.high) == pytest.approx((-one.mean, -one.high, -one.low))
    assert two.p_value == one.p_value
    assert 1 / 201 <= one.p_value <= 1
    assert one.mean == pytest.approx(np.mean([x - y for x, y in pairs]))


def test_a_system_does_not_differ_from_itself():
    a = people(np.random.default_rng(0).random(50))
    found = paired_bootstrap(a, a, 0)
    assert (found.mean, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_the_smallest_p_is_one_in_draws():
    rng = np.random.default_rng(0)
    a = people(rng.random(100))
    b = {u: v - 1 - 0.01 * rng.random() for u, v in a.items()}
    assert paired_bootstrap(a, b, 0, draws=999).p_value == 1 / 1000
    everyone = people([1.0] * 6), people([0.0] * 6)
    assert paired_bootstrap(*everyone, 0, draws=999).p_value == 1 / 1000


def test_two_users_prove_nothing():
    assert paired_bootstrap(people([0.1, 0.2]), people([0, 0]), 0).p_value > 0.4
    with pytest.raises(DataError, match="one user shows no difference"):
        paired_bootstrap({"u": 1.0}, {"u": 0.0}, 0)


def test_p_is_near_that_of_the_t_test():
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.02, 0.04, 0.08):
        a, b = rng.random(200) + shift, rng.random(200)
        found = paired_bootstrap(people(a), people(b), 0, draws=4000)
        assert found.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.03)


def test_p_is_below_five_percent_five_times_in_a_hundred():
    rng = np.random.default_rng(2)
    zero, low = people(np.zeros(60)), 0
    for seed in range(400):
        found = paired_bootstrap(people(rng.normal(size=60)), zero, seed, draws=400)
        low += found.p_value <= 0.05
    assert 0.02 <= low / 400 <= 0.08  # 0.05 ± 2.7 standard errors


# -- many systems ----------------------------------------------------------------------------

probabilities = st.lists(st.floats(0, 1), max_size=12)


def test_holm_by_hand():
    # sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, and never falling: .02 .03 .06 .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


@given(probabilities)
def test_holm_is_monotone_and_between_raw_and_bonferroni(raw):
    adjusted = holm(raw)
    assert all(type(p) is float for p in adjusted)
    for p, q in zip(raw, adjusted, strict=True):
        assert p <= q <= min(1, p * len(raw)) or q == pytest.approx(p * len(raw))
    in_order = [q for _, q in sorted(zip(raw, adjusted, strict=True))]
    assert in_order == sorted(in_order)
    if raw:
        assert min(adjusted) == pytest.approx(min(1, min(raw) * len(raw)))


@given(probabilities, st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_order(raw, random):
    order = list(range(len(raw)))
    random.shuffle(order)
    adjusted = holm(raw)
    assert holm([raw[n] for n in order]) == [adjusted[n] for n in order]


@given(probabilities, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_stepping_down_rejects(raw, alpha):
    rejected = set()
    for step, n in enumerate(sorted(range(len(raw)), key=raw.__getitem__)):
        if raw[n] * (len(raw) - step) > alpha:
            break
        rejected.add(n)
    assert {n for n, q in enumerate(holm(raw)) if q <= alpha} == rejected


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_holm_takes_probabilities_only(bad):
    with pytest.raises(DataError, match="a p-value is outside"):
        holm([0.5, bad])


# -- seeds and users -------------------------------------------------------------------------


def table(array):
    return {s: people(row) for s, row in enumerate(array)}


def test_one_seed_is_a_bootstrap_over_users():
    values = np.random.default_rng(0).random(100)
    found = two_level_bootstrap(table([values]), 0, draws=30_000)
    assert found == pytest.approx(bootstrap_interval(values, 1, draws=30_000), abs=0.002)


def test_repeating_a_seed_is_no_new_evidence():
    values = np.random.default_rng(0).random(100)
    once, many = (two_level_bootstrap(table([values] * n), 0, draws=10_000) for n in (1, 8))
    assert many == pytest.approx(once, abs=0.004)  # nested resampling would be √8 narrower


def test_seeds_that_differ_widen_the_interval():
    users = np.random.default_rng(0).random(100)
    calm = two_level_bootstrap(table([users] * 5), 0)
    wild = two_level_bootstrap(table([users + s for s in (-0.2, -0.1, 0, 0.1, 0.2)]), 0)
    assert np.diff(wild) > 1.5 * np.diff(calm)


def test_two_level_interval_holds_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        seeds, users = rng.normal(size=(10, 1)) * 0.3, rng.normal(size=(1, 60))
        noise = rng.normal(size=(10, 60)) * 0.5
        low, high = two_level_bootstrap(table(seeds + users + noise), seed, 0.9, draws=400)
        held += low <= 0 <= high
    assert 0.84 <= held / 200 <= 0.98


def test_two_level_is_seeded_and_orderless():
    values = table(np.random.default_rng(0).random((3, 20)))
    turned = {s: dict(reversed(values[s].items())) for s in reversed(values)}
    assert two_level_bootstrap(values, 4) == two_level_bootstrap(turned, 4)
    assert two_level_bootstrap(values, 4) != two_level_bootstrap(values, 5)


def test_seeds_with_other_users_are_refused():
    with pytest.raises(DataError, match=r"1 users, first 'u1', are in one"):
        two_level_bootstrap({0: people([1, 2]), 1: people([1])}, 0)
    for nothing in ({}, {0: {}}):
        with pytest.raises(DataError, match="there is no value to resample"):
            two_level_bootstrap(nothing, 0)
