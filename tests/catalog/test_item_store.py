"""The item store follows its catalog: every change gives what a new store would hold."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import HOPE, ItemStore
from coldstart.interactions.interaction_stats import Counts, popularity
from coldstart.schema import Item, UserProfile
from coldstart.scoring.registry import SIGNALS
from coldstart.testing import probes
from tests.fakes import FakeEncoder
from tests.ten_films import (
    FILMS,
    ITEM_STORE,
    NOBODY,
    PEOPLE,
    features_of,
    film,
    make_catalog,
    make_counts,
    make_item_store,
    recommend,
    resolved,
)


def test_a_new_item_borrows_from_its_neighbours_and_is_reachable():
    catalog = make_catalog()
    catalog.add(film("new", "Star Voyage Three", 1985, ("Sci-Fi", "Action")))
    item_store = make_item_store(catalog)
    row = item_store.rows["new"]
    near = item_store.near[0]
    assert len(near) == len(ITEM_STORE.ids)  # a small catalog: all of them
    lifts = np.arange(float(len(near)))
    assert item_store.spread(lifts)[row] == pytest.approx(np.quantile(lifts[near], HOPE))
    assert 0 < item_store.share[row] <= popularity(item_store.counts).max()
    assert features_of(NOBODY, item_store)["popularity"][row] > np.log(1e-4) + 1
    fan = resolved({"liked": ["1", "2"], "interests": ["sci-fi"]}, item_store=item_store)
    assert "new" in recommend(fan, item_store, k=5).item_ids


def test_an_item_that_was_counted_keeps_its_own_counts():
    assert ITEM_STORE.share.tolist() == popularity(ITEM_STORE.counts).tolist()
    assert ITEM_STORE.share[ITEM_STORE.rows["10"]] == 0


def test_without_counted_items_there_is_nothing_to_borrow():
    item_store = make_item_store(Catalog([film("x", "Xylophone"), film("y", "Yodel")]))
    assert item_store.share.tolist() == [0, 0]
    assert len(recommend(resolved(item_store=item_store), item_store)) == 2


def same(one, other):
    assert one.ids == other.ids
    assert one.rows == other.rows
    assert (one.content == other.content).all()
    assert one.near.tolist() == other.near.tolist()
    assert one.late.tolist() == other.late.tolist()
    assert one.share.tolist() == other.share.tolist()
    assert one.likes.tolist() == other.likes.tolist()
    assert one.category_column == other.category_column
    for name in ("has_category", "kinds", "usual", "met", "columns", "rows_of_columns", "year"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert np.array_equal(one.dated, other.dated, equal_nan=True)
    assert one.attributes.toarray().tolist() == other.attributes.toarray().tolist()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "update", "remove", "sync"]),
        st.sampled_from([*(f[0] for f in FILMS), "a", "b"]),
        st.sampled_from(["Moon Colony", "Star Voyage", "Zebra"]),
        st.sampled_from([(), ("Drama",), ("Western", "drama")]),
    ),
    max_size=12,
)


@given(CHANGES)
@settings(max_examples=50)
def test_sync_equals_a_fresh_start(changes):
    catalog = make_catalog()
    item_store = make_item_store(catalog)
    for what, item_id, title, categories in changes:
        if what == "sync":
            item_store.sync()
        elif what == "remove" and item_id in catalog:
            catalog.remove(item_id)
        elif what in ("add", "update") and (item_id in catalog) == (what == "update"):
            getattr(catalog, what)(film(item_id, title, categories=categories))
    item_store.sync()
    same(item_store, make_item_store(catalog))


class Random:
    """A random unit vector for each text: no two cosines are nearly equal."""

    def encode(self, texts):
        made = [np.random.default_rng(zlib.crc32(t.encode())).normal(size=16) for t in texts]
        vectors = np.array(made, dtype=np.float32).reshape(len(texts), 16)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


MANY = [str(n) for n in range(40)]  # the counts know the first thirty
STEPS = st.tuples(
    st.sampled_from(["add", "update", "remove", "again", "sync"]),
    st.lists(st.sampled_from(MANY), min_size=1, max_size=4, unique=True),
    st.builds(
        dict,
        title=st.text("abc ", min_size=3, max_size=5).filter(lambda t: t.strip()),
        year=st.none() | st.integers(1950, 1955),
        categories=st.lists(st.sampled_from(["Drama", "War", "drama"]), max_size=2),
        attributes=st.dictionaries(st.sampled_from("xy"), st.sampled_from("pq"), max_size=2),
    ),
)


@given(first=st.sets(st.sampled_from(MANY)), steps=st.lists(STEPS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_following_many_items_equals_a_fresh_start(first, steps):
    catalog = Catalog(film(i, f"Film {i}", 1950) for i in sorted(first, key=int))
    likes = {f"u{n}": [MANY[n], MANY[(7 * n) % 30], MANY[(3 * n) % 30]] for n in range(30)}
    counts = Counts.fit(MANY[:30], {u: UserProfile() for u in likes}, likes)
    item_store = ItemStore(catalog, counts, Random())
    for what, ids, about in steps:
        there = [i for i in ids if i in catalog]
        if what == "sync":
            item_store.sync()
        elif what == "add":
            catalog.add([film(i, **about) for i in ids if i not in catalog])
        elif what == "update":
            catalog.update([film(i, **about) for i in there])
        else:
            catalog.remove(there)
            catalog.add([film(i, **about) for i in there if what == "again"])
    item_store.sync()
    fresh = ItemStore(catalog, counts, Random())
    fresh.sync()
    same(item_store, fresh)


def test_additions_copy_no_content_and_leave_earlier_views_alone():
    catalog, counts = Catalog(film(i, f"Film {i}") for i in MANY), make_counts()
    item_store = ItemStore(catalog, counts, Random())
    item_store.sync()
    before, kept = item_store.content, item_store.content.copy()
    catalog.add([film("second", "Second"), film("third", "Third")])
    item_store.sync()
    assert np.shares_memory(item_store.content, before)
    assert np.array_equal(before, kept)
    catalog.update(film("second", "Another"))
    item_store.sync()
    assert not np.shares_memory(item_store.content, before)
    catalog.remove("3")
    catalog.add(film(str(n), f"Film {n}") for n in range(50, 70))
    item_store.sync()
    assert np.array_equal(before, kept)
    fresh = ItemStore(catalog, counts, Random())
    fresh.sync()
    same(item_store, fresh)


def test_whoever_is_interrupted_starts_afresh(monkeypatch):
    catalog, encoder = make_catalog(), FakeEncoder()
    item_store = ItemStore(catalog, make_counts(), encoder)
    item_store.sync()
    catalog.remove("1")
    catalog.add([film("a", "Zebra", 1950, ("War",)), film("1", "Moon", 1960)])
    with monkeypatch.context() as patch:
        patch.setattr(ItemStore, "spread", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            item_store.sync()
    catalog.update(film("2", "Star", 1961))
    item_store.sync()
    same(item_store, make_item_store(catalog))
    assert encoder.texts[10:] == ["Zebra. War", "Moon", "Star"]


def test_only_new_and_changed_items_are_encoded():
    catalog, encoder = make_catalog(), FakeEncoder()
    item_store = ItemStore(catalog, make_counts(), encoder)
    item_store.sync()
    item_store.sync()
    assert len(encoder.texts) == 10
    catalog.add(film("a", "Zebra"))
    catalog.update(film("1", "Star Voyage", 1979, ("Sci-Fi", "Action"), price=3))  # same content
    catalog.update(film("2", "Star Voyage II"))
    catalog.remove("3")
    item_store.sync()
    assert encoder.texts[10:] == ["Star Voyage II", "Zebra"]


def test_the_catalog_may_become_empty():
    catalog = make_catalog()
    item_store = make_item_store(catalog)
    catalog.remove(list(catalog.ids))
    item_store.sync()
    assert probes.features_of(item_store, resolved({"about": "x"})).shape == (0, len(SIGNALS))


def test_usual_kinds_are_those_of_what_people_like():
    likes = [i for _, x in PEOPLE.values() for i in x.split()]
    expected = np.mean([ITEM_STORE.kinds[ITEM_STORE.rows[i]] for i in likes], axis=0)
    np.testing.assert_allclose(ITEM_STORE.usual_kinds, expected)
    np.testing.assert_allclose((ITEM_STORE.kinds**2).sum(axis=1), 1.0)


def test_an_undated_item_counts_as_of_the_median_year():
    catalog = Catalog.from_items(
        [
            Item(item_id=str(n), title=f"t{n}", year=year)
            for n, year in enumerate((1950, 1990, 1998))
        ]
        + [Item(item_id="x", title="undated")]
    )
    item_store = ItemStore(catalog, Counts.fit([], {}, {}), FakeEncoder())
    item_store.sync()
    assert item_store.year.tolist() == [1950, 1990, 1998, 1990]


def test_vectors_of_many_items_are_made_in_blocks_with_room_for_more(monkeypatch):
    catalog = Catalog(film(str(n), f"Film {n}", 1950) for n in range(40))
    counts = Counts.fit(catalog.ids, {}, {})
    whole = ItemStore(catalog, counts, Random())
    whole.sync()
    monkeypatch.setattr("coldstart.catalog.item_store._ENCODED", 7)
    blocks = ItemStore(catalog, counts, Random())
    blocks.sync()
    assert (blocks.content == whole.content).all()
    room = blocks.content.base
    catalog.add(film("new", "Another", 1950))
    blocks.sync()
    assert blocks.content.base is room
    assert len(blocks.content) == 41
    assert (blocks.content[:40] == whole.content).all()


def test_the_texts_of_queries_are_not_kept():
    item_store = make_item_store(make_catalog())
    vector = item_store.vector_of("films for Zanzibarina")
    assert item_store.vector_of("films for Zanzibarina") is vector
    assert "Zanzibarina" not in str(item_store._queries)
    item_store.forget_queries()
    assert item_store._queries == {}
    assert item_store.vector_of("films for Zanzibarina") is not vector
