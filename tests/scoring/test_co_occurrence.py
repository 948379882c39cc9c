"""Co-occurrence with the liked items and the one looked at."""

from tests.ten_films import ITEM_STORE, features_of, resolved


def test_picks_and_viewing_speak_for_items_liked_together():
    for user in (resolved({"liked": ["Star Voyage"]}), resolved(None, {"viewing": "1"})):
        picks = features_of(user)["picks"]
        assert ITEM_STORE.ids[picks.argmax()] == "9"
        assert picks[ITEM_STORE.rows["1"]] == 0
