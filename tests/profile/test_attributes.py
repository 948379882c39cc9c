"""Attributes of a user that are nearly those of the training data."""

import pytest

from coldstart.profile.attributes import attribute_notes
from coldstart.schema import UserProfile

GROUPS = {"occupation=technician": 3, "occupation=artist": 1, "gender=f": 2, "diet=vegan": 4}


@pytest.mark.parametrize(
    ("profile", "note"),
    [
        (
            {"occupation": "techician"},
            "occupation 'techician' is unknown: did you mean 'technician'?",
        ),
        ({"attributes": {"diet": "vegann"}}, "diet 'vegann' is unknown: did you mean 'vegan'?"),
        (
            {"attributes": {"ocupation": "artist"}},
            "attribute 'ocupation' is unknown: did you mean 'occupation'?",
        ),
    ],
)
def test_near_misses_are_noted(profile, note):
    assert attribute_notes(UserProfile(**profile), GROUPS) == [note]


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"occupation": "Artist", "gender": "F", "age": 30},
        {"occupation": "nurse", "gender": "x", "location": "Bonn"},
        {"attributes": {"shoe": "42"}},
    ],
)
def test_known_and_altogether_new_ones_are_not(profile):
    assert attribute_notes(UserProfile(**profile), GROUPS) == []
