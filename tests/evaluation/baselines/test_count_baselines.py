"""Baselines of interaction counts."""

import math

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.baselines.damped_mean import damped_mean
from coldstart.evaluation.baselines.demographic_popularity import demographic_baseline
from coldstart.evaluation.baselines.demographic_user_knn import demographic_user_knn
from coldstart.evaluation.baselines.ease import ease, ease_prior, ease_rows
from coldstart.evaluation.baselines.item_knn import item_knn
from coldstart.evaluation.baselines.later_lift import later_lift
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.baselines.random_items import random_items
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import Counts, ease_weights
from coldstart.schema import Item, UserProfile
from tests.evaluation.baselines.six_films import FILMS, TOY, scores, training


def test_random_lists_differ_between_people_and_seeds():
    people = [UserProfile(age=n) for n in range(20)]
    one, other = random_items(training()), random_items(training(), seed=1)
    lists = [tuple(one.recommend(p, k=6).item_ids) for p in people]
    assert len(set(lists)) > 15
    assert lists != [tuple(other.recommend(p, k=6).item_ids) for p in people]


def test_damped_mean_by_hand():
    people = {"u": (UserProfile(), "ab"), "v": (UserProfile(), "a")}
    data = training(people, dislikes={"u": ["c"], "v": ["b"], "stranger": ["a"]})
    found = scores(damped_mean(data, damping=2.0))
    mean = 3 / 5
    assert found["a"] == pytest.approx((2 + 2 * mean) / 4)
    assert found["b"] == pytest.approx((1 + 2 * mean) / 4)
    assert found["c"] == pytest.approx((0 + 2 * mean) / 3)
    assert found["f"] == pytest.approx(mean)


def test_damped_mean_prefers_ratings():
    people = {"u": (UserProfile(), "a"), "v": (UserProfile(), "a")}
    data = training(people, ratings={"u": {"a": 2.0, "gone": 5.0}, "v": {"b": 5.0}})
    found = scores(damped_mean(data, damping=1.0))
    assert found["b"] == pytest.approx((5 + 3.5) / 2)
    assert found["a"] == pytest.approx((2 + 3.5) / 2)


def test_demographic_neighbours_by_hand():
    people = {
        "u": (UserProfile(gender="M", occupation="nurse"), "a"),
        "v": (UserProfile(gender="M"), "b"),
        "w": (UserProfile(gender="F"), "c"),
    }
    asker = UserProfile(gender="m", occupation="Nurse", age=99)
    gender, nurse = math.log(4 / 2), math.log(4 / 1)
    found = scores(demographic_user_knn(training(people), neighbours=2), asker)
    total = 2 * gender + nurse
    assert found["a"] == pytest.approx((gender + nurse) / total, abs=1e-6)
    assert found["b"] == pytest.approx(gender / total, abs=1e-6)
    assert found["c"] == pytest.approx(0, abs=1e-6)
    nearest = scores(demographic_user_knn(training(people), neighbours=1), asker)
    assert nearest["a"] == pytest.approx(1, abs=1e-6)
    assert nearest["b"] == pytest.approx(0, abs=1e-6)


def test_tied_neighbours_all_count():
    people = {f"u{n}": (UserProfile(gender="M"), FILMS[n]) for n in range(4)}
    found = scores(demographic_user_knn(training(people), neighbours=1), UserProfile(gender="M"))
    assert [found[i] for i in "abcd"] == pytest.approx([0.25] * 4, abs=1e-6)


def test_who_resembles_nobody_gets_popularity():
    data = training()
    system = demographic_user_knn(data)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6).item_ids
    assert system.recommend(UserProfile(occupation="pilot"), k=6).item_ids == expected


