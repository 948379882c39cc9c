"""Rejected words that stand for nothing in the catalog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

PHRASES = {
    "something like Heat but not by Nolan": ("Nolan",),
    "a thriller without Tom Cruise": ("Tom Cruise",),
    "a thriller without Tom Cruise, set in space": ("Tom Cruise",),
    "anything except Adam Sandler": ("Adam Sandler",),
    "no clowns or mimes": ("clowns", "mimes"),
    "horror, but no zombies": ("zombies",),
    "I'm bored of superheroes": ("superheroes",),
    "scary but no gore": ("gore",),
    "no subtitles please": ("subtitles",),
    "romantic but not cheesy": ("cheesy",),
    # what the catalog has is said by other pieces
    "no horror": (),
    "no horror and no musicals": (),
    "not too violent": (),
    "no westerns, comedies please": (),
    # nothing is rejected
    "a film with Tom Cruise": (),
    "I don't mind Tom Cruise": (),
    "nothing beats Tom Cruise": (),
    "": (),
    # a story, not a thing
    "no romance whatsoever, tonight": (),
    "a western, I won't regret it": (),
    "a comedy. Don't overthink it": (),
    "no strange new unending boring slow talking": (),
}


@pytest.mark.parametrize(("text", "phrases"), PHRASES.items())
def test_phrases(reader, text, phrases):
    assert reader.read(text).values("phrase", wanted=False) == phrases


WORDS = st.sampled_from("no not without but , . Tom Cruise zombies and or the by".split())


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_they_are_words_of_the_text(reader, words):
    read = reader.read(words)
    for piece in read.pieces:
        if piece.kind == "phrase" and not piece.wanted:
            assert read.text[piece.start : piece.end] == piece.value
            assert not piece.strict
