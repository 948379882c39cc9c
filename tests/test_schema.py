import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from coldstart.errors import CatalogError, ConfigError, ProfileError
from coldstart.schema import (
    Candidate,
    Context,
    DecodingConfig,
    Grounding,
    Item,
    Pick,
    Provenance,
    Recommendation,
    RecommendationList,
    UserProfile,
    parse,
)

words = st.text(min_size=1, max_size=20).filter(lambda s: s.strip())
profiles = st.builds(
    UserProfile,
    age=st.none() | st.integers(0, 130),
    gender=st.none() | words,
    interests=st.lists(words, max_size=3),
    about=st.none() | st.text(max_size=50),
    liked=st.lists(words | st.builds(Pick, item=words, at=st.datetimes()), max_size=3),
    attributes=st.dictionaries(words, words, max_size=3),
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"agee": 3}, r"invalid profile: agee: Extra inputs .*\(fields: user_id, age"),
        ({"age": -1}, r"invalid profile: age: .* greater than or equal to 0"),
        ({"age": 131}, "age: .* less than or equal to 130"),
        ({"age": True}, "age: .*got a boolean"),
        ({"age": 24.5}, "age: .*fractional part"),
        ({"age": "old"}, "age: .*integer"),
        ({"liked": [{"item": "x", "when": 3}]}, r"liked\.0\.when: Extra"),
        ({"liked": [""]}, r"liked\.0\.item: .*at least 1 character"),
        ({"liked": 3.5}, "liked: .*tuple"),
        ({"interests": ["ok", "x" * 501]}, r"interests\.1: .*at most 500"),
        ({"age": -1, "gender": ""}, "age: .*; gender: "),
        ("just text", "invalid profile: profile: "),
        (None, "invalid profile: profile: "),
    ],
)
def test_a_bad_profile_is_one_line_with_the_path_of_the_field(data, message):
    with pytest.raises(ProfileError, match=message) as caught:
        UserProfile.parse(data)
    assert "\n" not in str(caught.value)


def test_a_bad_context_and_a_bad_item_say_what_they_are():
    with pytest.raises(ProfileError, match="invalid context: weather: "):
        Context.parse({"weather": "rain"})
    with pytest.raises(CatalogError, match="invalid item: title: Field required"):
        parse(Item, {"item_id": 3}, "item", CatalogError)


@pytest.mark.parametrize(
    "liked",
    ["50", 50, {"item": "50"}, Pick(item="50"), ["50"], (50,), [{"item": "50"}], [Pick(item="50")]],
)
def test_picks_take_many_forms(liked):
    assert UserProfile(liked=liked).liked == (Pick(item="50"),)


def test_one_text_is_a_list_of_one():
    assert UserProfile(interests="Sci-Fi").interests == ("Sci-Fi",)
    assert Context(viewing="Toy Story").viewing == Pick(item="Toy Story")


def test_models_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        UserProfile(age=3).age = 4


def test_parse_passes_models_through():
    profile = UserProfile(age=3)
    assert UserProfile.parse(profile) is profile
    context = Context(device="phone")
    assert Context.parse(context) is context


@settings(deadline=None)
@given(profiles)
def test_profiles_survive_json(profile):
    assert UserProfile.parse(json.loads(profile.model_dump_json())) == profile


def test_what_a_profile_says():
    assert UserProfile().is_empty()
    assert UserProfile(user_id="7").is_empty()
    assert not UserProfile(seen="1").is_empty()
    profile = UserProfile(age=24, interests=["Noir"], about="twists", attributes={"diet": "vegan"})
    assert profile.demographics() == {"age": "24", "diet": "vegan"}
    assert profile.free_text() == "Noir. twists"
    assert Context(occasion="date", text="quiet").free_text() == "date. quiet"


def test_item_ids_are_text_and_numbers_have_bounds():
    film = Item(item_id=3, title=" Alien ", year=1979, categories=["Horror"])
    assert (film.item_id, film.content_text()) == ("3", "Alien. Horror")
    with pytest.raises(ValidationError, match="item_id"):
        Item(item_id=True, title="Alien")
    with pytest.raises(ValidationError, match="price"):
        Item(item_id="3", title="Alien", price=-1)


def test_a_grounding_without_matches_abstained():
    candidate = Candidate(text="Aliens", logprob=-1.0, strategy="free")
    assert Grounding(candidate=candidate, method="abstained").abstained
    with pytest.raises(ValidationError, match="logprob"):
        Candidate(text="Aliens", logprob=0.5, strategy="free")


def test_a_recommendation_list_is_a_sequence():
    lines = tuple(
        Recommendation(
            rank=n,
            item_id=str(n),
            title="x",
            score=-n,
            reason="",
            provenance=Provenance(strategy="prior"),
        )
        for n in (1, 2, 3)
    )
    result = RecommendationList(items=lines, k=3, strategy="prior")
    assert result.item_ids == ["1", "2", "3"]
    assert (len(result), result[0], result[1:], tuple(result)) == (3, lines[0], lines[1:], lines)
    assert json.loads(json.dumps(result.to_dict()))["items"][2]["rank"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "greedy"),
        ("n", 0),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("top_k", 0),
        ("groups", 0),
        ("diversity", -1.0),
        ("max_new_tokens", 1),
        ("choices", "catalog"),
    ],
)
def test_decoding_parameters_are_checked(name, value):
    with pytest.raises(ConfigError, match=f"{name} is {value!r}"):
        DecodingConfig(**{name: value})
