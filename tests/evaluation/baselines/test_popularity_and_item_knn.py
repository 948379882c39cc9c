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
