from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.cases import support_cases
from coldstart.schema import Item, UserProfile
from coldstart.splitting.temporal_and_items import item_cold_split, temporal_split

FILMS = tuple("abcdefgh")
TOY = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)


def toy(histories):
    """Of users' (item, time) pairs; everyone dislikes "h"."""
    return Dataset(
        "toy", TOY, {u: UserProfile(age=20) for u in histories},
        {u: tuple(i for i, _ in x) for u, x in histories.items()},
        dict.fromkeys(histories, ("h",)),
        {u: tuple(float(t) for _, t in x) for u, x in histories.items()},
    )  # fmt: skip


timed = st.dictionaries(
    st.text("uvw", min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(FILMS), st.integers(0, 20)), min_size=1, max_size=8,
             unique_by=lambda x: x[0]).map(lambda x: sorted(x, key=lambda y: y[1])),
    min_size=2,
    max_size=8,
)  # fmt: skip

HISTORY = {
    "early": [("a", 1), ("b", 2)],
    "over": [("b", 4), ("c", 9)],
    "at": [("a", 5), ("d", 8)],
    "late": [("b", 7), ("a", 8)],
}


def test_time_divides_users_and_likes():
    split = temporal_split(toy(HISTORY), at=5)
    assert split.at == 5
    assert split.train.likes == {"early": ("a", "b"), "over": ("b",)}
    assert split.train.times == {"early": (1.0, 2.0), "over": (4.0,)}
    assert split.train.users.keys() == split.train.likes.keys()
    assert split.train.dislikes == {}
    assert split.test == ("at", "late")
    assert split.candidates == {"a", "b"}


def test_time_divides_dislikes_that_have_one():
    data = replace(toy(HISTORY), dislike_times=dict.fromkeys(HISTORY, (5.0,)))
    assert temporal_split(data, at=5).train.dislikes == {"early": (), "over": ()}
    split = temporal_split(data, at=6)
    assert split.train.dislikes == dict.fromkeys(("early", "over", "at"), ("h",))
    assert split.train.dislike_times == dict.fromkeys(("early", "over", "at"), (5.0,))


@given(timed, st.integers(0, 20))
def test_nothing_later_is_trained_on(histories, at):
    data = toy(histories)
    first = {u: x[0][1] for u, x in histories.items()}
    assume(min(first.values()) < at <= max(first.values()))
    split = temporal_split(data, at=at)
    assert {*split.train.likes, *split.test} == set(histories)
    assert not set(split.train.likes) & set(split.test)
    for user, times in split.train.times.items():
        assert max(times) < at
        assert dict(zip(split.train.likes[user], times, strict=True)).items() <= set(
            histories[user]
        )
    assert all(first[u] >= at for u in split.test)
    assert split.candidates == {i for x in histories.values() for i, t in x if t < at}


@given(timed, st.floats(0.01, 0.99))
def test_quantiles_are_moments_of_first_likes(histories, quantile):
    first = [x[0][1] for x in histories.values()]
    assume(len(set(first)) == len(first))
    split = temporal_split(toy(histories), quantile=quantile)
    assert split.at in first
    assert abs(len(split.train.likes) - quantile * len(first)) <= 1
    assert split == temporal_split(toy(histories), at=split.at)


def test_cold_cases_of_the_future_show_only_what_was_known():
    split = temporal_split(toy(HISTORY), at=5)
    (case,) = support_cases(
        toy(HISTORY), split.test, (1,), support=1, min_targets=1, candidates=split.candidates
    ).cases
    assert (case.user, case.support, case.targets) == ("late", ("b",), {"a"})
    assert case.excluded == set(FILMS) - {"a"}


