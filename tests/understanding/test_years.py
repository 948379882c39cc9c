"""Years in words, and how strictly they are meant."""

from __future__ import annotations

import pytest

IN_WORDS = {
    "post-millennium": {"+from 2000"},
    "a pre-millennium comedy": {"+to 1999", "+Comedy"},
    "a thriller of this century": {"+from 2000", "+Thriller"},
    "from the last century": {"+1901 to 2000"},
    "a comedy from the previous century": {"+1901 to 2000", "+Comedy"},
    "the current millennium": {"+from 2000"},
    "nothing from this century": {"+to 1999"},
    "not from this millennium": {"+to 1999"},
    "a pre-war comedy": {"+to 1938", "+Comedy"},
    "a prewar musical": {"+to 1938", "+Musical"},
    "a post-war drama": {"+1946 to 1959", "+Drama"},
    "interwar comedies": {"+1919 to 1938", "+Comedy"},
    "from the silent era": {"+to 1929"},
    "before talkies": {"+to 1929"},
    "before the talkies": {"+to 1929"},
    "pre-code comedies": {"+1930 to 1934", "+Comedy"},
    "ninties": {"+1990 to 1999"},
    "from the eightys": {"+1980 to 1989"},
    "nineteen-nineties": {"+1990 to 1999"},
    "the nineteen sixties": {"+1960 to 1969"},
    "sevenites thrillers": {"+1970 to 1979", "+Thriller"},
    "70s-80s": {"+1970 to 1989"},
    "70s/80s comedies": {"+1970 to 1979|+1980 to 1989", "+Comedy"},
    "the 70s & 80s": {"+1970 to 1979|+1980 to 1989"},
    "from the naughties": {"+2000 to 2009"},
    "the two-thousands": {"+2000 to 2009"},
    "the twenty-tens": {"+2010 to 2019"},
    "shot back in the 30s": {"+1930 to 1939"},
    "a western actually from the 50s": {"+Western", "+1950 to 1959"},
    "turn of the millennium": {"+1998 to 2002"},
}
OF_A_STORY = {
    "a western set in the 1920s": {"+Western"},
    "a drama set in pre-war Berlin": {"+Drama", "+pre-war Berlin"},
    "a drama about the post-war years": {"+Drama", "+post-war years"},
    "set during the last century": set(),
    "it takes place in the eightys": set(),
    "from when my parents were kids": set(),
    "from the turn of the tide": set(),
}
ALL = {**IN_WORDS, **OF_A_STORY}


@pytest.mark.parametrize(("text", "expected"), ALL.items(), ids=list(ALL))
def test_years_in_words_are_read(reader, told, text, expected):
    assert told(reader.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("black and white, shot back then", "to 1959"),
        ("an old western, made at the time", "to 1969"),
        ("a silent film that was actually made back then", "to 1929"),
    ],
)
def test_what_was_really_made_then_is_strict(reader, text, expected):
    (years,) = [p for p in reader.read(text).pieces if p.kind == "years"]
    assert (years.value, years.strict) == (expected, True)


def test_old_without_such_words_is_inferred(reader):
    (years,) = [p for p in reader.read("an old western").pieces if p.kind == "years"]
    assert (years.value, years.strict) == ("to 1969", False)
