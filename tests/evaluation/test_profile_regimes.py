from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.cases import ColdSet, cut, support_cases
from coldstart.evaluation.profile_regimes import REGIMES, restricted
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, UserProfile

FILMS = tuple(f"f{n}" for n in range(30))
GENRES = ("Drama", "Comedy", "Western")
TOY = Catalog(
    Item(item_id=i, title=f"Film {i}", year=1990 + n % 9, categories=(GENRES[n % 3],))
    for n, i in enumerate(FILMS)
)
SHOTS = (0, 1, 3, 5, 10)


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
    assert [(c.user, c.n_picks) for c in found.cases] == [(u, k) for u in long for k in SHOTS]
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
        ({"shots": (0, 11)}, r"shots \(0, 11\), support 10 .*from 0 to support"),
        ({"shots": (-1,)}, "from 0 to support"),
        ({"support": -1, "shots": ()}, "support -1"),
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


DRAMAS = FILMS[0::3]  # the support
HISTORY = {"u": (*DRAMAS, *FILMS[1::3]), "v": FILMS[5:], "w": FILMS}


def test_every_regime_says_what_it_is_called():
    data = toy(HISTORY)
    cases = support_cases(data, ["u"]).cases
    said = {name: restricted(data, cases, parts) for name, parts in REGIMES.items()}
    (nothing,), (words,), (text,) = said["attributes"], said["interests"], said["text"]
    assert nothing.profile == data.users["u"]
    assert words.profile == data.users["u"].model_copy(update={"interests": ("Drama",)})
    assert text.profile.interests == text.profile.liked == ()
    assert text.profile.age == 20
    assert "drama" in text.profile.about.lower() or "Film f0" in text.profile.about
    assert said["picks"] == list(cases)
    assert {c.n_picks for c in (nothing, words, text)} == {0}


def test_parts_combine():
    data = toy(HISTORY)
    cases = support_cases(data, list(HISTORY)).cases
    alone = restricted(data, cases, ("interests",))
    assert [c.profile.demographics() for c in alone] == [{}] * 3
    assert alone[0].profile.interests == ("Drama",)
    full = restricted(data, cases, ("picks", "attributes", "text", "interests"))
    assert [(c.user, c.n_picks) for c in full] == [(c.user, c.n_picks) for c in cases]
    assert [c.profile.liked for c in full] == [c.profile.liked for c in cases]
    # The same words at every number of picks.
    assert len({(c.user, c.profile.interests, c.profile.about) for c in full}) == 3


@given(st.permutations(FILMS[10:]), seeds)
def test_words_come_from_the_support_only(rest, seed):
    """Whatever the targets are, the same is said."""
    one, two = (toy({"u": (*FILMS[:10], *tail)}) for tail in (FILMS[10:], rest[:8]))
    parts = ("attributes", "interests", "text")
    said = [
        restricted(d, support_cases(d, ["u"]).cases, parts, seed)[0].profile for d in (one, two)
    ]
    assert said[0] == said[1]


def test_what_is_said_is_seeded():
    data = toy(HISTORY)
    cases = support_cases(data, ["u"]).cases
    texts = [restricted(data, cases, ("text",), seed)[0].profile.about for seed in range(20)]
    assert texts[3] == restricted(data, cases, ("text",), 3)[0].profile.about
    assert len(set(texts)) > 2


def test_who_likes_nothing_in_particular_says_nothing():
    plain = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)
    data = Dataset("plain", plain, {"u": UserProfile()}, {"u": FILMS})
    (case,) = restricted(data, support_cases(data, ["u"]).cases, ("interests", "text"))
    assert case.profile.is_empty()


def test_unknown_parts_are_refused():
    with pytest.raises(ConfigError, match="no part 'mood' .known: attributes, interests"):
        restricted(toy({}), [], ("picks", "mood"))
