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


def colliding():
    catalog = make_catalog()
    catalog.add([film("77", "2", 1950), film("X", "1", 1951)])
    return make_item_store(catalog)


@pytest.mark.parametrize("field", ["liked", "disliked", "seen"])
def test_a_text_that_is_a_title_and_another_items_id_is_refused_with_both(field):
    message = (
        r"^liked: '2' is the title of 2 \(1950\) \[77\] and the id of .* \[2\] "
        r"\(write 'title:2' or 'id:2'\)$"
    )
    with pytest.raises(ProfileError, match=message.replace("liked", field)):
        resolved({field: "2"}, item_store=colliding())


@pytest.mark.parametrize(
    ("pick", "item"),
    [
        ("id:2", "2"),
        ("title:2", "77"),
        ("2 (1950)", "77"),
        ({"item": "2", "by": "id"}, "2"),
        ({"item": "2", "by": "title"}, "77"),
    ],
)
def test_both_readings_can_be_asked_for(pick, item):
    assert resolved({"liked": [pick]}, item_store=colliding()).liked == [item]


def test_an_ignored_ambiguous_pick_is_read_as_the_others_or_left_out():
    ids = resolved({"liked": ["2", "3"]}, unknown="ignore", item_store=colliding())
    assert ids.liked == ["2", "3"]
    titles = resolved({"liked": ["2", "Star Voyage"]}, unknown="ignore", item_store=colliding())
    assert titles.liked == ["77", "1"]
    alone = resolved({"liked": ["2"]}, unknown="ignore", item_store=colliding())
    assert alone.liked == []
    assert alone.notes == ("title of one item and id of another, left out: '2'",)


def test_how_each_typed_pick_was_read_is_told():
    user = resolved({"liked": ["2", {"item": "3", "by": "id"}], "seen": "star voyage"})
    assert [(r.field, r.text, r.item_id, r.by) for r in user.readings] == [
        ("liked", "2", "2", "id"),
        ("seen", "star voyage", "1", "title"),
    ]
    assert recommend(user).picks == user.readings


def test_a_reading_names_the_other_items_of_the_title():
    catalog = make_catalog()
    catalog.add([film("0", "Paris Wedding", 1950)])
    (reading,) = resolved({"liked": "Paris Wedding"}, item_store=make_item_store(catalog)).readings
    assert reading.item_id == "6"
    assert reading.note.endswith("not Paris Wedding (1950) [0]")


def test_resolved_picks_are_ids():
    user = resolved({"liked": ["2", "Star Voyage"]})
    assert {p.by for p in user.profile.liked} == {"id"}
    again = resolved({"liked": user.profile.liked}, item_store=colliding())
    assert again.liked == user.liked
    assert again.readings == ()


@pytest.mark.parametrize("text", ["1, 2", "1;2", "1|2", "Star Voyage, 2", "['Star Voyage', '2']"])
def test_several_picks_in_one_text(text):
    user = resolved({"liked": text})
    assert user.liked == ["1", "2"]
    assert len(user.readings) == 2


def test_unknown_parts_of_a_text_are_named_by_themselves():
    with pytest.raises(ProfileError, match="^liked: 'Star Voyag' is neither"):
        resolved({"liked": "1; Star Voyag"})
    assert resolved({"liked": "1; qq; 2"}, unknown="ignore").unknown == ("qq",)


def test_an_id_that_is_only_a_title_is_named():
    catalog = make_catalog()
    catalog.add([film("X", "1917", 2019)])
    with pytest.raises(ProfileError, match="no item has the id '1917'.*title of item 'X'"):
        resolved({"liked": {"item": "1917", "by": "id"}}, item_store=make_item_store(catalog))


def test_a_wrong_year_gets_the_right_one():
    with pytest.raises(ProfileError, match=r"did you mean 'Star Voyage \(1979\)'?"):
        resolved({"liked": "Star Voyage (1980)"})


def test_a_misspelt_id_gets_the_nearest():
    catalog = make_catalog()
    catalog.add([film("tt0114709", "Wooden Friends", 1995)])
    with pytest.raises(ProfileError, match="did you mean 'tt0114709'?"):
        resolved({"liked": "tt011470"}, item_store=make_item_store(catalog))
