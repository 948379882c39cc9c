from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data import ml_small
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.cases import (
    MIN_TARGETS,
    N_PICKS,
    ColdSet,
    cut,
    prefix_cases,
    shuffled,
    support_cases,
)
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, Pick, UserProfile

FILMS = tuple(f"f{n}" for n in range(30))
GENRES = ("Drama", "Comedy", "Western")
TOY = Catalog(
    Item(item_id=i, title=f"Film {i}", year=1990 + n % 9, categories=(GENRES[n % 3],))
    for n, i in enumerate(FILMS)
)


def toy(likes):
    users = {u: UserProfile(age=20 + n, gender="F") for n, u in enumerate(likes)}
    return Dataset("toy", TOY, users, {u: tuple(x) for u, x in likes.items()})


names = st.text("abc١", min_size=1, max_size=3)
histories = st.dictionaries(  # half of them long enough to be kept
    names,
    st.tuples(st.randoms(use_true_random=False), st.integers(1, 30)).map(
        lambda x: x[0].sample(FILMS, x[1])
    ),
    max_size=6,
)
orders = st.sampled_from(["first", "random"])
seeds = st.integers(0, 3)


def picked(case):
    return tuple(p.item for p in case.profile.liked)


@given(histories, orders, seeds)
def test_picks_are_nested_and_targets_the_same_for_every_number_of_picks(likes, order, seed):
    found = support_cases(toy(likes), list(likes), order=order, seed=seed)
    long = [u for u, x in likes.items() if len(x) >= 15]
    assert found.dropped == len(likes) - len(long)
    assert [(c.user, c.n_picks) for c in found.cases] == [(u, k) for u in long for k in N_PICKS]
    for case in found.cases:
        assert len(case.support) == 10
        assert picked(case) == case.support[: case.n_picks]
        assert case.excluded == set(case.support)
        assert case.targets == set(likes[case.user]) - case.excluded
        assert case.profile.age is not None
        if order == "first":
            assert case.support == tuple(likes[case.user][:10])
    for user in long:
        of_user = [c for c in found.cases if c.user == user]
        assert len({(c.targets, c.excluded, c.support) for c in of_user}) == 1


@given(histories, seeds)
def test_a_users_random_support_does_not_depend_on_the_others(likes, seed):
    data = toy(likes)
    together = support_cases(data, list(likes), order="random", seed=seed).cases
    alone = [support_cases(data, [u], order="random", seed=seed).cases for u in likes]
    assert together == tuple(c for cases in alone for c in cases)


def test_random_support_is_seeded():
    data = toy({"u": FILMS, "v": FILMS})
    found = {
        seed: support_cases(data, ["u", "v"], (10,), order="random", seed=seed).cases
        for seed in range(5)
    }
    assert found[3] == support_cases(data, ["u", "v"], (10,), order="random", seed=3).cases
    assert len({c.support for cases in found.values() for c in cases}) == 10


@given(histories, orders, st.sets(st.sampled_from(FILMS)), st.sets(st.sampled_from(FILMS)))
def test_targets_and_candidates_can_be_limited(likes, order, wanted, allowed):
    found = support_cases(
        toy(likes), list(likes), (0, 2), support=2, min_targets=1, order=order, targets=wanted,
        candidates=allowed,
    )  # fmt: skip
    for case in found.cases:
        mine = set(likes[case.user])
        assert case.targets == mine & wanted & allowed
        assert set(case.support) <= (mine & allowed) - wanted
        # What is excluded: all that is no candidate, and the user's own likes that are no targets.
        assert case.excluded == (set(FILMS) - allowed) | (mine - wanted)
    assert found.dropped == sum(
        not (set(x) & wanted & allowed) or len((set(x) & allowed) - wanted) < 2
        for x in likes.values()
    )


@given(histories, st.sets(st.sampled_from(FILMS)), st.sets(st.sampled_from(FILMS)))
def test_what_was_rated_low_is_no_target_and_may_be_shown(likes, wanted, allowed):
    low = {u: FILMS[20:] for u in likes}
    data = replace(toy(likes), dislikes={u: (*x, "not in the catalog") for u, x in low.items()})
    every = support_cases(data, list(likes), (0, 2), support=2, min_targets=1).cases
    some = support_cases(
        data, list(likes), (0, 2), support=2, min_targets=1, targets=wanted, candidates=allowed
    ).cases
    for case in every:
        assert case.disliked == set(FILMS[20:]) - set(likes[case.user])
    for case in some:
        assert case.disliked == (set(FILMS[20:]) & wanted & allowed) - set(likes[case.user])
    for case in (*every, *some):
        assert not case.disliked & (case.targets | case.excluded)


def test_nothing_hidden_is_ever_shown():
    """The brief of the protocol, with a recommender that knows nothing of it."""
    data = toy({"u": FILMS[:20], "v": FILMS[3:]})
    system = popularity_baseline(TOY, Counts.fit(FILMS, data.users, data.likes))
    for case in support_cases(data, ["u", "v"]).cases:
        ranked = system.recommend(case.profile, k=10 + len(case.excluded)).item_ids
        assert (set(ranked) & case.excluded) == set(case.support[case.n_picks :])
        shown = cut(ranked, case.excluded, 10)
        assert len(shown) == 10
        assert not set(shown) & case.excluded


