"""Six films, six people, and what a baseline makes of them."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.schema import Item, UserProfile
from tests.fakes import FakeEncoder

FILMS = tuple("abcdef")
TITLES = ("Space War", "War and Peace", "Love Story", "Space Love", "Peace", "Nothing")
TOY = Catalog(
    Item(item_id=i, title=t, categories=("Sci-Fi",) if "Space" in t else ("Drama",))
    for i, t in zip(FILMS, TITLES, strict=True)
)
PEOPLE = {
    "m1": (UserProfile(gender="M", age=24), "abc"),
    "m2": (UserProfile(gender="M", age=31), "ab"),
    "m3": (UserProfile(gender="M", occupation="nurse"), "ba"),
    "f1": (UserProfile(gender="F", age=27), "ad"),
    "f2": (UserProfile(gender="F", age=38), "de"),
    "silent": (UserProfile(), ""),
}


def training(people=None, **more):
    people = people or PEOPLE
    return TrainingData(
        TOY,
        {u: p for u, (p, _) in people.items()},
        {u: tuple(x) for u, (_, x) in people.items()},
        **{"encoder": FakeEncoder()} | more,
    )


def scores(system, profile=None):
    """Score of every item that may be shown."""
    return {r.item_id: r.score for r in system.recommend(profile or UserProfile(), k=6)}


TRAINED = {n: b for n, b in baselines().items() if b.input == "training" and not b.slow}
"""Baselines that need nothing but training data, and no seconds for a list."""


def built(name, data=None):
    pytest.importorskip(TRAINED[name].requires or "numpy")
    return TRAINED[name].build(data or training())
