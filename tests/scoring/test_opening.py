"""The list for a person of whom nothing is known."""

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import PickResolver
from coldstart.schema import Context, Item, UserProfile
from coldstart.scoring.opening import SCREEN, OpeningScorer, cover
from coldstart.scoring.resources import ItemResources
from coldstart.testing.trigrams import TrigramEncoder

KINDS = ("oak chair", "green tea", "running shoe", "crime novel")


def items_of(n=40, **fields):
    items = [
        Item(item_id=str(i), title=f"{KINDS[i % 4]} {'abcdefghij'[i // 4]}", **fields)
        for i in range(n)
    ]
    return store(items)


def store(items):
    catalog = Catalog(items)
    made = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    made.sync()
    return made


def user(items, **profile):
    return PickResolver(items.catalog, items.counts).resolve(UserProfile(**profile), Context())


def test_the_first_places_stand_for_one_kind_each():
    items = items_of()
    chosen = [items.items[row].title[:5] for row in cover(items, 4)]
    assert len(set(chosen)) == 4


def test_well_known_items_stand_for_their_kind_and_what_cannot_be_had_is_left_out():
    items = items_of(40)
    known = [
        i.model_copy(update={"popularity": 500.0 if i.item_id == "8" else 1.0}) for i in items.items
    ]
    known[9] = known[9].model_copy(update={"available": False})
    chosen = cover(store(known), 40)
    assert chosen.index(8) == 0
    assert 9 not in chosen
    assert sorted(chosen) == [n for n in range(40) if n != 9]


def test_it_is_off_until_an_artifact_turns_it_on():
    items = items_of()
    off = OpeningScorer()
    assert not off.columns(user(items), items)["opening"].any()
    assert off.save() == {}
    off.load(OpeningScorer(5).save())
    values = off.columns(user(items), items)["opening"]
    assert np.count_nonzero(values) == 5
    assert values.max() == pytest.approx(np.log(6))


@pytest.mark.parametrize(
    "profile", [{"about": "tea"}, {"liked": "0"}, {"disliked": "0"}, {"interests": "shoes"}]
)
def test_a_request_that_states_anything_has_none(profile):
    items = items_of()
    assert not OpeningScorer(5).columns(user(items, **profile), items)["opening"].any()


def test_it_follows_the_catalog():
    items, scorer = items_of(), OpeningScorer(5)
    before = scorer.columns(user(items), items)["opening"]
    items.catalog.remove([items.ids[int(before.argmax())]])
    items.sync()
    after = scorer.columns(user(items), items)["opening"]
    assert len(after) == len(before) - 1
    assert np.count_nonzero(after) == 5


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"places": -1}', b'{"places": "x"}'])
def test_damaged_state_is_refused(data):
    with pytest.raises(ArtifactError, match="the state of the scorer 'opening' is damaged"):
        OpeningScorer().load({"opening.json": data})


def test_it_fades_as_likes_are_observed():
    """With as many likes as a first screen shows an eighth is left, however long the list is."""
    items = items_of()
    resources = ItemResources(items)
    scorer = OpeningScorer(10)
    scorer.sync(resources)
    user = PickResolver(items.catalog, items.counts, "error").resolve(UserProfile(), Context())
    whole = scorer.columns(user, items)["opening"]
    resources.observed_likes = SCREEN
    np.testing.assert_allclose(scorer.columns(user, items)["opening"], whole / 8)
