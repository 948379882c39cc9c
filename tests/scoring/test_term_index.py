"""BM25 over items: bm25s as an oracle, and the index after changes of the catalog."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from bm25s import BM25
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from coldstart.scoring.term_index import TermIndexes, scores_of
from coldstart.scoring.words import terms
from tests.ten_films import ITEM_STORE, film, make_catalog, make_item_store

WORDS = "alien garden letter train night star voyage 恐怖片".split()
titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


def title_terms(item):
    return terms(item.title)


def scores(catalog, query, indexes=None):
    return (indexes or TermIndexes(title_terms)).of(catalog).scores(terms(query))


def catalog_of(names):
    return Catalog(Item(item_id=f"i{n}", title=name) for n, name in enumerate(names))


@given(st.lists(titles, min_size=1, max_size=12), titles)
def test_scores_are_those_of_bm25s(names, query):
    oracle = BM25(backend="numpy")
    oracle.index([terms(name) for name in names], show_progress=False)
    wanted = oracle.get_tokens_ids(sorted(set(terms(query))))
    expected = oracle.get_scores_from_ids(wanted) if wanted else np.zeros(len(names))
    assert scores(catalog_of(names), query) == pytest.approx(expected, rel=1e-5)


changes = st.lists(
    st.tuples(st.sampled_from(["add", "update", "remove"]), st.integers(0, 9), titles), max_size=8
)


@settings(max_examples=60)
@given(st.lists(titles, max_size=6), changes, titles)
def test_after_changes_it_is_the_index_of_the_new_catalog(names, steps, query):
    catalog, indexes = catalog_of(names), TermIndexes(title_terms)
    for what, n, title in steps:
        if (what == "add") == (f"i{n}" in catalog):
            continue
        change = f"i{n}" if what == "remove" else Item(item_id=f"i{n}", title=title)
        getattr(catalog, what)(change)
        again = Catalog(catalog)
        assert scores(catalog, query, indexes) == pytest.approx(scores(again, query))


def test_only_changed_items_are_read_again():
    read = []

    def terms_of(item):
        read.append(item.item_id)
        return title_terms(item)

    catalog, indexes = catalog_of(["alien", "garden"]), TermIndexes(terms_of)
    indexes.of(catalog)
    catalog.add(Item(item_id="new", title="star"))
    first = indexes.of(catalog)
    assert read == ["i0", "i1", "new"]
    assert indexes.of(catalog) is first


def test_another_catalog_has_another_index():
    indexes = TermIndexes(title_terms)
    assert scores(catalog_of(["alien", "star"]), "star", indexes).argmax() == 1
    assert scores(catalog_of(["star", "alien"]), "star", indexes).argmax() == 0


def test_it_keeps_no_catalog():
    indexes, catalog = TermIndexes(title_terms), catalog_of(["alien"])
    indexes.of(catalog)
    kept = weakref.ref(catalog)
    del catalog
    gc.collect()
    assert kept() is None


def test_a_part_of_the_catalog_has_the_scores_of_the_whole():
    index = TermIndexes(title_terms).of(ITEM_STORE.catalog)
    whole = scores_of(index, ITEM_STORE, terms("garden of letters"))
    rows = np.array([0, 3, 4, 8])
    part = scores_of(index, ITEM_STORE.part(rows, []), terms("garden of letters"))
    np.testing.assert_array_equal(part, whole[rows])
    assert ITEM_STORE.ids[whole.argmax()] == "5"


def test_items_that_the_index_lacks_score_zero():
    store = make_item_store(make_catalog())
    before = TermIndexes(title_terms).of(store.catalog)
    store.catalog.remove("5")
    store.catalog.add(film("11", "Garden"))
    store.sync()
    found = scores_of(before, store, ["garden"])
    assert {store.ids[n] for n in np.flatnonzero(found)} == {"4"}
