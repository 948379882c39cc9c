"""Picks are resolved by id or title, and unknown ones are errors with a suggestion."""

from datetime import datetime

import pytest

from coldstart.errors import ConfigError, ProfileError
from tests.ten_films import film, make_catalog, make_item_store, recommend, resolved


def test_picks_take_ids_and_titles():
    user = resolved({"liked": ["2", "star voyage (1979)"], "seen": 5}, {"viewing": "Night Train"})
    assert user.liked == ["2", "1", "8"]
    assert [p.item for p in user.profile.seen] == ["5"]
    assert user.unknown == ()


def test_an_item_named_twice_is_one_pick():
    user = resolved(
        {"liked": ["1", {"item": "Star Voyage", "at": "2024-01-01"}, "2"]}, {"viewing": "1"}
    )
    assert [(p.item, p.at) for p in user.profile.liked] == [("1", None), ("2", None)]
    assert user.liked == ["1", "2"]


def test_picks_keep_their_times():
    user = resolved({"liked": {"item": "Star Voyage", "at": "2024-01-01"}})
    assert user.profile.liked[0].at == datetime(2024, 1, 1)


def test_of_namesakes_the_more_liked_is_meant():
    catalog = make_catalog()
    catalog.add([film("0", "Paris Wedding", 1950), film("99", "Unseen Reels", 1950)])
    item_store = make_item_store(catalog)
    user = resolved({"liked": ["Paris Wedding", "Unseen Reels"]}, item_store=item_store)
    assert user.liked == ["6", "10"]


@pytest.mark.parametrize("field", ["liked", "disliked", "seen"])
def test_unknown_pick_names_the_nearest_title(field):
    with pytest.raises(ProfileError, match=f"^{field}: 'Star Voyag' is neither .*'Star Voyage'"):
        resolved({field: ["1", "Star Voyag"]})


def test_unknown_pick_without_a_near_title_says_what_to_do():
    with pytest.raises(ProfileError, match="^viewing: 'qqqq' is neither.*unknown_picks='ignore'"):
        resolved(None, {"viewing": "qqqq"})


def test_unknown_picks_can_be_left_out():
    user = resolved({"liked": ["1", "x1"], "seen": ["x2"]}, {"viewing": "x3"}, unknown="ignore")
    assert user.liked == ["1"]
    assert user.context.viewing is None
    assert user.unknown == ("x1", "x2", "x3")
    notes = recommend(user).notes
    assert "not in the catalog, left out: 'x1'" in notes


def test_unknown_may_be_error_or_ignore():
    with pytest.raises(ConfigError, match="unknown_picks is 'maybe'.*error or ignore"):
        resolved(unknown="maybe")
