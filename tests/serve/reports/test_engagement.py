"""Shown and taken: one item once per person, taken only after it was shown, arms of one test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coldstart.schema import Item
from coldstart.serve.reports.engagement import EngagementCounts
from coldstart.serve.store import ItemReaction, ShownList

DAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
CATALOG = {
    f"i{n}": Item(item_id=f"i{n}", title=f"Item {n}", price=n, value=50 if n == 9 else None)
    for n in range(10)
}


def shown(person, items, arm=("", "toy"), at=DAY):
    return ShownList(person, tuple(items.split()), "toy", arm[0] or None, arm[1], at)


def did(person, item, kind="like", at=DAY + timedelta(minutes=5)):
    return ItemReaction(person, kind, item, at)


def report(lists, events=(), new=(), order=(), days=3):
    counts = EngagementCounts()
    counts.add_lists(lists)
    counts.add_reactions(events)
    since = (DAY - timedelta(days=days - 1)).replace(hour=0)
    return counts.report(CATALOG, new, since, DAY, order=order)


def test_an_item_counts_once_per_person_and_only_if_taken_after_it_was_shown():
    found = report(
        [shown("a", "i1 i2"), shown("a", "i1 i3", at=DAY + timedelta(minutes=9)), shown("b", "i1")],
        [
            did("a", "i1"),
            did("a", "i1", "click"),
            did("a", "i3"),  # before it was shown
            did("b", "i2"),  # never shown
            did("b", "i1", "dislike"),
        ],
        new={"i2"},
    )
    total = found.total
    assert (total.people, total.lists, total.shown, total.taken) == (2, 3, 4, 1)
    assert total.ctr.value == 0.25
    assert (total.converted, total.conversion.value) == (1, 0.5)
    assert (total.covered, total.coverage) == (3, 0.3)
    assert total.new_share.value == 0.25
    assert found.kinds == {"click": 1, "dislike": 1, "like": 1}
    assert [(i.item_id, i.title, i.shown, i.taken) for i in found.items] == [
        ("i1", "Item 1", 2, 1),
        ("i2", "Item 2", 1, 0),
        ("i3", "Item 3", 1, 0),
    ]


def test_a_click_is_taken_and_no_conversion():
    total = report([shown("a", "i1")], [did("a", "i1", "click")]).total
    assert (total.taken, total.converted) == (1, 0)


def test_every_day_is_there_and_an_item_belongs_to_the_day_it_was_first_shown():
    found = report(
        [shown("a", "i1 i2"), shown("a", "i1", at=DAY - timedelta(days=1))],
        [did("a", "i1")],
    )
    assert [(d.name, d.lists, d.shown, d.taken) for d in found.days] == [
        ("2026-11-25", 0, 0, 0),
        ("2026-11-26", 1, 1, 1),
        ("2026-11-27", 1, 1, 0),
    ]
    assert found.days[0].ctr.value is None


def test_arms_are_compared_within_their_test_only_the_control_first():
    lists = [shown(f"b{n}", "i1", ("t", "new")) for n in range(20)]
    lists += [shown(f"a{n}", "i1", ("t", "old"), DAY + timedelta(1)) for n in range(20)]
    lists += [shown(f"c{n}", "i1", ("none", "none"), DAY - timedelta(1)) for n in range(20)]
    events = [did(f"b{n}", "i1", at=DAY + timedelta(2)) for n in range(10)]
    events += [did(f"a{n}", "i1", at=DAY + timedelta(2)) for n in range(4)]
    found = report(lists, events, order=[("t", "old"), ("t", "new")])
    assert [(a.test, a.name) for a in found.arms] == [(None, "toy"), ("t", "old"), ("t", "new")]
    toy, old, new = found.arms
    assert toy.gain is old.gain is None
    assert new.gain == pytest.approx(0.5 - 0.2)
    assert new.gain_low < new.gain < new.gain_high
    assert [a.conversion.value for a in found.arms] == [0, 0.2, 0.5]


def test_items_that_left_the_catalog_cover_nothing():
    found = report([shown("a", "i1 gone")])
    assert found.total.covered == 1
    assert [i.title for i in found.items] == ["", "Item 1"]


def test_income_is_the_value_or_price_of_what_was_bought_per_person():
    lists = [shown("a", "i3 i9"), shown("b", "i3"), shown("c", "i4"), shown("d", "gone")]
    events = [did("a", "i3", "buy"), did("a", "i9", "buy"), did("b", "i3"), did("d", "gone", "buy")]
    income = report(lists, events).total.income
    assert income.value == (3 + 50) / 4
    assert 0 <= income.low < income.value < income.high
    free = EngagementCounts()
    free.add_lists(lists)
    for item in ({}, {"i3": Item(item_id="i3", title="Free")}):
        assert free.report(item, (), DAY, DAY).total.income.value is None


def test_nothing_shown_is_an_empty_report():
    found = report([])
    assert found.arms == found.items == []
    assert (found.total.people, found.total.ctr.value, found.total.coverage) == (0, None, 0)
