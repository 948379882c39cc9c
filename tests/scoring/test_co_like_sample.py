"""Which likes the estimates from co-occurrence are made of."""

from __future__ import annotations

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import UserProfile
from coldstart.scoring.co_like_sample import co_likes
from coldstart.scoring.content_lift import ContentLift, content_lift
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_dataset

CATALOG = toy_catalog()
STORE = ItemStore(CATALOG, Counts.fit(CATALOG.ids, {}, {}), TrigramEncoder())
STORE.sync()


def sample(ids, likes):
    counts = Counts.fit(ids, {n: UserProfile() for n in likes}, likes)
    columns = np.array([counts.column.get(i, -1) for i in CATALOG.ids], dtype=np.int64)
    liked = np.where(columns >= 0, counts.likes[columns], 0.0) + 0.3
    return counts, co_likes(counts, STORE, columns, liked / liked.sum(), ContentLift())


def test_every_like_of_the_likers_of_an_item_is_in_it():
    counts, found = sample(CATALOG.ids, toy_dataset().likes)
    liked = np.flatnonzero(counts.likes)
    assert len(found.likers) <= len(liked)
    by_likes = {float(x) for x in counts.likes[liked]}
    assert set(found.likers.tolist()) <= by_likes
    given = np.asarray(counts.together.sum(axis=0)).ravel()
    assert set(found.given.tolist()) <= {float(x) for x in given}
    assert found.both.min() >= 1


def test_lifts_are_by_content_of_the_item_and_drawn_items_stand_for_the_shares():
    _, found = sample(CATALOG.ids, {"a": CATALOG.ids[:2], "b": CATALOG.ids[:2]})
    assert found.likers.tolist() == [2.0, 2.0]
    (row,) = np.flatnonzero(found.item == 0)
    assert np.isclose(found.lift[row], content_lift(STORE, [0])[1], rtol=1e-5)
    own = np.isnan(found.drawn[:, 0])
    assert np.isclose(own.mean(), 2.3 / (4 + 0.3 * len(CATALOG)), atol=0.01)


def test_the_order_in_which_items_were_liked_changes_nothing():
    likes = toy_dataset().likes
    found = [sample(ids, likes)[1] for ids in (CATALOG.ids, CATALOG.ids[::-1])]
    for one, other in zip(vars(found[0]).values(), vars(found[1]).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_likes_of_items_that_the_catalog_lacks_are_left_out():
    _, found = sample([*CATALOG.ids, "gone"], {"a": [CATALOG.ids[0], "gone", CATALOG.ids[3]]})
    assert sorted(found.both.tolist()) == [1.0, 1.0]
