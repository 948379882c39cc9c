"""Interests that are nearly categories: did you mean."""

import pytest

from coldstart.errors import ProfileError
from coldstart.profile.interests import interest_notes
from coldstart.schema import Piece, Understood

CATEGORIES = {"romance": "Romance", "sci-fi": "Sci-Fi", "comedy": "Comedy", "cars": "Cars"}


def nothing(text):
    return Understood(text=text)


def romance(text):
    end = len(text)
    piece = Piece(kind="category", value="Romance", words=text, start=0, end=end, strict=True)
    return Understood(text=text, language="en", pieces=(piece,))


def test_a_misspelt_category_is_refused_with_the_right_one():
    with pytest.raises(ProfileError, match="^interests: 'romanse' is no category.*'Romance'?"):
        interest_notes(["romanse"], CATEGORIES, nothing, "error")


def test_or_noted():
    (note,) = interest_notes(["romanse"], CATEGORIES, nothing, "ignore")
    assert note == "interest 'romanse': did you mean 'Romance'? It was read as text"
    (note,) = interest_notes(["romanse"], CATEGORIES, romance, "error")
    assert note == "interest 'romanse': did you mean 'Romance'? It was read so"


@pytest.mark.parametrize(
    "interest", ["Romance", "romance", "sci fi", "comedies", "chess", "cats", "战争"]
)
def test_categories_and_other_words_are_no_matter(interest):
    assert interest_notes([interest], CATEGORIES, nothing, "error") == []


def test_each_of_several_is_compared():
    with pytest.raises(ProfileError, match="^interests: 'romanse' is no category"):
        interest_notes(["comedy, romanse"], CATEGORIES, nothing, "error")
    assert interest_notes(["Comedy; Romance"], CATEGORIES, nothing, "error") == []


def test_a_word_that_the_reader_knows_is_accepted():
    assert interest_notes(["comely"], CATEGORIES, romance, "error") == []