@given(st.lists(st.sampled_from(FILMS), unique=True), st.sets(st.sampled_from(FILMS)))
def test_cutting_keeps_the_order(ranked, excluded):
    whole = cut(ranked, excluded, len(ranked))
    assert whole == [i for i in ranked if i in set(whole)]
    assert set(whole) == set(ranked) - excluded
    assert cut(ranked, excluded, 3) == whole[:3]
    assert cut(whole, excluded, 3) == whole[:3]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"n_picks": (0, 11)}, r"shots \(0, 11\), support 10 .*from 0 to support"),
        ({"n_picks": (-1,)}, "from 0 to support"),
        ({"support": -1, "n_picks": ()}, "support -1"),
        ({"min_targets": 0}, "min_targets at least 1"),
        ({"order": "last"}, "order is 'last' .'first' or 'random'"),
    ],
)
def test_settings_out_of_range(settings, why):
    with pytest.raises(ConfigError, match=why):
        support_cases(toy({"u": FILMS}), ["u"], **settings)


def test_users_without_likes_are_an_error():
    with pytest.raises(DataError, match="2 users, first 'x', have no likes in toy"):
        support_cases(toy({"u": FILMS}), ["x", "u", "y"])


def test_no_users_is_no_cases():
    assert support_cases(toy({}), []) == ColdSet((), 0)


@pytest.mark.parametrize("order", ["first", "random"])
def test_who_is_dropped_of_movielens(movielens, order):
    small = ml_small.load()
    for data, dropped in ((movielens, 143), (small, 103)):
        found = support_cases(data, list(data.likes), order=order)
        short = sum(len(x) < 15 for x in data.likes.values())
        assert (found.dropped, len(found.cases)) == (short, 5 * (len(data.likes) - short))
        assert found.dropped == dropped


# -- without a support set -------------------------------------------------------------------------

SIX = tuple("abcdefghi")


def six(likes, profiles=None):
    catalog = Catalog(Item(item_id=i, title=f"Film {i}") for i in SIX)
    users = {u: (profiles or {}).get(u, UserProfile()) for u in likes}
    return Dataset("six", catalog, users, {u: tuple(x) for u, x in likes.items()})


def test_without_support_the_first_likes_are_picks_and_the_rest_targets():
    data = six({"u": "fedcba"}, {"u": UserProfile(age=24)})
    zero, one = prefix_cases(data, ["u"])
    assert (zero.n_picks, one.n_picks) == (0, 1)
    assert zero.profile == UserProfile(age=24, history=True)
    assert zero.targets == set("abcdef")
    assert one.profile == UserProfile(age=24, liked=Pick(item="f", by="id"), history=True)
    assert one.targets == set("edcba")


def test_users_with_fewer_than_five_targets_are_left_out():
    likes = {str(n): [f"i{m}" for m in range(n)] for n in range(20)}
    found = {(c.user, c.n_picks) for c in prefix_cases(six(likes), list(likes))}
    assert found == {(str(n), k) for n in range(20) for k in N_PICKS if n - k >= MIN_TARGETS}


def many_cases(n=7, n_picks=(0, 1)):
    rng = np.random.default_rng(0)
    likes = {f"u{m}": [SIX[i] for i in rng.permutation(6)] for m in range(n)}
    profiles = {u: UserProfile(user_id=u) for u in likes}
    return prefix_cases(six(likes, profiles), list(likes), n_picks)


@pytest.mark.parametrize("seed", range(10))
def test_shuffling_gives_nobody_their_own_profile(seed):
    cases = many_cases()
    mixed = shuffled(cases, seed)
    assert sorted((c.user, c.n_picks) for c in mixed) == sorted((c.user, c.n_picks) for c in cases)
    assert all(c.profile.user_id != c.user for c in mixed)
    for k in (0, 1):
        given_ = [c.profile.user_id for c in mixed if c.n_picks == k]
        assert sorted(given_) == [f"u{n}" for n in range(7)]  # every profile once
    own = {(c.user, c.n_picks): c.targets for c in cases}
    for case in mixed:
        picks = {p.item for p in case.profile.liked}
        assert len(picks) == case.n_picks
        assert case.targets == own[case.user, case.n_picks] - picks


def test_shuffling_is_seeded():
    assert shuffled(many_cases(), 1) == shuffled(many_cases(), 1)
    assert shuffled(many_cases(), 1) != shuffled(many_cases(), 2)


def test_who_is_alone_cannot_be_shuffled():
    assert shuffled(many_cases(1)) == []


def test_beyond_the_support_the_targets_are_what_is_left():
    """More picks than support items are refused, or take targets away."""
    data = six({"u": "abcdefgh", "v": "abcdefg"})
    with pytest.raises(ConfigError, match="from 0 to support"):
        support_cases(data, ["u"], (0, 3), support=2)
    found = support_cases(data, ["u", "v"], (0, 3), support=2, fixed_targets=False)
    assert [(c.user, c.n_picks) for c in found.cases] == [("u", 0), ("u", 3), ("v", 0)]
    zero, three, _ = found.cases
    assert (zero.targets, zero.excluded) == (frozenset("cdefgh"), frozenset("ab"))
    assert (three.targets, three.excluded) == (frozenset("defgh"), frozenset("abc"))
    assert picked(three) == ("a", "b", "c")


def test_shuffled_cases_hide_what_was_reserved_for_the_user():
    likes = {"u": "abcdefghi", "v": "ihgfedcba"}
    cases = support_cases(six(likes), ["u", "v"], (1,), min_targets=2, support=3).cases
    for case in shuffled(cases):
        assert case.excluded >= set(likes[case.user][:3])
        assert not case.targets & {p.item for p in case.profile.liked}
        assert not case.targets & case.excluded
