"""Content similarity to picks, texts, interests and dislikes."""

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from tests.fakes import FakeEncoder
from tests.ten_films import ITEM_STORE, features_of, film, make_counts, resolved


def test_alike_standardises_similarity_and_grows_with_the_picks():
    one = features_of(resolved({"liked": ["1"]}))["alike"]
    two = features_of(resolved({"liked": ["1", "4"]}))["alike"]
    assert ITEM_STORE.ids[one.argmax()] == "1"
    assert one.std() == pytest.approx(1 / 2)
    assert two.std() == pytest.approx(np.sqrt(2) / (1 + np.sqrt(2)))


def test_words_follow_all_that_is_said():
    user = resolved({"interests": ["gardens"], "about": "and letters"}, {"occasion": "wedding"})
    words = features_of(user)["words"]
    vector = FakeEncoder().encode(["gardens. and letters. wedding"])[0]
    similarity = (ITEM_STORE.content @ vector).astype(float)
    assert words == pytest.approx((similarity - similarity.mean()) / similarity.std())
    assert ITEM_STORE.ids[words.argmax()] == "5"


def test_words_that_clean_to_nothing_say_nothing():
    assert not features_of(resolved({"about": "\x00 &nbsp;"}))["words"].any()


def test_items_of_equal_content_get_no_rounding_noise():
    class Batched(FakeEncoder):
        """Real encoders give equal texts vectors that differ in the last bits."""

        def encode(self, texts):
            noise = 1 + np.arange(len(texts), dtype=np.float32)[:, None] * 1e-7
            return super().encode(texts) * noise

    catalog = Catalog(film(f"t{n}", "Twin") for n in range(20))
    item_store = ItemStore(catalog, make_counts(), Batched())
    item_store.sync()
    found = features_of(
        resolved({"about": "twins", "liked": ["t1"]}, item_store=item_store), item_store
    )
    assert not found["words"].any()
    assert not found["alike"].any()


def test_interests_are_the_share_that_names_a_category():
    user = resolved({"interests": [" sci-fi", "DRAMA", "submarines"]})
    expected = {"1": 0.5, "2": 0.5, "3": 1.0, "4": 0.5, "5": 0.5, "10": 0.5}
    found = dict(zip(ITEM_STORE.ids, features_of(user)["interests"], strict=True))
    assert found == {i: expected.get(i, 0.0) for i in ITEM_STORE.ids}


def test_dislikes_point_at_what_is_close():
    dislikes = dict(
        zip(ITEM_STORE.ids, features_of(resolved({"disliked": ["1"]}))["dislikes"], strict=True)
    )
    assert dislikes["2"] > dislikes["4"]
    assert max(dislikes, key=dislikes.__getitem__) in ("1", "2")
