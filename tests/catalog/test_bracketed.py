"""Lists written into one cell, in the notations that libraries and databases write."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.bracketed import is_bracketed, names_of, parse_bracketed

NAMES = ["Drama", "Children's", 'The "Best"', "Arts, Crafts"]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("['Drama', 'War']", ["Drama", "War"]),
        ('["Drama", "War"]', ["Drama", "War"]),
        ("[\"Children's\", 'War']", ["Children's", "War"]),
        ("['Drama' 'War']", ["Drama", "War"]),
        ("['Drama'\n 'War']", ["Drama", "War"]),
        ("('Drama', 'War')", ["Drama", "War"]),
        ("{Drama,War}", ["Drama", "War"]),
        ('{"Arts, Crafts",War}', ["Arts, Crafts", "War"]),
        ("[Drama, Film Noir]", ["Drama", "Film Noir"]),
        ('[{"id": 18, "name": "Drama"}, {"id": 1, "name": "War"}]', ["Drama", "War"]),
        ("[{'id': 18, 'name': 'Drama'}]", ["Drama"]),
        ("{'id': 1, 'name': 'Drama'}|{'id': 2, 'name': 'War'}", ["Drama", "War"]),
        ("[['Books', 'Comics'], ['Toys']]", ["Books", "Comics", "Toys"]),
        ('{"genres": ["Drama", "War"]}', ["Drama", "War"]),
        ("[]", []),
        ("[nan]", ["nan"]),
    ],
)
def test_every_notation_is_read(cell, names):
    assert parse_bracketed(cell) == names


@pytest.mark.parametrize("cell", ["[REC]", "(A)", "[", "", "[]x", "{", "Drama, [War]", "[{}"])
def test_other_brackets_are_no_lists(cell):
    assert not is_bracketed(cell)


def test_objects_stand_for_their_names():
    assert names_of([{"id": 1, "Name": "Drama"}, {"title": "War"}]) == ["Drama", "War"]
    assert names_of({"Drama": True, "War": 0, "Crime": 1}) == ["Drama", "Crime"]
    assert names_of({"Drama": None, "War": True}) == ["War"]
    assert names_of([{"id": 1}]) == []
    assert names_of([{"slug": "war", "displayName": "War"}]) == ["War"]
    assert names_of([{"genre": {"id": 3, "name": "War"}}]) == ["War"]
    assert names_of([{"id": 1, "key": "x", "nom": "Guerre"}]) == ["Guerre"]
    assert names_of({"Drama": 0.9, "War": 0.0, "Crime": 0.1}) == ["Drama", "Crime"]
    assert names_of(np.array(["Drama", "War"])) == ["Drama", "War"]
    assert names_of([None, float("nan"), 3.0, True]) == ["3", "true"]


@given(st.lists(st.sampled_from(NAMES), min_size=2))
def test_python_lists_come_back(names):
    assert parse_bracketed(repr(names)) == names


@given(st.text(alphabet="[]{}()'\",: aA1\\|", max_size=30))
def test_every_text_is_read(text):
    assert all(isinstance(name, str) for name in parse_bracketed(text))
