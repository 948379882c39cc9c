"""Likes as one stream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart.errors import DataError
from coldstart.evaluation.growing.stream import like_stream, observed
from tests.toy import toy_dataset

DATA = toy_dataset()
USERS = sorted(DATA.likes)[:12]
TIMED = replace(
    DATA, times={u: tuple(range(n, n + len(own))) for n, (u, own) in enumerate(DATA.likes.items())}
)


@pytest.mark.parametrize(("data", "arrival"), [(TIMED, "time"), (DATA, "mixed")])
def test_every_like_comes_once_in_the_order_of_its_user(data, arrival):
    stream = like_stream(data, USERS, arrival)
    for user in USERS:
        assert [item for who, item in stream if who == user] == list(data.likes[user])
    assert {who for who, _ in stream} == set(USERS)


def test_by_time_no_like_comes_before_an_earlier_one():
    place = {like: n for n, like in enumerate(like_stream(TIMED, USERS))}
    moments = [
        (place[user, item], moment)
        for user in USERS
        for item, moment in zip(TIMED.likes[user], TIMED.times[user], strict=True)
    ]
    assert [moment for _, moment in sorted(moments)] == sorted(m for _, m in moments)


def test_mixed_users_come_at_once_and_each_independently():
    stream = like_stream(DATA, USERS, "mixed", seed=1)
    assert len({user for user, _ in stream[: len(stream) // 3]}) > len(USERS) // 2
    assert stream == like_stream(DATA, USERS, "mixed", seed=1)
    assert stream != like_stream(DATA, USERS, "mixed", seed=2)
    fewer = like_stream(DATA, USERS[:5], "mixed", seed=1)
    assert fewer == [like for like in stream if like[0] in USERS[:5]]


def test_without_times_there_is_no_order_by_time():
    with pytest.raises(DataError, match="no times to order"):
        like_stream(replace(DATA, times={}), USERS)


def test_what_is_known_after_some_likes():
    stream = like_stream(TIMED, USERS)
    known = observed(TIMED, stream[:7])
    assert sum(map(len, known.likes.values())) == 7
    assert all(DATA.likes[user][: len(own)] == own for user, own in known.likes.items())
    assert observed(TIMED, []).likes == {}
