import pytest

from coldstart.data.preference_columns import looks_like_preference, preference_column

ALL = [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Rating", ALL), ("user_score", ALL), ("Stars", ["5 stars"]), ("Book-Rating", [0, 10]),
        ("preference", [0.5, 1.0]), ("EventType", ["view", "like"]), ("action", ["Add to Cart"]),
        ("clicked", [0, 1]), ("is_recommended", [True, False]), ("Puntuación", ALL),
        ("Bewertung", ALL), ("оценка", ALL), ("评分", ALL), ("gefällt mir", ["ja", "nein"]),
        ("disliked", [0, 1]), ("note", [12, 18]),
    ],
)  # fmt: skip
def test_names_of_preferences_are_known(name, cells):
    assert preference_column({"user_id": ["a"], name: cells, "comment": ["x"]}) == name


def test_ratings_come_before_events_and_events_before_flags():
    columns = {"click": [0, 1], "event": ["view", "buy"], "score": [1, 5]}
    assert preference_column(columns) == "score"
    assert preference_column({n: columns[n] for n in ("click", "event")}) == "event"


def test_a_name_that_may_mean_something_else_needs_cells_that_fit():
    assert preference_column({"nota": ["muy buena"], "event": ["Christmas sale"]}) is None
    assert preference_column({"rating": ["whatever"]}) == "rating"  # refused later, with its rows


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("zufriedenheit", ALL), ("x", [1, 3, 10]), ("movieScore", [1, 70]), ("rating (1-5)", ALL),
        ("what", ["view", "purchase"]), ("user_feedback", ["fine", "so lala"]),
        ("reaction", ["aha"]), ("wertung", ["gut", "schlecht"]), ("q", [0.5, 1, 4.5, 5]),
    ],
)  # fmt: skip
def test_what_looks_like_a_preference(name, cells):
    assert looks_like_preference(name, cells)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("quantity", ALL), ("weekday", ALL), ("price", ALL), ("rating_count", ALL), ("age", ALL),
        ("transactionid", ALL), ("event_id", ALL), ("avg_rating", [3.4]), ("x", [7, 80, 3000]),
        ("comment", ["good", "I liked it"]), ("country", ["no", "se"]), ("x", []), ("x", [None]),
        ("review", ["x" * 30]), ("rating_note", ["a very long text of praise"]),
        ("genres", [["a"]]), ("x", [1, 1]),
    ],
)  # fmt: skip
def test_what_does_not(name, cells):
    assert not looks_like_preference(name, cells)
