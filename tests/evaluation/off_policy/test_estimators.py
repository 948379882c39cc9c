"""A world of three contexts and four items, of which every probability is known."""

import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.off_policy.estimators import (
    clipped_ips,
    direct_method,
    doubly_robust,
    estimate_policy,
    ips,
    snips,
)
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog

CONTEXTS = np.array([0.5, 0.3, 0.2])
LOGGING = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.4, 0.4, 0.1], [0.25, 0.25, 0.25, 0.25]])
TARGET = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.0, 0.0, 0.5, 0.5]])
REWARDS = np.array([[0.2, 0.5, 0.6, 0.9], [0.8, 0.3, 0.1, 0.4], [0.1, 0.5, 0.7, 0.3]])
TRUTH = float(CONTEXTS @ (TARGET * REWARDS).sum(axis=1))
WRONG = 0.5 * REWARDS + 0.1  # a reward model that shrinks


def draw(seed, n=400):
    """Rewards, propensities and target probabilities of n rows, and their contexts and items."""
    rng = np.random.default_rng(seed)
    x = rng.choice(3, size=n, p=CONTEXTS)
    a = (rng.random((n, 1)) > LOGGING.cumsum(axis=1)[x]).sum(axis=1).clip(max=3)
    r = (rng.random(n) < REWARDS[x, a]).astype(float)
    return (r, LOGGING[x, a], TARGET[x, a]), x, a


def model(q, x, a):
    return {"predicted": q[x, a], "expected": (TARGET * q).sum(axis=1)[x]}


SEEDS = range(400)
RUNS = [draw(seed) for seed in SEEDS]


def over_seeds(estimate):
    """Mean of the estimates of many logs, its standard error, and the estimates."""
    made = [estimate(*run) for run in RUNS]
    values = np.array([e.value for e in made])
    return values.mean(), values.std(ddof=1) / len(values) ** 0.5, made


def assert_honest_errors(made):
    """Standard errors are the spread over seeds; intervals hold the truth as often as they say."""
    spread = np.std([e.value for e in made], ddof=1)
    assert np.mean([e.standard_error for e in made]) == pytest.approx(spread, rel=0.15)
    held = [e.interval[0] <= TRUTH <= e.interval[1] for e in made]
    assert 0.9 <= np.mean(held) <= 0.985


# -- against the truth -----------------------------------------------------------------------


def test_expectations_are_exact():
    """Summed over all that one row can be, IPS and DR give the truth to the last digit."""
    totals = np.zeros(3)
    for x, a, r in itertools.product(range(3), range(4), (0.0, 1.0)):
        chance = CONTEXTS[x] * LOGGING[x, a] * (REWARDS[x, a] if r else 1 - REWARDS[x, a])
        row = [r], [LOGGING[x, a]], [TARGET[x, a]]
        for n, q in enumerate((None, WRONG, REWARDS)):
            one = {k: [v] for k, v in model(q, x, a).items()} if q is not None else {}
            estimate = doubly_robust(*row, **one) if one else ips(*row)
            assert estimate.standard_error is None
            assert estimate.interval is None
            totals[n] += chance * estimate.value
    assert totals == pytest.approx([TRUTH] * 3, abs=1e-12)


def test_ips_is_unbiased():
    mean, error, made = over_seeds(lambda rows, x, a: ips(*rows))
    assert abs(mean - TRUTH) < 3 * error
    assert_honest_errors(made)


def test_snips_is_close():
    mean, error, made = over_seeds(lambda rows, x, a: snips(*rows))
    assert abs(mean - TRUTH) < 3 * error + 0.002  # its bias is of order 1 / 400
    assert_honest_errors(made)


def test_clipping_makes_it_too_low_and_steadier():
    mean, error, made = over_seeds(lambda rows, x, a: clipped_ips(*rows, clip=2.0))
    exact = float(CONTEXTS @ (LOGGING * np.minimum(TARGET / LOGGING, 2.0) * REWARDS).sum(axis=1))
    assert exact < TRUTH - 0.05
    assert abs(mean - exact) < 3 * error
    _, full, _ = over_seeds(lambda rows, x, a: ips(*rows))
    assert error < full
    assert max(e.max_weight for e in made) == 2.0
    assert "weights were cut to 2" in made[0].notes[-1]


