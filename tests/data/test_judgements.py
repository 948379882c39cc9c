import polars as pl
import pytest

from coldstart.data.judgements import judge
from coldstart.errors import DataError


def judged(values, **options):
    return judge(pl.Series(values, strict=False), **options).values


def test_every_row_has_one_of_four_judgements():
    made = judge(pl.Series([5, 4, 3, 2, 1, None]))
    assert made.values == [1, 1, 0, -1, -1, None]
    assert made.report.sentence() == (
        "rating is 1 to 5 in whole steps, a like from 4 on, a dislike up to 2: "
        "2 likes, 2 dislikes, 1 between, 1 ignored as unrated"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"like_at": 3}, [1, 1, 1, -1, -1]),
        ({"like_at": 2}, [1, 1, 1, 1, 0]),  # the recognised 2 would be both: there is no dislike
        ({"dislike_at": 3}, [1, 1, -1, -1, -1]),
        ({"like_at": 5, "dislike_at": 1}, [1, 0, 0, 0, -1]),
    ],
    ids=str,
)
def test_thresholds_may_be_given(options, expected):
    made = judge(pl.Series([5, 4, 3, 2, 1]), **options)
    assert made.values == expected
    assert " given)" in made.report.scale


@pytest.mark.parametrize(
    ("values", "column", "expected"),
    [
        ([1, 0], "liked", [1, -1]),
        ([True, False, None], "recommend", [1, -1, None]),
        (["yes", "No"], "would_recommend", [1, -1]),
        ([1, 0], "click", [1, None]),
        (["true", "false"], "purchased", [1, None]),
        ([1, 0], "interaction", [1, None]),
        ([1, 0], "disliked", [-1, None]),
        ([1, -1, 0], "vote", [1, -1, None]),
        (["up", "down"], "vote", [1, -1]),
        (["positive", "neutral", "negative"], "sentiment", [1, None, -1]),
        (["4/5", "1/5"], "rating", [1, -1]),
        (["4,5", "1,0"], "rating", [1, -1]),
        (["★★★★★", "★☆☆☆☆"], "rating", [1, -1]),
        (["click", "impression"], "event", [1, None]),
        (["click", "purchase"], "event", [None, 1]),
        (["pv", "fav", "buy", "cart"], "behavior_type", [None, 1, 1, 1]),
        (["Add-to-Cart", "Remove from cart"], "action", [1, None]),
        (["Me gusta", "No me gusta"], "evento", [1, -1]),
        (["impression", "impression"], "event", [1, 1]),
    ],
    ids=str,
)
def test_flags_words_and_texts(values, column, expected):
    assert judged(values, column=column) == expected


def test_words_may_be_named():
    events = ["view", "frob", "buy", "zap"]
    assert judged(events, like_at="frob, buy", dislike_at="zap") == [None, 1, 1, -1]
    assert judged(events[:3], like_at=["view"], dislike_at=["frob"]) == [1, -1, None]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (["like", "frob"], {}, "unknown meaning: 'frob' .*like_at='frob'"),
        (["like", "view"], {"like_at": 3}, "like_at is 3, but rating holds words such as 'like'"),
        ([1, 2, 4], {"column": "action"}, "action holds codes .*1, 2, 4 .*like_at=4"),
        ([1, 5], {"like_at": "like"}, "like_at is 'like', but rating holds numbers"),
        (["like", "view"], {"like_at": "buy"}, "no row of rating is 'buy' .there are: like, view"),
        ([1, 5], {"dislike_at": 4}, "dislike_at 4 is not below like_at 4"),
        ([1, 5], {"like_at": 2, "dislike_at": 3}, "dislike_at 3 is not below like_at 2"),
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused(values, options, message):
    with pytest.raises(DataError, match=message):
        judged(values, **options)


def test_codes_of_events_are_likes_from_a_threshold_on():
    assert judged([1, 2, 3, 4], column="behavior_type", like_at=3) == [0, 0, 1, 1]


def test_no_like_among_ratings_is_a_warning():
    assert judge(pl.Series([1, 2, 1]), like_at=4).report.warnings == (
        "no row is a like, and 3 are rated",
    )
