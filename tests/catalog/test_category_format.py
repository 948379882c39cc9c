"""How a column writes several categories into one cell is decided from all of its cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.category_format import category_format

SHOPS = ["Arts, Crafts & Sewing", "Books", "Health, Household & Baby Care", "Health, Fitness"]


@pytest.mark.parametrize(
    ("cells", "categories"),
    [
        (["Action, Comedy", "Drama"], [["Action", "Comedy"], ["Drama"]]),
        (["Action,Comedy", "Comedy"], [["Action", "Comedy"], ["Comedy"]]),
        (["Drama;War", "War"], [["Drama", "War"], ["War"]]),
        (["Drama|War| War|"], [["Drama", "War"]]),
        (["Drama/Comedy", "Comedy/War", "War"], [["Drama", "Comedy"], ["Comedy", "War"], ["War"]]),
        (["Action/Comedy", "Drama"], [["Action", "Comedy"], ["Drama"]]),
        (["剧情 / 爱情", "剧情"], [["剧情", "爱情"], ["剧情"]]),
        (["喜剧、爱情", "剧情"], [["喜剧", "爱情"], ["剧情"]]),
        (["Electronics > Audio > Headphones"], [["Electronics", "Audio", "Headphones"]]),
        (["#funny #dark", "#x"], [["funny", "dark"], ["x"]]),
        (["Drama\nWar"], [["Drama", "War"]]),
        (["['Drama', 'War']", "[]"], [["Drama", "War"], []]),
        (["Crime, Drama", "['War']"], [["Crime", "Drama"], ["War"]]),
        (['[{"id": 1, "name": "Drama"}]', "[]"], [["Drama"], []]),
        ([["Drama", "War"], None, []], [["Drama", "War"], [], []]),
        ([[{"id": 1, "name": "Drama"}]], [["Drama"]]),
        ([[["Books", "Comics"]], [["Toys"]]], [["Books", "Comics"], ["Toys"]]),
        (['"Arts, Crafts", Books', "Books"], [["Arts, Crafts", "Books"], ["Books"]]),
        (["Drama (TV, film), War", "War"], [["Drama (TV, film)", "War"], ["War"]]),
        (
            ["Crime TV, TV Shows, TV Action & Adventure", "TV Shows, TV Dramas, TV Mysteries"],
            [
                ["Crime TV", "TV Shows", "TV Action & Adventure"],
                ["TV Shows", "TV Dramas", "TV Mysteries"],
            ],
        ),
        (["Action &amp; Adventure;War"], [["Action & Adventure", "War"]]),
        (["(no genres listed)", "N/A", "Drama|null"], [[], [], ["Drama"]]),
    ],
)
def test_several_categories_in_a_cell(cells, categories):
    found = category_format(cells)
    assert [found.parse(cell) for cell in cells] == categories


@pytest.mark.parametrize(
    "cells",
    [
        SHOPS,
        ["Arts, Crafts & Sewing"] * 5 + ["Books"],
        ["Food, Wine", *["Books"] * 97],
        ["Shirts, Blouses"] * 5 + ["Socks"] * 5,
        ["Usual Suspects, The", "Drama"],
        ["Action/Adventure", "Comedy"],
        ["Action/Adventure", "Sci-Fi/Fantasy", "Kids/Family", "Fantasy", "Drama"],
        ["Tools/Hardware", "Paint/Supplies"],
        ["24/7", "Drama"],
        ["Rock & Roll", "Rhythm and Blues"],
        ["Film-Noir", "Sci-Fi"],
        ["[REC]", "Drama"],
    ],
)
def test_one_name_with_a_separator_in_it_is_one_category(cells):
    found = category_format(cells)
    assert [found.parse(cell) for cell in cells] == [[cell] for cell in cells]
    assert found.describe() == "one category a row"


def test_a_slash_inside_names_stays_where_commas_separate():
    cells = ["Action/Adventure, Comedy", "Drama, Comedy"]
    assert category_format(cells).parse(cells[0]) == ["Action/Adventure", "Comedy"]
    cells = ["Comedy, Action & Adventure", "Drama, Action & Adventure", "Action & Adventure"]
    assert category_format(cells).parse(cells[0]) == ["Comedy", "Action & Adventure"]


def test_the_format_is_told():
    assert category_format(["Drama, War", "War"]).describe() == "separated by ','"
    assert category_format(["a|b", "c;d"]).describe() == "separated by '|' or ';'"
    assert category_format(["['a']", "b"]).describe() == "lists written as text"
    assert category_format([["a"]]).describe() == "lists"
    assert category_format(["#a"]).describe() == "hashtags"
    assert category_format([]).describe() == "one category a row"


@given(st.lists(st.text(max_size=20), max_size=8))
def test_no_text_is_lost_but_separators(cells):
    found = category_format(cells)
    for cell in cells:
        for name in found.parse(cell):
            assert name
            assert name == " ".join(name.split())