def test_the_direct_method_is_as_biased_as_its_model():
    mean, error, made = over_seeds(lambda rows, x, a: direct_method(model(WRONG, x, a)["expected"]))
    assert abs(mean - (0.5 * TRUTH + 0.1)) < 3 * error
    assert abs(mean - TRUTH) > 20 * error
    assert "nothing of the reward model's bias" in made[0].notes[0]
    mean, error, _ = over_seeds(lambda rows, x, a: direct_method(model(REWARDS, x, a)["expected"]))
    assert abs(mean - TRUTH) < 3 * error


@pytest.mark.parametrize("q", [REWARDS, WRONG, np.full((3, 4), 0.4)])
def test_doubly_robust_is_unbiased_whatever_the_model_and_varies_less_than_ips(q):
    mean, error, made = over_seeds(lambda rows, x, a: doubly_robust(*rows, **model(q, x, a)))
    assert abs(mean - TRUTH) < 3 * error
    assert error < 0.8 * over_seeds(lambda rows, x, a: ips(*rows))[1]
    assert_honest_errors(made)


def test_doubly_robust_survives_wrong_propensities_with_the_right_model():
    def wrong(rows):
        r, p, t = rows
        return r, p**0.5, t

    mean, error, _ = over_seeds(
        lambda rows, x, a: doubly_robust(*wrong(rows), **model(REWARDS, x, a))
    )
    assert abs(mean - TRUTH) < 3 * error
    mean, error, made = over_seeds(lambda rows, x, a: ips(*wrong(rows)))
    assert abs(mean - TRUTH) > 20 * error
    assert any("propensities or target are wrong" in note for e in made for note in e.notes)


def test_with_a_model_that_is_never_wrong_doubly_robust_is_the_direct_method():
    for seed in range(5):
        (_, p, t), x, a = draw(seed)
        rows = REWARDS[x, a], p, t  # rewards without noise
        dr, dm = (
            doubly_robust(*rows, **model(REWARDS, x, a)),
            direct_method(model(REWARDS, x, a)["expected"]),
        )
        assert dr.value == pytest.approx(dm.value, abs=1e-12)
        assert dr.standard_error == pytest.approx(dm.standard_error)


def test_the_logging_policy_itself_earns_what_was_logged():
    (r, p, _), _, _ = draw(0)
    for estimate in (ips(r, p, p), snips(r, p, p), clipped_ips(r, p, p)):
        assert estimate.value == pytest.approx(r.mean())
        assert estimate.standard_error == pytest.approx(r.std(ddof=1) / len(r) ** 0.5)
        assert estimate.effective_sample_size == pytest.approx(len(r))
        assert estimate.max_weight == 1.0
        assert estimate.notes == ()


# -- by hand ---------------------------------------------------------------------------------


def test_estimates_by_hand():
    r, p, t = [1.0, 0.0, 2.0, 1.0], [0.5, 0.25, 0.1, 1.0], [0.5, 0.5, 0.4, 0.0]  # w = 1, 2, 4, 0
    plain = ips(r, p, t)
    assert plain.value == pytest.approx((1 + 0 + 8 + 0) / 4)
    assert plain.standard_error == pytest.approx(np.std([1, 0, 8, 0], ddof=1) / 2)
    assert plain.effective_sample_size == pytest.approx(7**2 / 21)
    assert (plain.max_weight, plain.rows) == (pytest.approx(4.0), 4)
    assert plain.interval == pytest.approx(
        (plain.value - 1.96 * plain.standard_error, plain.value + 1.96 * plain.standard_error),
        abs=1e-3,
    )
    assert clipped_ips(r, p, t, clip=3).value == pytest.approx((1 + 6) / 4)
    assert clipped_ips(r, p, t).value == pytest.approx((1 + 4) / 4)  # √4
    assert snips(r, p, t).value == pytest.approx(9 / 7)
    dr = doubly_robust(r, p, t, predicted=[1, 1, 1, 0], expected=[0.5, 0.5, 0.5, 0.5])
    assert dr.value == pytest.approx(((0.5 + 0) + (0.5 - 2) + (0.5 + 4) + 0.5) / 4)
    assert direct_method([0.5, 1.0]).value == 0.75


