"""Signals of the catalog's own columns."""

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import PickResolver
from coldstart.schema import Context, Item, UserProfile
from coldstart.scoring.catalog_facts import CatalogFactsScorer
from coldstart.testing.trigrams import TrigramEncoder


def store(rows):
    catalog = Catalog(
        Item(item_id=str(n), title=f"Item {n}", popularity=sold, year=year)
        for n, (sold, year) in enumerate(rows)
    )
    made = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    made.sync()
    return made, PickResolver(catalog, made.counts).resolve(UserProfile(), Context())


def test_popularity_and_freshness():
    items, user = store([(10, 2000), (100, 2020), (None, None), (10, 2020)])
    found = CatalogFactsScorer().columns(user, items)
    assert found["catalog_popularity"].argmax() == 1
    assert found["freshness"] == pytest.approx([-1 / 3, 1 / 6, 0, 1 / 6])


def test_without_such_columns_they_are_zero():
    items, user = store([(None, None)] * 4)
    scorer = CatalogFactsScorer()
    assert not any(column.any() for column in scorer.columns(user, items).values())
    assert scorer.retrieve(user, items, lambda vector, n: np.zeros(0, dtype=int)) == []
    assert scorer.facts("sought", user, items, 0) is None


def test_a_part_has_the_values_of_the_whole():
    items, user = store([(n, 2000 + n) for n in range(10)])
    part = items.part(np.array([2, 5, 9]), [])
    whole, own = (CatalogFactsScorer().columns(user, i) for i in (items, part))
    assert own["catalog_popularity"] == pytest.approx(whole["catalog_popularity"][[2, 5, 9]])


def test_only_the_most_sold_tenth_is_called_popular():
    items, user = store([(n, None) for n in range(20)])
    scorer = CatalogFactsScorer()
    called = [row for row in range(20) if scorer.facts("sought", user, items, row) is not None]
    assert called == [18, 19]
