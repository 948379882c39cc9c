"""What items have in common, and co-occurrence seen through it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog import item_similarity
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_similarity import (
    attribute_values,
    co_occurrence_of_relatives,
    content_transitions,
)
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Item, UserProfile
from tests.fakes import FakeEncoder
from tests.ten_films import features_of, reasons_of


def unit_rows(n, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 40, 600])
def test_an_item_stands_for_itself_and_its_nearest(n):
    vectors = unit_rows(n)
    found = content_transitions(vectors).toarray()
    assert found.shape == (n, n)
    np.testing.assert_allclose(found.sum(axis=1), np.ones(n))
    cosine = (vectors @ vectors.T).astype(float)
    np.fill_diagonal(cosine, -np.inf)
    for row in range(n):
        nearest = np.argsort(-cosine[row])[: min(15, n - 1)]
        expected = np.zeros(n)
        expected[row] = 1
        expected[nearest] = np.maximum(cosine[row, nearest], 0) ** 3
        np.testing.assert_allclose(found[row], expected / expected.sum(), atol=1e-5)


def test_very_large_catalogs_have_no_relatives(monkeypatch):
    monkeypatch.setattr(item_similarity, "MOST_ITEMS", 9)
    assert content_transitions(unit_rows(10)).nnz == 0
    assert content_transitions(unit_rows(9)).nnz > 0


def test_rare_values_count_more_and_common_ones_nothing():
    found = attribute_values([{"brand": "A"}, {"brand": " a"}, {"brand": "B"}, {"brand": "A"}])
    found = found.toarray()
    assert found.shape == (4, 2)
    np.testing.assert_allclose(found[:, 0], [np.log(4 / 3) / np.log(4)] * 2 + [0] + [found[0, 0]])
    np.testing.assert_allclose(found[:, 1], [0, 0, 1, 0])
    assert not attribute_values([{"kind": "x"}] * 3).toarray().any()
    assert attribute_values([]).shape == (0, 0)
    assert attribute_values([{}]).shape == (1, 0)


def test_the_same_word_for_another_attribute_is_another_value():
    found = attribute_values([{"brand": "Apple"}, {"taste": "apple"}]).toarray()
    assert not (found[0] * found[1]).any()


IDS = tuple("abcdefgh")
LIKES = {"u": "abc", "v": "abd", "w": "cd", "x": "ef", "y": "fg"}


def counted(items=IDS):
    return Counts.fit(
        items, {u: UserProfile() for u in LIKES}, {u: tuple(x) for u, x in LIKES.items()}
    )


@settings(max_examples=50, deadline=None)
@given(st.sets(st.sampled_from(range(8)), min_size=1, max_size=4), st.integers(0, 5))
def test_it_is_two_steps_over_content_around_one_over_likes(picks, seed):
    counts, alike = counted(), content_transitions(unit_rows(8, seed))
    picks = sorted(picks)
    found = co_occurrence_of_relatives(counts, alike, np.arange(8), picks)
    size = counts.likes + 20
    cosine = counts.together.toarray() / np.sqrt(np.outer(size, size))
    step = alike.toarray()
    expected = (step[picks].sum(axis=0) @ cosine) @ step.T
    expected[picks] = 0
    if expected.max() > 0:
        expected /= expected.max()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_items_and_picks_nobody_has_met_are_judged_by_their_relatives():
    counts = counted(IDS[:7])  # nobody has met h
    vectors = unit_rows(8)
    vectors[7] = vectors[0]
    columns = np.array([*range(7), -1])
    as_pick = co_occurrence_of_relatives(counts, content_transitions(vectors), columns, [7])
    assert as_pick.argmax() in {1, 2}  # what is liked with a, like which h is
    as_item = co_occurrence_of_relatives(counts, content_transitions(vectors), columns, [1])
    assert as_item[7] > 0


def test_without_likes_in_common_there_is_nothing():
    counts = Counts.fit(IDS, {"u": UserProfile()}, {"u": ("a",)})
    found = co_occurrence_of_relatives(counts, content_transitions(unit_rows(8)), np.arange(8), [0])
    assert not found.any()


def tools():
    """Two makers; nobody bought anything together."""
    rows = (
        ("1", "Hammer", "Stanley"),
        ("2", "Tape measure", "Stanley"),
        ("3", "Drill", "Bosch"),
        ("4", "Screws", None),
    )
    catalog = Catalog(
        Item(item_id=i, title=t, attributes={"brand": m} if m else {}) for i, t, m in rows
    )
    counts = Counts.fit(catalog.ids, {"u": UserProfile()}, {"u": ("1",)})
    item_store = ItemStore(catalog, counts, FakeEncoder())
    item_store.sync()
    return item_store


def test_the_maker_is_a_signal_and_a_reason():
    item_store = tools()
    liked = UserProfile(liked=["1"])
    found = features_of(ResolvedProfile(liked, Context()), item_store)["shares"]
    np.testing.assert_allclose(found, [1, 1, 0, 0])
    reasons = reasons_of({"liked": ["1"]}, item_store=item_store, k=3)
    assert "ame brand as Hammer: Stanley" in reasons["2"]
    assert not any("Hammer: " in reasons[i] for i in "34")


def test_a_changed_catalog_has_other_relatives():
    item_store = tools()
    assert item_store.alike.shape == (4, 4)
    item_store.catalog.add([Item(item_id="5", title="Hammer drill")])
    item_store.sync()
    assert item_store.alike.shape == (5, 5)
