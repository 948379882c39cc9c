"""Of several items of one title, picks and texts choose the same: the one with the most likes."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import PickResolver, most_liked
from coldstart.schema import Context, Item, UserProfile
from coldstart.understanding.reader import RequestReader
from tests.fakes import FakeEncoder

LIKES = {"u1": ["new"], "u2": ["old", "new"], "u3": ["hit"], "u4": ["hit"]}
ITEMS = [
    Item(item_id="cold", title="Paris Wedding", year=2024),
    Item(item_id="old", title="Paris Wedding", year=1930),
    Item(item_id="new", title="Paris Wedding", year=1995),
    Item(item_id="hit", title="Parisian Weddings", year=1996),
    Item(item_id="first", title="Silent Harbour", year=1950),
    Item(item_id="second", title="Silent Harbour", year=1960),
]


@pytest.fixture(scope="module")
def item_store():
    users = {user: UserProfile() for user in LIKES}
    store = ItemStore(
        Catalog(ITEMS), Counts.fit(["old", "new", "hit"], users, LIKES), FakeEncoder()
    )
    store.sync()
    return store


@pytest.mark.parametrize(
    ("title", "chosen"), [("Paris Wedding", "new"), ("Silent Harbour", "first")]
)
def test_picks_and_texts_choose_the_same_item(item_store, title, chosen):
    resolver = PickResolver(item_store.catalog, item_store.counts)
    picked = resolver.resolve(UserProfile(liked=title), Context()).liked
    assert picked == [chosen]
    reader = RequestReader(item_store.catalog, item_store.counts)
    assert reader.read(f"I loved {title}").liked == (chosen,)


def test_a_cold_item_has_no_likes_and_ties_go_to_the_first(item_store):
    counts = item_store.counts
    assert most_liked(["cold", "old"], counts) == "old"
    assert most_liked(["cold"], counts) == "cold"
    assert most_liked(["second", "first"], counts) == "second"
