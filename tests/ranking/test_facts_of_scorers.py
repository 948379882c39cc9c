"""Reasons whose facts a scorer knows: requests of other people, and words."""

import pytest

from coldstart.ranking.ranker import BlendRanker
from coldstart.testing.world import toy_prior_recommender, toy_requests


def recommender(**weights):
    ranker = BlendRanker({"prior": {name: (w, 0.0) for name, w in weights.items()}})
    rec = toy_prior_recommender(ranker)
    rec.pipeline.sync()
    rec.scorers.fit_requests(toy_requests(), rec.parts.item_store)
    return rec


def reasons(profile, rec):
    found = rec.recommend(profile, k=24, strategy="prior")
    return {line.item_id: {r.code: r.arguments for r in line.reasons} for line in found}


def test_people_who_asked_alike_are_counted_by_dialogue():
    found = reasons({"about": "toys for my children"}, recommender(asked_alike=1.0))
    assert found["i0"]["asked_alike"] == {"people": 1}  # asked and chosen twice in one dialogue
    assert found["i1"]["asked_alike"] == {"people": 2}
    assert all("asked_alike" not in found[i] for i in ("i5", "i8", "i23"))  # never chosen


def test_co_mentions_name_the_pick():
    found = reasons({"liked": ["Star Trek: First Contact", "Star Wars"]}, recommender(mentions=1.0))
    assert found["i17"]["mentioned"] == {"pick": "Star Wars", "people": 1}
    assert all("mentioned" not in found[i] for i in ("i0", "i20"))


@pytest.mark.parametrize(("about", "words"), [("a matrix", ["matrix"]), ("ALIENS!", ["ALIENS"])])
def test_matched_words_are_quoted(about, words):
    found = reasons({"about": about}, recommender(lexical=1.0))
    matching = {item for item, said in found.items() if "mentions_words" in said}
    assert matching == ({"i9"} if words == ["matrix"] else {"i6", "i7"})
    assert all(found[item]["mentions_words"] == {"words": words} for item in matching)


def test_without_weight_there_is_no_such_reason():
    rec = recommender(popularity=1.0)
    found = reasons({"about": "toys for my children", "liked": ["Star Wars"]}, rec)
    codes = {code for said in found.values() for code in said}
    assert not codes & {"asked_alike", "mentioned", "mentions_words"}