def test_item_knn_by_hand():
    found = scores(item_knn(training(), damping=1.0), UserProfile(liked=["a", "d"]))
    # a: 4 likes, b: 3, c: 1, d: 2, e: 1; together: ab 3, ac 1, ad 1, de 1
    assert found["b"] == pytest.approx(3 / math.sqrt(5 * 4), abs=1e-6)
    assert found["c"] == pytest.approx(1 / math.sqrt(5 * 2), abs=1e-6)
    assert found["e"] == pytest.approx(1 / math.sqrt(3 * 2), abs=1e-6)
    assert found["f"] == 0
    one = scores(item_knn(training(), damping=1.0, neighbours=1), UserProfile(liked=["a"]))
    assert one["c"] < 1e-6 < one["b"]


def test_ease_is_the_constrained_ridge_regression():
    rng = np.random.default_rng(0)
    x = (rng.random((30, 7)) < 0.4).astype(float)
    likes = {str(u): ["abcdefg"[i] for i in np.flatnonzero(row)] for u, row in enumerate(x)}
    weights = ease_weights(Counts.fit("abcdefg", dict.fromkeys(likes, UserProfile()), likes), 3.0)
    for item in range(7):  # each column on its own: all other items explain this one
        others = [j for j in range(7) if j != item]
        a = x[:, others]
        expected = np.linalg.solve(a.T @ a + 3.0 * np.eye(6), a.T @ x[:, item])
        assert weights[others, item] == pytest.approx(expected)
        assert weights[item, item] == 0


def test_ease_folds_picks_in():
    data = training()
    weights = ease_weights(data.counts, 2.0)
    found = scores(ease(data, l2=2.0), UserProfile(liked=["a", "d"]))
    for item in "bcef":
        column = FILMS.index(item)
        assert found[item] == pytest.approx(weights[0, column] + weights[3, column])


@pytest.mark.parametrize("users", [3, 8, 12])
def test_ease_is_the_same_by_users_as_by_items(users):
    rng = np.random.default_rng(users)
    catalog = Catalog(Item(item_id=str(i), title=f"Film {i}") for i in range(8))
    likes = {f"u{n}": tuple(map(str, rng.permutation(8)[:4])) for n in range(users)}
    data = TrainingData(catalog, dict.fromkeys(likes, UserProfile()), likes)
    picks = [5, 0, 2]
    np.testing.assert_allclose(
        ease_rows(data, 1.5)(picks), ease_weights(data.counts, 1.5)[picks], atol=1e-9
    )


def test_ease_prior_adds_to_demographic_popularity():
    data = training()
    profile = UserProfile(gender="M", liked=["c", "d"])
    prior = scores(demographic_baseline(TOY, data.counts), profile)
    found = scores(ease_prior(data, l2=2.0, weight=1.5), profile)
    alone = scores(ease(data, l2=2.0), profile)
    top = max(alone.values())
    for item, value in found.items():
        expected = prior[item] + 1.5 * math.sqrt(2) * alone[item] / top
        assert value == pytest.approx(expected)


def test_later_lift_by_hand():
    people = {
        "u": (UserProfile(), "ab"),
        "v": (UserProfile(), "ab"),
        "w": (UserProfile(), "cb"),
        "x": (UserProfile(), "cd"),
    }
    found = scores(
        later_lift(training(people), first=1, shrink=2.0, weight=1.0), UserProfile(liked=["a"])
    )
    base = 3 / 4  # of four first likes, b came after three
    assert found["b"] == pytest.approx(math.log((2 + 2 * base) / (2 + 2) + 1e-4))
    assert found["b"] > found["d"] > found["f"]


def test_likes_after_the_picks_need_an_order():
    data = training(ordered=False)
    assert not data.counts.early.any()
    profile = UserProfile(liked=["a"], gender="F")
    known = scores(demographic_baseline(TOY, data.counts), profile)
    assert scores(later_lift(data), profile) == pytest.approx(known)
    assert scores(later_lift(training()), profile) != pytest.approx(known)


def test_later_lift_looks_forward_only():
    people = {f"u{n}": (UserProfile(), "ab") for n in range(50)} | {
        f"v{n}": (UserProfile(), "bc") for n in range(50)
    }
    system = later_lift(training(people))
    assert system.recommend(UserProfile(liked=["b"])).item_ids[0] == "c"  # "a" came before b
