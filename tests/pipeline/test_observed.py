"""A recommender that learns from likes while it is used."""

from __future__ import annotations

import pytest

from coldstart import Recommender
from coldstart.errors import ConfigError
from coldstart.scoring.categories import CategoryScorer
from coldstart.scoring.scorers import Scorers
from tests.growing import growing_recommender
from tests.toy import toy_recommender


def ids(recommender, **profile):
    return recommender.recommend(profile, k=5, strategy="prior").item_ids


def test_lists_follow_likes_and_their_erasure():
    recommender = growing_recommender()
    assert recommender.grows
    before, with_pick = ids(recommender), ids(recommender, liked=["i1"])
    for n in range(40):
        assert recommender.observe(f"u{n}", "i1", "i20")
    assert set(ids(recommender)[:2]) == {"i1", "i20"}
    assert ids(recommender, liked=["i1"])[0] == "i20" != with_pick[0]
    assert all(recommender.forget(f"u{n}") for n in range(40))
    assert (ids(recommender), ids(recommender, liked=["i1"])) == (before, with_pick)
    assert not recommender.forget("u0")


def test_a_like_is_taken_back():
    recommender = growing_recommender()
    before = ids(recommender)
    recommender.observe("a", "i20")
    assert ids(recommender)[0] == "i20"
    assert recommender.retract("a", "i20")
    assert not recommender.retract("a", "i20")
    assert ids(recommender) == before


def test_reasons_say_how_many_people_liked_both():
    recommender = growing_recommender()
    for name in "abc":
        recommender.observe(name, "i1", "i20")
    recommender.observe("d", "i1")
    (first,) = recommender.recommend({"liked": ["i1"]}, k=1, strategy="prior")
    pick = recommender.catalog["i1"].title
    assert first.item_id == "i20"
    assert first.reason.startswith(f"3 of 4 people who liked {pick} liked this")
    (popular,) = recommender.recommend({}, k=1, strategy="prior")
    assert popular.reason == "Liked by 4 of 4 people with likes here."


def test_an_artifact_keeps_the_counts(tmp_path):
    recommender = growing_recommender()
    recommender.observe("a", "i1", "i20")
    files = recommender.scorers.save()
    other = growing_recommender()
    other.scorers.load(files)
    assert ids(other, liked=["i1"]) == ids(recommender, liked=["i1"])


def test_a_trained_recommender_gives_the_same_lists():
    recommender = toy_recommender()
    before = ids(recommender, liked=["i1"])
    assert not recommender.grows
    recommender.observe("a", "i1", "i20")
    assert ids(recommender, liked=["i1"]) == before


def test_what_cannot_be_observed_is_refused():
    recommender = growing_recommender()
    with pytest.raises(ConfigError, match="no item 'Alien'"):
        recommender.observe("a", "i1", "Alien")
    with pytest.raises(ConfigError, match="no item was given"):
        recommender.observe("a")
    assert not recommender.evidence.counts.likes.any()
    few = Recommender(
        recommender.catalog,
        None,
        recommender.template,
        recommender.counts,
        recommender.encoder,
        recommender.ranker,
        scorers=Scorers([CategoryScorer()]),
    )
    with pytest.raises(ConfigError, match="count no likes"):
        few.observe("a", "i1")


def test_scorers_are_told_how_many_likes_were_observed():
    recommender = growing_recommender()
    resources = recommender.pipeline.resources
    assert resources.observed_likes == 0
    recommender.observe("a", "i1", "i2")
    recommender.observe("b", "i1")
    assert resources.observed_likes == 3
