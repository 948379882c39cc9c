"""Requests of cold users, simulated from likes, and what trees are taught from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import UserProfile
from coldstart.scoring.registry import SIGNALS
from coldstart.training import crossfit
from coldstart.training.boosting import fit_trees
from coldstart.training.crossfit import learn_classical, ranking_groups
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.simulation import (
    ATTRIBUTES,
    MIN_TARGETS,
    N_PICKS,
    RESERVED,
    simulate_request,
    target_rule,
)
from tests.fakes import FakeEncoder
from tests.ten_films import film

ITEMS = tuple(f"i{n}" for n in range(40))


@pytest.fixture(scope="module")
def world():
    """Thirty people who like 22 of 40 films in an order of their own, and dislike two others."""
    rng = np.random.default_rng(0)
    catalog = Catalog(film(i, f"Film {i}", 1990, ("Drama",)) for i in ITEMS)
    users, likes, dislikes = {}, {}, {}
    for n in range(30):
        order = [str(i) for i in rng.permutation(ITEMS)]
        users[f"u{n}"] = UserProfile(age=30, gender="F", occupation="artist")
        likes[f"u{n}"], dislikes[f"u{n}"] = tuple(order[:22]), tuple(order[22:24])
    return Dataset("world", catalog, users, likes, dislikes)


def test_the_first_likes_are_picks_and_later_ones_targets(world):
    likes = world.likes["u0"]
    for shots in N_PICKS:
        rng = np.random.default_rng(0)
        request = simulate_request("u0", world, shots, rng, said_share=0, dislikes_share=0)
        assert [p.item for p in request.profile.liked] == list(likes[:shots])
        assert request.targets == likes[shots:]
        assert request.excluded == likes[:shots]
    assert simulate_request("u0", world, len(likes) - MIN_TARGETS + 1, rng) is None


def test_counts_know_no_order_that_is_mostly_ties(world):
    tied = replace(world, times={u: (7.0,) * len(x) for u, x in world.likes.items()})
    users = list(world.likes)
    assert OutOfFold(world, users, FakeEncoder()).everyone.counts.early.any()
    out_of_fold = OutOfFold(tied, users, FakeEncoder())
    assert not out_of_fold.everyone.counts.early.any()
    assert not out_of_fold.of("u0").counts.early.any()


def test_what_statements_come_from_is_neither_target_nor_candidate(world):
    rng = np.random.default_rng(0)
    for _ in range(20):
        request = simulate_request("u1", world, 3, rng, said_share=1, dislikes_share=1, dropout=0.5)
        assert not set(request.targets) & set(request.excluded)
        assert {p.item for p in request.profile.disliked} == set(world.dislikes["u1"])
        hidden = set(request.excluded) - set(world.likes["u1"][:3]) - set(world.dislikes["u1"])
        assert len(hidden) == 5
        assert set(request.targets) | hidden == set(world.likes["u1"][3:])
    kept = [getattr(request.profile, name) for name in ATTRIBUTES]
    assert None in kept


def test_a_request_without_more_items(world):
    request = simulate_request("u0", world, 1, np.random.default_rng(0), said_share=0)
    less = request.without(world.likes["u0"][:RESERVED])
    assert less.profile == request.profile
    assert less.targets == world.likes["u0"][RESERVED:]
    assert set(less.excluded) == {*request.excluded, *world.likes["u0"][:RESERVED]}
    assert len(set(less.excluded)) == len(less.excluded)


def test_a_history_is_asked_what_comes_after_the_first_ten(world):
    users = tuple(world.likes)
    out_of_fold = OutOfFold(world, users, FakeEncoder())
    requests = ranking_groups(world, users, out_of_fold, BlendRanker.classical())
    shots = SIGNALS.index("shots")
    for user in users[:5]:
        asked = [r for r in requests if r.user == user and r.order == "first"]
        assert sorted({int(r.features[0, shots]) for r in asked} | {0}) == list(N_PICKS)
        assert len(asked) == len({int(r.features[0, shots]) for r in asked})
        for r in asked:
            # Statements hide five likes, of which some may be among the first ten.
            assert 22 - RESERVED - 5 <= r.liked.sum() <= 22 - RESERVED


def test_people_of_few_likes_are_asked_what_comes_next(world):
    few = {u: likes[: 12 if n % 3 else 22] for n, (u, likes) in enumerate(world.likes.items())}
    short = replace(world, likes=few)
    users = tuple(few)
    assert target_rule(world, users) == (RESERVED, MIN_TARGETS)
    assert target_rule(short, users) == (0, MIN_TARGETS)
    assert target_rule(replace(world, likes={u: x[:4] for u, x in few.items()}), users) == (0, 1)
    out_of_fold = OutOfFold(short, users, FakeEncoder())
    requests = ranking_groups(short, users, out_of_fold, BlendRanker.classical())
    one = [r for r in requests if r.user == "u1" and r.order == "first"]
    sizes = {int(r.features[0, SIGNALS.index("shots")]): int(r.liked.sum()) for r in one}
    assert sizes.keys() >= {1, 3, 5}
    assert 10 not in sizes  # two targets are too few
    assert all(12 - k - 5 <= liked <= 12 - k for k, liked in sizes.items())


def test_favourites_are_any_likes_and_asked_once(world):
    users = tuple(world.likes)
    out_of_fold = OutOfFold(world, users, FakeEncoder())
    requests = ranking_groups(world, users, out_of_fold, BlendRanker.classical())
    shots, history = SIGNALS.index("shots"), SIGNALS.index("history")
    for r in requests:
        assert set(r.features[:, history]) == {float(r.order == "first")}
    favourites = [r for r in requests if r.user == "u0" and r.order == "random"]
    assert [int(r.features[0, shots]) for r in favourites] == [k for k in N_PICKS if k]
    rng = np.random.default_rng(0)
    request = simulate_request("u0", world, 5, rng, said_share=0, order="random")
    picks = [p.item for p in request.profile.liked]
    assert set(picks) < set(world.likes["u0"])
    assert picks != list(world.likes["u0"][:5])
    assert not request.profile.history
    assert set(request.targets) | set(picks) == set(world.likes["u0"])


def test_each_kind_of_picks_has_its_own_trees(world, monkeypatch):
    users = tuple(world.likes)
    out_of_fold = OutOfFold(world, users, FakeEncoder())
    assert learn_classical(world, users, out_of_fold).trees is None
    monkeypatch.setattr(crossfit, "ENOUGH_USERS", 10)
    ranker = learn_classical(world, users, out_of_fold)
    requests = ranking_groups(world, users, out_of_fold, BlendRanker.classical())
    for order, trees in (("first", ranker.trees), ("random", ranker.favourites)):
        own = fit_trees([r for r in requests if r.order == order])
        assert trees.to_dict() == own.to_dict()
