"""The lift of an item by its year, given picks."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.scoring.year_lift import CERTAIN, year_lift
from coldstart.testing.trigrams import TrigramEncoder

YEARS = [1950, 1951, 1990, 1991, 1992, 1993, 1994, None]


def store(years):
    catalog = Catalog(Item(item_id=f"i{n}", title=f"Film {n}", year=y) for n, y in enumerate(years))
    made = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    made.sync()
    return made


STORE = store(YEARS)


def test_one_pick_tells_nothing_of_years():
    assert not year_lift(STORE, [0]).any()
    assert not year_lift(STORE, [0, 7]).any()  # the other one has none
    assert not year_lift(store([None, None, None]), [0, 1]).any()


def test_near_years_rise_and_far_ones_fall_to_a_floor():
    lift = year_lift(STORE, [0, 1])
    assert lift[0] > 0
    assert (np.diff(lift[1:7]) <= 0).all()
    assert lift[6] >= np.log(1 - CERTAIN) * np.sqrt(0.5)
    assert lift[7] == 0


def test_years_that_most_items_have_tell_little():
    of_many, of_few = year_lift(STORE, [3, 4]), year_lift(STORE, [0, 1])
    assert 0 < of_many[3] < of_few[0]


def test_without_the_factor_it_is_a_ratio_of_mean_one():
    lift = year_lift(STORE, [1, 4])[:7] / np.sqrt(0.5)
    assert np.exp(lift).mean() == pytest.approx(1.0)


def test_more_picks_tell_more():
    two, four = year_lift(STORE, [2, 4]), year_lift(STORE, [2, 3, 4, 5])
    assert four[3] > two[3] > 0


def test_a_part_gives_the_values_of_the_whole():
    rows = np.array([1, 2, 4, 7])
    part = STORE.part(rows, [STORE.ids[1], STORE.ids[2]])
    np.testing.assert_allclose(year_lift(part, [0, 1]), year_lift(STORE, [1, 2])[rows])
