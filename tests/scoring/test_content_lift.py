"""The lift of an item by its content, given picks."""

from __future__ import annotations

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.scoring.content_lift import KINDS, ContentLift, content_lift
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog

CATALOG = toy_catalog()
STORE = ItemStore(CATALOG, Counts.fit(CATALOG.ids, {}, {}), TrigramEncoder())
STORE.sync()


def test_it_is_a_ratio_whose_mean_over_the_catalog_is_one():
    for picks in ([0], [0, 3, 7]):
        assert np.isclose(np.exp(content_lift(STORE, picks)).mean(), 1.0)


def test_one_pick_orders_as_the_cosines_of_content_and_categories_do():
    lift = content_lift(STORE, [4])
    cosine = STORE.content @ STORE.content[4] + KINDS * (STORE.kinds @ STORE.kinds[4])
    np.testing.assert_array_equal(np.argsort(-lift[lift < lift.max()]), _order(cosine, lift))


def _order(cosine, lift):
    return np.argsort(-cosine[lift < lift.max()])


def test_an_item_need_resemble_one_pick_only():
    """Of two opposite picks the neighbours of either stay ahead of what is between."""
    one, other = 1, 2
    both = content_lift(STORE, [one, other])
    alone = content_lift(STORE, [one])
    near = [row for row in np.argsort(-alone) if row != one][0]
    assert both[near] > np.median(both)


def test_a_part_gives_the_values_of_the_whole():
    rows = np.array([0, 2, 3, 9, 20])
    part = STORE.part(rows, [CATALOG.ids[2]])
    np.testing.assert_allclose(content_lift(part, [1]), content_lift(STORE, [2])[rows], rtol=1e-5)


def test_the_lifts_of_each_pick_are_those_of_it_alone():
    rows, picks = np.array([7, 2, 2, 11]), [1, 4]
    found = ContentLift().each(STORE, picks, rows)
    for at, pick in enumerate(picks):
        np.testing.assert_allclose(found[:, at], content_lift(STORE, [pick])[rows], rtol=1e-5)
