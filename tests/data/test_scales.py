from collections import Counter

import pytest

from coldstart.data.scales import recognise


def scale(*values, **options):
    return recognise(Counter(map(float, values)), **options)


@pytest.mark.parametrize(
    ("values", "like", "dislike", "text"),
    [
        ([1, 2, 3, 4, 5], 4, 2, "1 to 5 in whole steps"),
        ([2, 4], 4, 2, "1 to 5 in whole steps (there are 2 to 4)"),
        ([0.5, 2.5, 4.5, 5], 4, 2, "0.5 to 5 in half steps"),
        ([1, 4, 7, 8, 10], 8, 4, "1 to 10 in whole steps"),
        ([3, 6, 9], 8, 4, "1 to 10 in whole steps (there are 3 to 9)"),
        ([1, 2, 3, 5, 6, 7], 6, 2, "1 to 7 in whole steps"),
        ([1, 2, 3], 3, 1, "1 to 3 in whole steps"),
        ([12, 40, 80, 99], 80, 40, "1 to 100 in whole steps (there are 12 to 99)"),
        ([0.1, 0.35, 0.93], 0.8, 0.4, "0 to 1 in fine steps (there are 0.1 to 0.93)"),
        ([3.25, 4.8, 1.1], 4, 2, "0 to 5 in fine steps (there are 1.1 to 4.8)"),
        ([1, 2], 2, 1, "1 and 2"),
        ([-2, -1, 0, 1, 2], 1, -1, "-2 to 2 in whole steps"),
        ([-9.5, 3.2, 8.8], 4.75, -4.75, "-9.5 to 9.5 in fine steps (there are -9.5 to 8.8)"),
    ],
    ids=str,
)
def test_thresholds_are_proportional_to_the_scale(values, like, dislike, text):
    found = scale(*values)
    assert (found.like_at, found.dislike_at) == (like, dislike)
    assert found.text == text
    assert (found.unrated, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("values", "unrated"),
    [
        ([0, 1, 3, 5], (0,)),
        ([-1, 1, 3, 5], (-1,)),
        ([-1, 0, 6, 9, 10], (-1, 0)),
        ([0, 0.5, 3.5, 5], (0,)),
        ([0, 5], (0,)),
        ([-1, 5], (-1,)),
        ([99, -3.5, 4.25, 9.5], (99,)),
        ([0, 0.3, 2.75, 4.9], ()),
        ([0, 4, 55, 100], ()),
        ([0, 40, 55, 100], (0,)),
        ([0, 0.25, 1], ()),
    ],
    ids=str,
)
def test_numbers_off_the_scale_are_unrated_and_said(values, unrated):
    found = scale(*values)
    assert found.unrated == unrated
    assert len(found.warnings) == len(unrated)
    for value, warning in zip(unrated, found.warnings, strict=True):
        assert warning.startswith(f"1 row with {value:g} is taken for unrated")


def test_what_is_unrated_may_be_given():
    assert scale(0, 1, 5, unrated=()).unrated == ()
    assert scale(0, 1, 5, unrated=(1, 0, 7)).unrated == (0, 1)
    assert scale(0, 1, unrated=(0,)).text == "always 1, so every rated row is a like"


@pytest.mark.parametrize("value", [1, 5, 100])
def test_ratings_that_are_always_the_same_say_nothing_but_like(value):
    found = scale(value, value)
    assert (found.like_at, found.dislike_at, found.unrated) == (None, None, ())
    assert "every rated row is a like" in found.text


@pytest.mark.parametrize("value", [0, -1])
def test_always_zero_is_no_like(value):
    assert scale(value, value).unrated == (value,)


def test_zero_and_one():
    assert scale(0, 1).dislike_at == 0
    assert scale(0, 1, opinion=False).dislike_at is None
    assert scale(0, 1, opinion=False).unrated == (0,)
    assert scale(-1, 1).dislike_at == -1
    assert scale(-1, 0, 1).unrated == (0,)


def test_counts_are_no_ratings():
    (warning,) = scale(1, 7, 5000).warnings
    assert "go up to 5000, which looks like no rating but like a count" in warning
