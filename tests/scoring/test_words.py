"""Terms of texts in every script, and what a request asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Piece, Understood, UserProfile
from coldstart.scoring.words import asked_text, ending, spelled_terms, terms

texts = st.text(max_size=80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'd like to watch funny Westerns, please!", ["funni", "western"]),
        ("Amélie and AMELIE's", ["ameli", "ameli"]),
        ("rom-com 1995", ["rom", "com", "1995"]),
        ("ﬁnal Ｆｕｌｌ", ["final", "full"]),
        ("恐怖电影", ["恐怖", "怖电", "电影"]),
        ("龍 red龍虎", ["龍", "red", "龍虎"]),
        ("한국영화", ["한국", "국영", "영화"]),
        ("トトロ", ["トト", "トロ"]),
        ("हिन्दी Война", ["हिन्दी", "война"]),
        ("the movie, 什么", []),
        ("🎬 … _ \x00", []),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


@given(texts)
def test_any_text_has_terms_without_spaces_that_are_those_of_its_spelling(text):
    found = terms(text)
    assert all(term and not any(c.isspace() for c in term) for term in found)
    assert list(spelled_terms(text)) == list(dict.fromkeys(found))


@given(st.lists(st.sampled_from("Alien scary 恐怖片 toys Amélie 1995".split()), max_size=6))
def test_terms_of_joined_texts_are_those_of_the_parts(parts):
    assert terms(" ".join(parts)) == [term for part in parts for term in terms(part)]


def test_spelled_terms_keep_the_first_spelling():
    assert spelled_terms("Westerns, a western") == {"western": "Westerns"}


@given(texts, st.integers(1, 40))
def test_an_ending_is_short_and_ends_the_text(text, size):
    found = ending(text, size)
    assert len(found) <= size
    assert text == found or text.rstrip().endswith(found)


def test_an_ending_starts_at_a_word():
    assert ending("I want something gentle", 16) == "something gentle"
    assert ending("I want something gentle", 12) == "gentle"
    assert ending("a" * 30, 10) == "a" * 10


def user(read=None, **profile):
    known = {} if read is None else {"understood": read}
    return ResolvedProfile(UserProfile(**profile), Context(text="tonight"), **known)


def test_without_a_reading_all_that_is_stated_is_asked_for():
    assert asked_text(user(interests=["Zen"], about="a  quiet film")) == (
        "Zen. a quiet film. tonight"
    )
    assert asked_text(ResolvedProfile(UserProfile(), Context())) == ""


def test_rejected_clauses_are_not_asked_for():
    text = "something gentle, no horror. tonight"
    read = Understood(text=text, wanted_text="something gentle. tonight")
    about = "something gentle, no horror"
    assert asked_text(user(read, about=about)) == "something gentle. tonight"
    assert asked_text(user(read, about=about, interests=["Zen", "Horror"])) == (
        "Zen. something gentle. tonight"
    )


def test_a_text_of_rejections_asks_for_nothing():
    piece = Piece(kind="category", value="Horror", words="horror", start=3, end=9, wanted=False)
    assert asked_text(user(Understood(text="no horror", pieces=(piece,)), about="no horror")) == ""