def test_rows_of_one_user_count_as_one_draw():
    (r, p, t), _, _ = draw(1, n=100)
    alone = ips(r, p, t)
    repeated = [np.repeat(v, 5) for v in (r, p, t)]
    users = np.repeat(np.arange(100), 5)
    assert ips(*repeated).standard_error < 0.5 * alone.standard_error  # believes itself
    grouped = ips(*repeated, groups=[f"user {u}" for u in users])
    assert grouped.value == pytest.approx(alone.value)
    assert grouped.standard_error == pytest.approx(alone.standard_error)
    assert ips(r, p, t, groups=np.zeros(100)).standard_error is None


# -- warnings --------------------------------------------------------------------------------


def test_few_effective_rows_are_said():
    p, t = np.full(1000, 0.5), np.full(1000, 0.001)
    p[0], t[0] = 0.001, 1.0
    found = ips(np.ones(1000), p, t)
    assert found.effective_sample_size < 0.05 * 1000
    assert found.max_weight == 1000
    assert "effective sample size is only" in found.notes[0]
    assert "of 1000 rows" in found.notes[0]
    assert not any("effective" in n for n in clipped_ips(np.ones(1000), p, t, clip=0.002).notes)


def test_missing_support_is_said():
    """Half of what the target shows was never logged: the weights average 0.5."""
    found = ips(np.ones(100), np.full(100, 0.5), np.tile([0.3, 0.2], 50))
    assert "the weights average 0.5, not 1" in found.notes[-1]


def test_a_target_that_shows_nothing_logged():
    nothing = ips([1.0, 0.0], [0.5, 0.5], [0.0, 0.0])
    assert (nothing.value, nothing.effective_sample_size) == (0.0, 0.0)
    assert len(nothing.notes) == 2
    with pytest.raises(DataError, match="target is 0 in every row"):
        snips([1.0, 0.0], [0.5, 0.5], [0.0, 0.0])


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.0001, float("nan"), float("inf")])
def test_invalid_propensities_are_refused(bad):
    for estimate in (ips, clipped_ips, snips):
        with pytest.raises(DataError, match="propensities: .* in row 1, expected prob.* above 0"):
            estimate([1, 0, 1], [0.5, bad, 0.5], [0.5, 0.5, 0.5])
    with pytest.raises(DataError, match="propensities: .* in rows 0, 1, expected"):
        doubly_robust([1, 0], [bad, bad], [0.5, 0.5], predicted=[0, 0], expected=[0, 0])


@pytest.mark.parametrize("bad", [-0.1, 1.0001, float("nan")])
def test_invalid_targets_are_refused(bad):
    with pytest.raises(DataError, match="target: .* in row 0, expected probabilities from 0 to 1"):
        ips([1, 0], [0.5, 0.5], [bad, 0.5])


def test_other_bad_input_is_refused():
    with pytest.raises(DataError, match="rewards: nan in row 0, expected finite numbers"):
        ips([float("nan")], [0.5], [0.5])
    with pytest.raises(DataError, match="lengths differ: 2 of rewards, 1 of propensities"):
        ips([1, 0], [0.5], [0.5, 0.5])
    with pytest.raises(DataError, match=r"rewards has shape \(0,\)"):
        ips([], [], [])
    with pytest.raises(DataError, match="rewards: could not convert"):
        ips(["many"], [0.5], [0.5])
    with pytest.raises(DataError, match="expected: inf in row 1, expected finite numbers"):
        direct_method([1, float("inf")])
    with pytest.raises(DataError, match="lengths differ: 2 of rows, 3 of groups"):
        ips([1, 0], [0.5, 0.5], [0.5, 0.5], groups=["a", "b", "c"])
    with pytest.raises(DataError, match="target / propensity is infinite in row 0"):
        ips([1.0], [5e-324], [1.0])
    for clip in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="clip is .*expected a number above 0"):
            clipped_ips([1], [0.5], [0.5], clip=clip)


