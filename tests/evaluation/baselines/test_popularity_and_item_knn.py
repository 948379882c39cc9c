import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.evaluation.baselines.demographic_popularity import demographic_baseline
from coldstart.evaluation.baselines.item_knn_prior import item_knn_baseline
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.cases import (
    prefix_cases,
    shuffled,
    support_cases,
)
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, UserProfile

FILMS = tuple("abcdef")
TOY = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)


def toy(likes, profiles=None):
    return Dataset(
        "toy", TOY, {u: (profiles or {}).get(u, UserProfile()) for u in likes},
        {u: tuple(x) for u, x in likes.items()},
    )  # fmt: skip


def always(*order):
    """A system that shows the same films to everybody, less their picks."""
    counts = Counts.fit(FILMS, {}, {})
    scores = [-float(order.index(i)) if i in order else -99.0 for i in FILMS]
    return ScoredBaseline(TOY, counts, lambda profile: np.array(scores))


PEOPLE = {
    "m1": (UserProfile(gender="M"), "abc"),
    "m2": (UserProfile(gender="M"), "ab"),
    "m3": (UserProfile(gender="M"), "ab"),
    "f1": (UserProfile(gender="F"), "ad"),
    "f2": (UserProfile(gender="F"), "de"),
}
COUNTS = Counts.fit(
    FILMS, {u: p for u, (p, _) in PEOPLE.items()}, {u: x for u, (_, x) in PEOPLE.items()}
)
BASELINES = {
    "popularity": popularity_baseline(TOY, COUNTS),
    "demographic": demographic_baseline(TOY, COUNTS),
    "knn": item_knn_baseline(TOY, COUNTS),
    "knn root": item_knn_baseline(TOY, COUNTS, weight=2.0, root=True),
}
named = st.lists(st.sampled_from([*FILMS, "unknown"]), max_size=6)


@pytest.mark.parametrize("name", BASELINES)
@given(liked=named, disliked=named, seen=named, k=st.integers(1, 9))
def test_baselines_never_return_what_was_named(name, liked, disliked, seen, k):
    profile = UserProfile(gender="F", liked=liked, disliked=disliked, seen=seen)
    out = BASELINES[name].recommend(profile, k=k)
    allowed = set(FILMS) - {*liked, *disliked, *seen}
    assert set(out.item_ids) <= allowed
    assert len(out) == len(set(out.item_ids)) == min(k, len(allowed))
    assert [r.rank for r in out] == list(range(1, len(out) + 1))
    scores = [r.score for r in out]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(s) for s in scores)


def test_popularity_ranks_by_likes():
    assert BASELINES["popularity"].recommend(UserProfile()).item_ids == [
        "a",
        "b",
        "d",
        "c",
        "e",
        "f",
    ]


def test_demographics_move_the_list():
    strong = Counts.fit(
        FILMS,
        {f"{g}{n}": UserProfile(gender=g) for g in "MF" for n in range(100)},
        {f"{g}{n}": x for g, x in (("M", "a"), ("F", "b")) for n in range(100)},
    )
    system = demographic_baseline(TOY, strong)
    assert system.recommend(UserProfile(gender="M"), k=1).item_ids == ["a"]
    assert system.recommend(UserProfile(gender="F"), k=1).item_ids == ["b"]


def test_knn_moves_towards_the_picks():
    plain, knn = (
        BASELINES[n].recommend(UserProfile(liked="e")) for n in ("popularity", "knn root")
    )
    assert knn.item_ids.index("d") < plain.item_ids.index("d")
    assert {r.item_id: r.score for r in knn}["d"] == pytest.approx(
        {r.item_id: r.score for r in plain}["d"] + 2.0
    )


def test_root_scales_with_the_square_root_of_the_picks():
    flat, root = (item_knn_baseline(TOY, COUNTS, root=r) for r in (False, True))
    base = BASELINES["demographic"]
    profile = UserProfile(liked=["e", "c", "f", "unknown"])
    for one, two, three in zip(
        *(sorted(s.recommend(profile), key=lambda r: r.item_id) for s in (flat, root, base)),
        strict=True,
    ):
        assert two.score - three.score == pytest.approx(2 * (one.score - three.score))


def test_reserved_likes_are_neither_targets_nor_shown():
    data = toy({"u": "abcdefgh", "v": "abcdefg"})
    cases = prefix_cases(data, ["u", "v"], (0, 1, 3), reserved=3)
    assert [(c.user, c.n_picks) for c in cases] == [("u", 0), ("u", 1), ("u", 3)]
    for case in cases:
        assert case.targets == frozenset("defgh")
        liked, seen = ([p.item for p in x] for x in (case.profile.liked, case.profile.seen))
        assert liked + seen == ["a", "b", "c"]
        assert len(liked) == case.n_picks
    expected = support_cases(data, ["u", "v"], (0, 1, 3), support=3).cases
    assert [(c.user, c.n_picks, c.targets) for c in cases] == [
        (c.user, c.n_picks, c.targets) for c in expected
    ]
    for case, other in zip(cases, expected, strict=True):
        assert case.profile.liked == other.profile.liked
        picks = {p.item for p in (*case.profile.liked, *case.profile.seen)}
        assert picks == other.excluded
    shown = popularity_baseline(data.catalog, Counts.fit(data.catalog.ids, {}, {}))
    for case in cases:
        assert not set(shown.recommend(case.profile, k=8).item_ids) & set("abc")


def test_shuffled_cases_hide_what_was_reserved_for_the_user():
    likes = {"u": "abcdefghi", "v": "ihgfedcba"}
    cases = prefix_cases(toy(likes), ["u", "v"], (1,), min_targets=2, reserved=3)
    for other in shuffled(cases):
        hidden = {p.item for p in other.profile.seen}
        assert hidden == set(likes[other.user][:3])
        assert not other.targets & {p.item for p in other.profile.liked}


def test_shares_together_are_the_whole_evaluation():
    from coldstart.evaluation.recommender_adapter import Plan, classical, score_share
    from tests.test_recommender import make
    from tests.toy import toy_dataset, toy_split

    rec = make()
    split = toy_split()
    plan = Plan(toy_dataset(), split.train, split.valid, split.test[:5], (0, 3), reserved=3)
    whole = score_share(rec, plan, 0, 1)
    parts = [s for n in range(3) for s in score_share(rec, plan, n, 3)]
    assert sorted(map(repr, parts)) == sorted(map(repr, whole))
    assert {s.system for s in whole} >= {"language model alone, free", "**coldstart, both**"}
    assert {s.n_picks for s in whole} == {0, 3}
    assert "popularity" in (systems := classical(rec, plan))
    assert all(len(s.recommend(plan.cases[-1].profile, k=3)) == 3 for s in systems.values())
