"""Texts replace earlier ones, and parts of them are taken back."""

import pytest

from coldstart.errors import ConfigError, ProfileError
from coldstart.schema import Understood
from coldstart.session import OnboardingSession, SessionState
from coldstart.session.state import TextGiven
from coldstart.session.taken_back import left_of, less
from tests.session.sessions import REC, ranked, start

read = REC.pipeline.understand.read


def span(text, part):
    at = text.index(part)
    return at, at + len(part)


@pytest.mark.parametrize(
    ("text", "part", "wanted", "pieces"),
    [
        ("science fiction and drama", "drama", "science fiction", {("Sci-Fi", True)}),
        ("science fiction and drama", "science fiction", "drama", {("Drama", True)}),
        ("drama, like Fargo", "like Fargo", "drama", {("Drama", True)}),
        ("drama, no science fiction", "science fiction", "drama", {("Drama", True)}),
    ],
)
def test_a_part_leaves_the_reading_and_what_encoders_compare(text, part, wanted, pieces):
    found = less(read(text), [span(text, part)])
    assert found.wanted_text == wanted
    assert {(p.value, p.wanted) for p in found.pieces if p.kind != "title"} == pieces
    assert part not in found.text
    assert all(found.text[p.start : p.end] == p.words for p in found.pieces)


def test_nothing_is_said_when_all_of_it_is_taken_back():
    assert less(read("no drama"), [(3, 8)]) == Understood()
    assert left_of("no drama", [(0, 8)]) == ""
    assert less(read("no drama"), []) == read("no drama")


def test_a_text_that_replaces_takes_the_place_of_all_before():
    fresh = start().say("science fiction")
    session = start().say("drama").say("like Alien").say("science fiction", replaces=True)
    assert session.understood_so_far == fresh.understood_so_far
    assert session.profile == fresh.profile
    assert ranked(session) == ranked(fresh)


def test_it_replaces_what_the_profile_says_in_words_and_nothing_else_of_it():
    profile = {"age": 30, "about": "no drama", "interests": ["Sci-Fi"], "liked": ["i4"]}
    session = start().with_profile(profile).say("from the 1980s", replaces=True)
    assert session.understood_so_far == session.understood == read("from the 1980s")
    assert session.profile.about == "from the 1980s"
    assert (session.profile.age, session.profile.interests) == (30, ("Sci-Fi",))
    assert [p.item for p in session.profile.liked] == ["i4"]
    assert session.with_profile(profile).understood_so_far.values("category", wanted=False)


def test_an_empty_text_takes_everything_back():
    session = start().say("no drama").say("", replaces=True)
    assert session.understood == session.understood_so_far == Understood()
    assert ranked(session) == ranked(start())
    assert [e.text for e in session.state.events] == [""]


def test_a_state_does_not_grow_with_texts_that_are_replaced():
    session = start().feedback("i4", "like")
    for n in range(50):
        session = session.say(f"drama {n}", replaces=True)
    assert [e.kind for e in session.state.events] == ["feedback", "said"]


def test_likes_and_answers_stay_when_a_text_is_replaced():
    session = start().feedback("i4", "like").say("like Alien").say("drama", replaces=True)
    assert [p.item for p in session.profile.liked] == ["i4"]
    assert session.say("", replaces=True).profile.interests == ()


def test_a_part_taken_back_in_a_session():
    text = "science fiction, no drama"
    session = start().say(text, replaces=True, without=[span(text, "no drama")])
    assert session.understood.values("category", wanted=False) == ()
    assert ranked(session) == ranked(start().say("science fiction"))


def test_the_state_has_both_and_old_states_still_load():
    session = start().say("drama and war", replaces=True, without=[(6, 13)])
    text = session.state.model_dump_json()
    assert '"replaces":true,"without":[[6,13]]' in text
    assert OnboardingSession(REC, SessionState.model_validate_json(text)).profile == session.profile
    old = '{"version":1,"events":[{"at":null,"kind":"said","text":"drama"}]}'
    loaded = OnboardingSession(REC, SessionState.model_validate_json(old))
    assert loaded.understood.values("category") == ("Drama",)


@pytest.mark.parametrize("without", [[(3, 2)], [(0, 99)], [(2, 2)]])
def test_a_part_that_is_none_is_refused(without):
    with pytest.raises(ProfileError, match="without is .*, the text has 5 characters"):
        start().say("drama", without=without)
    with pytest.raises(ConfigError, match="a part is empty, or not within the text"):
        SessionState.parse(
            {"events": [{"kind": "said", "text": "drama", "without": list(without)}]}
        )


def test_an_empty_text_alone_is_refused():
    with pytest.raises(ProfileError, match="the text is ''"):
        start().say("")
    with pytest.raises(ValueError, match="an empty text says nothing"):
        TextGiven(text="")
