"""Equal times: an order that says nothing, and how much of an order is left."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.data.tables import load_dataset
from coldstart.data.ties import (
    MOST_TIED,
    about_ties,
    in_time_order,
    order_warning,
    tie_key,
    tied_at,
    tied_share,
)
from coldstart.schema import Item, UserProfile

USERS, ITEMS = 200, 30
CATALOG = Catalog(Item(item_id=f"i{n:02}", title=f"Film {n}") for n in range(ITEMS))


def table(seed=0, *, stamp=lambda user, place: float(user)):
    """Random likes, ten a user; one time a user by default."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"u{user:03}", f"i{item:02}", stamp(user, place))
        for user in range(USERS)
        for place, item in enumerate(rng.permutation(ITEMS)[:10])
    ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")


def data(frame):
    return dataset_from_frames("random", CATALOG, frame)


def test_the_hash_is_the_same_everywhere():
    assert tie_key("u1", "i1") == 3114953988555745321
    assert tie_key("u1", "i1", seed=1) != tie_key("u1", "i1")
    assert tie_key("1", "11") != tie_key("11", "1")
    code = "from coldstart.data.ties import tie_key; print(tie_key('é', '红'))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert found == {f"{tie_key('é', '红')}\n"}


@pytest.mark.parametrize("column", ["timestamp", "position"])
def test_the_order_of_the_rows_does_not_matter(column):
    frame = table().rename({"timestamp": column})
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=3)
    assert data(mixed).likes == data(frame).likes
    assert data(frame.reverse()).fingerprint == data(frame).fingerprint
    again = dataset_from_frames("random", CATALOG, frame, seed=1)
    assert again.likes != data(frame).likes
    assert {u: set(x) for u, x in again.likes.items()} == {
        u: set(x) for u, x in data(frame).likes.items()
    }


def test_the_order_of_a_file_does_not_matter(tmp_path):
    rows = pl.DataFrame({"item_id": CATALOG.ids, "title": [i.title for i in CATALOG]})
    rows.write_csv(tmp_path / "items.csv")
    found = []
    for name, frame in (("a", table()), ("b", table().reverse())):
        frame.write_csv(tmp_path / f"{name}.csv")
        items, likes = tmp_path / "items.csv", tmp_path / f"{name}.csv"
        found.append(load_dataset(items, likes, name="own").likes)
    assert found[0] == found[1]


def test_times_come_first_and_ties_stay_between_them():
    rows = [("u", i, t) for i, t in zip("abcdef", (2, 1, 2, 3, 2, 1), strict=True)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    found = in_time_order(frame, "timestamp")
    assert found["timestamp"].to_list() == [1, 1, 2, 2, 2, 3]
    for items in ("bf", "ace"):
        own = [i for i in found["item_id"] if i in items]
        assert own == sorted(items, key=lambda i: tie_key("u", i))
    assert found.columns == frame.columns


def test_a_tie_is_no_preference_for_low_ids():
    """By item id the first of ten likes would have a mean place of 2.4 of 0 to 29."""
    first = [int(likes[0][1:]) for likes in data(table()).likes.values()]
    assert np.mean(first) == pytest.approx((ITEMS - 1) / 2, abs=2.0)


def test_users_do_not_share_an_order():
    frame = pl.DataFrame(
        [(f"u{n}", i, 0) for n in range(40) for i in "ab"],
        schema=["user_id", "item_id", "timestamp"],
        orient="row",
    )
    catalog = Catalog(Item(item_id=i, title=i) for i in "ab")
    likes = dataset_from_frames("two", catalog, frame).likes
    assert 10 < sum(x == ("a", "b") for x in likes.values()) < 30


def test_the_tied_share():
    assert tied_share({"u": (1.0, 1.0, 2.0, 2.0), "v": (2.0, 3.0), "w": (2.0,)}) == 0.5
    assert tied_share({"w": (2.0,)}) == 0.0
    assert tied_at((1.0, 1.0, 2.0), 1)
    assert not any(tied_at((1.0, 1.0, 2.0), place) for place in (0, 2, 3))
    assert data(table()).tied_share == 1.0
    assert data(table(stamp=lambda user, place: place)).tied_share == 0.0
    assert data(table().drop("timestamp")).tied_share is None


def test_an_order_is_known_up_to_half_of_it_tied():
    def made(times):
        likes = {"u": tuple(CATALOG.ids[: len(times)])}
        return Dataset("one", CATALOG, {"u": UserProfile()}, likes, {}, {"u": times})

    assert MOST_TIED == 0.5
    assert made((1.0, 1.0, 2.0)).ordered
    assert not made((1.0, 1.0, 1.0, 2.0)).ordered
    assert replace(made((1.0, 1.0, 1.0)), times={}).ordered  # the rows' order was meant


def test_what_is_said_about_times():
    assert about_ties(None).startswith("no times, or not for every like: without any,")
    assert about_ties(0.0) == "no user has two likes of one time"
    assert about_ties(0.424).startswith("42% of consecutive likes have equal times;")
    assert order_warning(None) is None
    assert order_warning(0.5) is None
    assert str(order_warning(0.64)).startswith(
        "64% of consecutive likes have equal times, more than 50%: nothing is learned from their"
    )


def test_movielens_is_tied_as_the_reports_say(movielens):
    assert movielens.tied_share == pytest.approx(0.4239, abs=1e-4)
    assert movielens.ordered
    long = [t for t in movielens.times.values() if len(t) >= 15]
    assert (sum(tied_at(times, 10) for times in long), len(long)) == (339, 799)
