"""How many likes a prior is worth, estimated from the likes."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.interactions.shrinkage import PER_ITEM, dirichlet_concentration

EVEN = np.full(200, 1 / 200)


def drawn(shares, total=5000, seed=0):
    return np.random.default_rng(seed).multinomial(total, shares).astype(float)


def test_without_likes_it_is_what_was_expected():
    assert dirichlet_concentration(np.zeros(200), EVEN) == pytest.approx(PER_ITEM * 200)


@pytest.mark.parametrize("true", [20.0, 60.0, 200.0])
def test_it_recovers_the_concentration_that_likes_were_drawn_with(true):
    rng = np.random.default_rng(1)
    found = [
        dirichlet_concentration(drawn(rng.dirichlet(true * EVEN), seed=n), EVEN) for n in range(8)
    ]
    assert np.mean(np.log(found)) == pytest.approx(np.log(true), abs=0.35)


def test_a_prior_that_likes_follow_is_worth_more_than_one_they_contradict():
    sold = np.arange(1, 201) / np.arange(1, 201).sum()
    likes = drawn(sold)
    worth = [dirichlet_concentration(likes, prior) for prior in (sold, EVEN, sold[::-1])]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 5 * worth[2]


def test_few_likes_move_it_little():
    few = np.zeros(200)
    few[:3] = 1.0
    assert dirichlet_concentration(few, EVEN) == pytest.approx(PER_ITEM * 200, rel=0.2)
