"""Categories by combination give what an array with a row per item gives."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.catalog import categorised
from coldstart.catalog.categorised import Categorised
from coldstart.catalog.row_sync import RowSync

OF_ITEMS = [("Toys", "Games"), (), ("games",), ("Toys", "Games"), ("Books",), ("Books", "Toys")]


def made(of_items=OF_ITEMS):
    now = {str(n): n for n in range(len(of_items))}
    return Categorised().followed(RowSync({}, now, now.keys(), frozenset()), of_items)


def dense(of_items=OF_ITEMS):
    names = sorted({c.casefold() for one in of_items for c in one})
    return np.array([[n in {c.casefold() for c in one} for n in names] for one in of_items])


@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_rows_sums_and_products(monkeypatch, kept):
    monkeypatch.setattr(categorised, "_KEPT", kept)
    found, has, values = made(), dense(), np.arange(6.0) + 1
    unit = has / np.maximum(np.sqrt(has.sum(axis=1, keepdims=True)), 1)
    assert list(found.column) == ["books", "games", "toys"]
    assert [(found.has == has).all() for _ in range(2)] == [True, True]
    np.testing.assert_allclose(found.unit, unit)
    np.testing.assert_allclose(found.unit_of([5, 0]), unit[[5, 0]])
    np.testing.assert_allclose(found.sums(values), values @ has)
    np.testing.assert_allclose(found.sums(has[:, 0]), has[:, 0].astype(int) @ has)
    np.testing.assert_allclose(found.total(values), values @ unit)
    np.testing.assert_allclose(found.fit(values[:3]), unit @ values[:3])
    assert (found.in_any([0, 1]) == has[:, :2].any(axis=1)).all()
    assert not found.in_any([]).any()
    assert found.in_how_many([0, 2]).tolist() == has[:, [0, 2]].sum(axis=1).tolist()
    among = found.combinations(np.array([True, True, True, True, False, False]))
    assert sorted(among.tolist()) == sorted(map(list, {tuple(row) for row in has[:4].tolist()}))


def test_a_part_has_the_rows_of_its_items_and_all_columns():
    part, rows = made().part(np.array([2, 4])), [2, 4]
    assert (part.has == dense()[rows]).all()
    assert part.sums(np.ones(2)).tolist() == [1, 1, 0]


def test_the_order_of_changes_leaves_no_trace():
    before = made()
    later = [*OF_ITEMS[1:], ("Lamps",)]
    now = {str(n + 1): n for n in range(len(later))}
    was = {str(n): n for n in range(len(OF_ITEMS))}
    carry = RowSync(was, now, frozenset({"6"}), frozenset({"0"}))
    followed, fresh = before.followed(carry, [("Lamps",)]), made(later)
    assert followed.column == fresh.column
    assert followed.fit(np.arange(4.0)).tolist() == fresh.fit(np.arange(4.0)).tolist()
    assert (followed.has == dense(later)).all()
