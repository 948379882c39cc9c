"""What the notes say of rejected words and of numbers that items lack."""

from __future__ import annotations

import pytest


def notes(movies, text):
    return movies.recommend({"about": text}, k=10, strategy="prior").notes


def test_words_that_requests_tell_are_said_to_come_later(movies):
    assert "what people chose who asked for “zombies” comes later" in notes(
        movies, "horror, but no zombies"
    )


def test_words_that_no_request_tells_are_compared_by_meaning(movies):
    assert "what is close in meaning to “zeugmas” comes later" in notes(
        movies, "a comedy without zeugmas"
    )


@pytest.mark.parametrize("text", ["no horror", "a comedy", "from the 1980s"])
def test_nothing_is_said_where_all_is_known(movies, text):
    assert not [n for n in notes(movies, text) if "known about" in n or "not known" in n]


def test_films_without_a_running_time_are_counted(movies):
    assert "the minutes of 35% of the items are not known; these are left out" in notes(
        movies, "a comedy under 90 minutes"
    )
