"""How far content, and how far chance, explains what is liked together."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.interactions.co_likes import (
    RELIABILITY,
    SHAPE,
    CoLikes,
    content_reliability,
    gamma_shape,
)

N, MANY = 400, 12


def drawn(reliability, shape, likers=400, per_liker=1, seed=0):
    """Likes of the likers of some items, by the model."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(N, 0.5))
    lift = rng.normal(0.0, 1.0, (N, MANY))
    lift -= np.log(np.exp(lift).mean(axis=0))
    expected = share[:, None] * np.exp(reliability * lift)
    if shape:
        expected = expected * rng.gamma(shape, 1 / shape, expected.shape)
    both = np.stack(
        [rng.multinomial(likers * per_liker, e / e.sum()) for e in expected.T], axis=1
    ).astype(float)
    item, other = both.T.nonzero()
    chosen = rng.choice(N, 1500, p=share)
    return CoLikes(
        both[other, item],
        share[other],
        lift[other, item],
        item,
        np.full(MANY, float(likers)),
        lift[chosen],
        share[chosen],
    )


def none():
    some, empty = np.zeros(0), np.zeros(0, dtype=np.int64)
    return CoLikes(some, some, some, empty, np.zeros(2), np.zeros((5, 2)), np.full(5, 0.2))


def test_without_likes_they_are_what_was_expected():
    assert content_reliability(none()) == RELIABILITY
    assert gamma_shape(none(), RELIABILITY) == SHAPE


@pytest.mark.parametrize("true", [0.05, 0.5, 1.0])
def test_it_recovers_the_reliability_that_likes_were_drawn_with(true):
    assert content_reliability(drawn(true, None)) == pytest.approx(true, abs=0.07)


@pytest.mark.parametrize("true", [1.0, 10.0])
def test_it_recovers_the_shape_that_likes_were_drawn_with(true):
    found = [gamma_shape(drawn(0.5, true, 4000, seed=n), 0.5) for n in range(3)]
    assert np.mean(np.log(found)) == pytest.approx(np.log(true), abs=0.4)


def test_likes_that_come_as_expected_are_shrunk_most():
    assert gamma_shape(drawn(0.5, None, 4000), 0.5) > 5 * gamma_shape(drawn(0.5, 10.0, 4000), 0.5)


def test_few_likers_move_the_reliability_little():
    assert content_reliability(drawn(1.0, None, likers=1)) == pytest.approx(RELIABILITY, abs=0.35)
    many = [content_reliability(drawn(1.0, None, likers=n)) for n in (1, 10, 1000)]
    assert many[0] < many[-1]


def test_a_liker_counts_once_however_many_likes_there_are():
    few, many = drawn(0.0, None, likers=3), drawn(0.0, None, likers=3, per_liker=1000)
    assert content_reliability(few) > 0.05
    assert content_reliability(many) == pytest.approx(content_reliability(few), abs=0.3)
    assert content_reliability(many) > 0.02


def test_the_item_itself_is_none_of_those_it_is_compared_with():
    pairs = drawn(0.3, None)
    with_self = np.vstack([pairs.drawn, np.full((40, MANY), np.nan)])
    padded = CoLikes(**{**vars(pairs), "drawn": with_self, "drawn_share": np.full(1540, 1 / N)})
    assert content_reliability(padded) == pytest.approx(content_reliability(pairs))
