"""Likeness to named items: content and shared likes, and no popularity."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import UserProfile
from coldstart.scoring.likeness import DAMPING, LIFT, likeness, shared_lift
from coldstart.scoring.stated import standardised
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_dataset

DATA = toy_dataset()


def store(counts):
    out = ItemStore(toy_catalog(), counts, TrigramEncoder())
    out.sync()
    return out


COUNTS = Counts.fit(DATA.catalog.ids, DATA.users, DATA.likes)
STORE = store(COUNTS)


def test_the_lift_is_that_of_the_formula_and_zero_by_chance():
    first, other = STORE.ids[0], STORE.ids[6]
    both = sum(first in likes and other in likes for likes in DATA.likes.values())
    one, two = (sum(i in likes for likes in DATA.likes.values()) for i in (first, other))
    expected = np.log((both + DAMPING) / (one * two / len(DATA.users) + DAMPING))
    assert shared_lift(COUNTS, [first])[COUNTS.column[other]] == pytest.approx(expected)
    assert not shared_lift(COUNTS, ["unknown"]).any()
    users = {"u": UserProfile(), "v": UserProfile()}
    everyone = Counts.fit(["a", "b"], users, dict.fromkeys(users, ["a", "b"]))
    assert shared_lift(everyone, ["a"])[1] == 0  # liked by all: no news


def test_content_and_shared_likes_add_up():
    units = STORE.content[:, ::-1].copy()
    near = [(v @ v[[3, 5]].mean(axis=0)).astype(np.float64) for v in (STORE.content, units)]
    content = np.mean([standardised(n, n) for n in near], axis=0)
    lift = STORE.spread(shared_lift(COUNTS, [STORE.ids[3], STORE.ids[5]]))
    expected = 0.5 * content + LIFT * lift
    np.testing.assert_allclose(likeness(STORE, [3, 5], units), expected)


def test_content_alone_where_nobody_liked_anything():
    alone = store(Counts.fit(DATA.catalog.ids, {}, {}))
    near = (alone.content @ alone.content[3]).astype(np.float64)
    np.testing.assert_allclose(likeness(alone, [3]), 0.5 * standardised(near, near))