def test_movielens_by_time(movielens):
    split = temporal_split(movielens, quantile=0.8)
    assert (len(split.train.likes), len(split.test), len(split.candidates)) == (753, 189, 1376)
    assert split.train.fingerprint != movielens.fingerprint


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "at is None and quantile is None .one of them"),
        ({"at": 5, "quantile": 0.5}, "at is 5 and quantile is 0.5"),
        ({"quantile": 0.0}, r"quantile in \(0, 1\)"),
        ({"quantile": 1.0}, r"quantile in \(0, 1\)"),
        ({"at": 1}, "at 1 there is nobody trained on .first likes are from 1.0 to 7.0"),
        ({"at": 7.5}, "at 7.5 there is nobody to test"),
    ],
)
def test_moments_that_divide_nothing(settings, why):
    with pytest.raises(ConfigError, match=why):
        temporal_split(toy(HISTORY), **settings)


def test_without_times_there_is_no_past():
    data = Dataset("toy", TOY, {"u": UserProfile()}, {"u": ("a",)})
    with pytest.raises(DataError, match="toy has no times .*timestamp column"):
        temporal_split(data, at=5)


# -- items -----------------------------------------------------------------------------------------


@given(timed, st.floats(0.01, 0.99), st.integers(0, 3))
def test_nobody_trains_on_cold_items(histories, share, seed):
    data = toy(histories)
    liked = {i for x in data.likes.values() for i in x}
    assume(int(share * len(liked)))
    split = item_cold_split(data, share, seed)
    assert split == item_cold_split(toy(dict(reversed(histories.items()))), share, seed)
    assert len(split.cold) == int(share * len(liked))
    assert split.cold <= liked
    assert split.train.catalog.ids == data.catalog.ids
    kept = {
        u: [(i, t) for i, t in x if i not in split.cold]
        for u, x in histories.items()
        if {i for i, _ in x} - split.cold
    }
    assert (split.train.likes, split.train.times) == (toy(kept).likes, toy(kept).times)
    assert split.train.users.keys() == kept.keys()
    assert all(not split.cold & set(x) for x in split.train.dislikes.values())


def test_dislikes_of_cold_items_go_with_their_times():
    low = dict.fromkeys(HISTORY, ("a", "h"))
    data = replace(toy(HISTORY), dislikes=low, dislike_times=dict.fromkeys(HISTORY, (1.0, 2.0)))
    for seed in range(9):
        split = item_cold_split(data, 0.5, seed)
        kept = ("h",) if "a" in split.cold else ("a", "h")
        assert set(split.train.dislikes.values()) == {kept}
        assert set(split.train.dislike_times.values()) == {(1.0, 2.0)[-len(kept) :]}


def test_folds_of_items_go_round():
    sizes = [item_cold_split(toy(HISTORY), 0.5, fold=n).cold for n in range(3)]
    assert sizes[0] | sizes[1] == set("abcd")
    assert sizes[2] == sizes[0]


def test_the_newest_items_are_cold_and_unknown_years_old():
    years = {"a": 1990, "b": 2001, "c": None, "d": 2000}
    items = [Item(item_id=i, title=i, year=years.get(i)) for i in FILMS]
    data = replace(toy(HISTORY), catalog=Catalog(items))
    for seed in range(5):
        assert item_cold_split(data, 0.5, seed, newest=True, fold=seed).cold == {"b", "d"}
        assert item_cold_split(data, 0.75, seed, newest=True).cold == {"a", "b", "d"}


def test_cold_items_are_seeded(movielens):
    splits = [item_cold_split(movielens, seed=n).cold for n in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_data_without_times_stays_without():
    data = Dataset("toy", TOY, {"u": UserProfile()}, {"u": FILMS})
    assert item_cold_split(data, 0.5).train.times == {}


def test_cases_ask_for_cold_items_only(movielens):
    split = item_cold_split(movielens)
    found = support_cases(movielens, list(movielens.likes), (0, 10), targets=split.cold)
    assert (len(split.cold), found.dropped) == (289, 312)
    for zero, ten in pairwise(found.cases):
        if zero.user == ten.user:
            assert zero.targets == ten.targets <= split.cold
            assert not set(ten.support) & split.cold
            assert zero.targets | zero.excluded == set(movielens.likes[zero.user])


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 0.1, float("nan")])
def test_shares_that_leave_a_part_empty(share):
    with pytest.raises(ConfigError, match="share is .*, of 4 items .give a share in"):
        item_cold_split(toy(HISTORY), share)