# -- invariances -----------------------------------------------------------------------------

logs = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.floats(-100, 100)),
        arrays(float, n, elements=st.floats(0.01, 1)),
        arrays(float, n, elements=st.floats(0, 1)),
        arrays(float, n, elements=st.floats(-100, 100)),
        arrays(float, n, elements=st.floats(-100, 100)),
    )
)


def all_estimates(r, p, t, predicted, expected):
    return [
        ips(r, p, t),
        clipped_ips(r, p, t, clip=2.0),
        snips(r, p, t),
        direct_method(expected),
        doubly_robust(r, p, t, predicted=predicted, expected=expected),
    ]


def close(x, scale=1.0):
    return pytest.approx(x, rel=1e-6, abs=1e-6 * max(scale, 1.0))


@given(logs, st.floats(0.01, 100))
def test_estimates_scale_with_the_rewards(log, scale):
    r, p, t, predicted, expected = log
    assume(t.max() > 1e-3)
    scaled = all_estimates(scale * r, p, t, scale * predicted, scale * expected)
    for one, other in zip(all_estimates(*log), scaled, strict=True):
        assert other.value == close(scale * one.value, 100 * scale)
        assert other.standard_error == close(scale * one.standard_error, 100 * scale)
        assert replace(other, value=0, standard_error=0) == replace(one, value=0, standard_error=0)


@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(log, random):
    assume(log[2].max() > 1e-3)
    order = random.sample(range(len(log[0])), len(log[0]))
    permuted = all_estimates(*(column[order] for column in log))
    for one, other in zip(all_estimates(*log), permuted, strict=True):
        assert other.value == close(one.value, 100)
        assert other.standard_error == close(one.standard_error, 100)
        assert other.effective_sample_size == close(one.effective_sample_size)
        assert other.max_weight == one.max_weight


@given(logs, st.floats(-100, 100))
def test_snips_moves_with_the_rewards_and_stays_in_their_range(log, by):
    r, p, t, *_ = log
    assume(t.max() > 1e-3)
    found = snips(r, p, t)
    assert snips(r + by, p, t).value == close(found.value + by, 100)
    assert r.min() - 1e-6 <= found.value <= r.max() + 1e-6
    assert 0 < found.effective_sample_size <= len(r) * (1 + 1e-9)


# -- of a log --------------------------------------------------------------------------------


def test_all_estimates_of_a_log_have_users_as_groups():
    (r, p, t), x, a = draw(2)
    users = [f"u{n // 2}" for n in range(len(r))]
    table = pl.DataFrame(
        {
            "user_id": users,
            "item_id": a,
            "rank": 1,
            "clicked": r,
            "propensity": p,
            "timestamp": range(len(r)),
        }
    )
    log = InteractionLog.from_frame(table)
    found = estimate_policy(log, t, **model(WRONG, x, a))
    assert list(found) == ["ips", "clipped_ips", "snips", "direct_method", "doubly_robust"]
    assert found["ips"] == ips(r, p, t, groups=users)
    assert found["doubly_robust"] == doubly_robust(r, p, t, groups=users, **model(WRONG, x, a))
    for name in ("ips", "snips", "doubly_robust"):
        assert found[name].value == pytest.approx(TRUTH, abs=4 * found[name].standard_error)
    assert list(estimate_policy(log, t)) == ["ips", "clipped_ips", "snips"]
    with pytest.raises(DataError, match="lengths differ: 400 of rewards, 2 of expected"):
        estimate_policy(log, t, expected=[0.1, 0.2])
    with pytest.raises(DataError, match="knows no 'revenue'"):
        estimate_policy(log, t, reward="revenue")
    with pytest.raises(DataError, match="the log has no column propensity"):
        estimate_policy(InteractionLog.from_frame(table.drop("propensity")), t)
