"""Requests carried over to another catalog, by title and year."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.matching import match_items, onto
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import DataError
from coldstart.schema import Item


def catalog(*rows):
    """Items (id, title, year)."""
    return Catalog.from_items(
        Item(item_id=i, title=title, year=year[0] if year else None) for i, title, *year in rows
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ([("a", "Heat", 1995)], [("1", "Heat", 1995)], {"a": "1"}),
        ([("a", "The Usual Suspects", 1995)], [("1", "Usual Suspects, The", 1995)], {"a": "1"}),
        ([("a", "Heat", 1996)], [("1", "Heat", 1995)], {"a": "1"}),
        ([("a", "Heat", 1997)], [("1", "Heat", 1995)], {}),
        ([("a", "Heat", 1995)], [("1", "Heat", 1986), ("2", "Heat", 1995)], {"a": "2"}),
        ([("a", "Heat", 1995)], [("1", "Heat", 1994), ("2", "Heat", 1995)], {"a": "2"}),
        ([("a", "Heat")], [("1", "Heat", 1995)], {"a": "1"}),
        ([("a", "Heat", 1995)], [("1", "Heat")], {"a": "1"}),
        ([("a", "Heat")], [("1", "Heat", 1986), ("2", "Heat", 1995)], {}),
        ([("a", "Heat", 1995)], [("1", "Heat"), ("2", "Heat", 1986)], {}),
        ([("a", "Heat", 1995)], [("1", "Cold", 1995)], {}),
        ([("a", "!!!", 1995)], [("1", "???", 1995)], {}),
        # An item is matched once at most, and whoever is closest has it.
        ([("a", "Heat", 1996), ("b", "Heat", 1995)], [("1", "Heat", 1995)], {"b": "1"}),
        ([("a", "Heat"), ("b", "Heat", 1996)], [("1", "Heat", 1995)], {"b": "1"}),
        # One that loses its closest match takes the other that is close enough.
        (
            [("a", "Heat", 1996), ("b", "Heat", 1995)],
            [("1", "Heat", 1995), ("2", "Heat", 1997)],
            {"b": "1", "a": "2"},
        ),
        (
            [("a", "Heat", 1995), ("b", "Heat", 1995)],
            [("1", "Heat", 1995), ("2", "Heat", 1996)],
            {"a": "1", "b": "2"},
        ),
    ],
)
def test_matches(theirs, ours, expected):
    assert match_items(catalog(*theirs), catalog(*ours)) == expected


def test_a_catalog_is_matched_with_itself_item_by_item():
    own = catalog(("a", "Heat", 1995), ("b", "Heat", 1995), ("c", "Heat"))
    assert match_items(own, own) == {"a": "a", "b": "b", "c": "c"}


def log(items):
    def request(chosen, mentioned=()):
        picks = (tuple(RequestItem(i, liked=True) for i in ids) for ids in (chosen, mentioned))
        return RecordedRequest("words", *picks)

    return RequestLog(
        "theirs", items, [request("ab", "c")], [request("c")], [request("b"), request("a", "b")]
    )


THEIRS = catalog(("a", "Heat", 1995), ("b", "Fargo", 1996), ("c", "Alien", 1979))


def test_requests_are_carried_over():
    ours = catalog(("1", "Heat", 1995), ("3", "Alien", 1979))
    found = onto(log(THEIRS), ours)
    assert found.catalog is ours
    assert found.train[0].chosen == (RequestItem("1", liked=True),)
    assert found.train[0].mentioned == (RequestItem("3", liked=True),)
    assert [r.chosen[0].item_id for r in found.valid] == ["3"]
    assert [(r.chosen[0].item_id, r.mentioned) for r in found.test] == [("1", ())]


def test_over_their_own_catalog_they_stay():
    own = log(THEIRS)
    assert onto(own, THEIRS) is own


def test_a_catalog_of_something_else_is_refused():
    with pytest.raises(DataError, match=r"no item of theirs is in the catalog.*same domain"):
        onto(log(THEIRS), catalog(("1", "Soap", 1995)))
