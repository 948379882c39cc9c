"""All signals of a request together: finite, in their ranges, and zero where nothing was said."""

import numpy as np
import pytest
from hypothesis import given

from coldstart.interactions.interaction_stats import popularity
from coldstart.scoring.registry import SIGNALS
from coldstart.testing import probes
from tests.ten_films import ITEM_STORE, NOBODY, contexts, features_of, profiles, resolved


def test_nothing_said_is_popularity_only():
    found = features_of(NOBODY)
    assert probes.features_of(ITEM_STORE, NOBODY).shape == (10, len(SIGNALS))
    assert found.pop("popularity") == pytest.approx(np.log(popularity(ITEM_STORE.counts) + 1e-4))
    assert set(found.pop("age")) == {-1.0}
    names = ("usual", "year", "late", "beyond", "freshness")
    of_the_item = {name: found.pop(name) for name in names}
    assert all(np.isfinite(column).all() for column in of_the_item.values())
    np.testing.assert_array_equal(of_the_item["beyond"], of_the_item["late"])
    assert not any(column.any() for column in found.values())


@given(profiles, contexts)
def test_features_are_finite_and_in_their_ranges(profile, context):
    user = resolved(profile, context)
    found = features_of(user)
    assert all(column.shape == (10,) for column in found.values())
    assert all(np.isfinite(column).all() for column in found.values())
    for name, top in (("interests", 1), ("dislikes", 1), ("picks", np.sqrt(len(user.liked)))):
        assert found[name].min() >= 0
        assert found[name].max() <= top + 1e-6
    for name in ("alike", "words"):
        assert found[name].mean() == pytest.approx(0, abs=1e-9)
    unsaid = {
        "picks": not user.liked,
        "alike": not user.liked,
        "interests": not profile.get("interests"),
        "dislikes": not profile.get("disliked"),
        "people": not profile.keys() & {"age", "gender", "occupation", "attributes"},
        "words": not (profile.keys() | context.keys()) & {"interests", "about", "text", "occasion"},
    }
    assert not any(found[name].any() for name, silent in unsaid.items() if silent)
    assert not found["model"].any()
    assert not found["written"].any()


def test_model_and_written_are_passed_through():
    model, written = np.arange(10.0), np.linspace(0, 1, 10)
    found = features_of(NOBODY, model=model, written=written)
    assert found["model"].tolist() == model.tolist()
    assert found["written"].tolist() == written.tolist()
