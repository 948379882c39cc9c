"""Boosted items and explored places: visible in score, reason and notes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coldstart import Catalog, Item
from coldstart.session import OnboardingSession
from tests.session.sessions import IDS, NOW, boost, ranked, ranked_lines, start
from tests.toy import toy_recommender


def test_a_boost_is_seen_in_score_reason_and_notes_until_it_expires():
    last = ranked(start())[-1]
    session = start().boost(boost(items=[last], amount=50.0))
    before = {r.item_id: r.score for r in ranked_lines(start())}
    result = session.recommend(3, strategy="prior", now=NOW)
    assert result[0].item_id == last
    assert result[0].score == pytest.approx(before[last] + 50)
    assert result[0].provenance.contributions["boost:summer"] == 50
    assert "'summer' (+50.00 points)" in result[0].reason
    assert any("'summer' adds +50.00" in n for n in result.notes)
    late = NOW + timedelta(days=1)
    assert session.recommend(3, strategy="prior", now=late) == start().recommend(
        3, strategy="prior", now=late
    )
    replaced = session.boost(boost(items=[last], amount=0.0))
    assert ranked(replaced) == ranked(start())
    assert session.boost(boost("winter", [last], -99.0)).recommend(
        30, strategy="prior", now=NOW
    )[-1].provenance.contributions["boost:winter"] == -99  # fmt: skip


@pytest.mark.parametrize("small", [{"pool_from": 2}, {"shortlist": 1}, {}])
def test_what_is_boosted_enough_is_shown_from_a_catalog_of_any_size(small):
    rec = toy_recommender(**small)
    everything = rec.recommend({}, k=len(rec.catalog), strategy="prior")
    last = everything[-1].item_id
    session = OnboardingSession(rec).boost(boost(items=[last], amount=50.0))
    for strategy in ("catalog", "prior", "both"):
        top = session.recommend(1, strategy=strategy, now=NOW)[0]
        assert top.item_id == last
        if strategy != "prior":  # the model was asked about it
            assert "model" in top.provenance.contributions or top.provenance.logprob is not None


def test_a_boost_shows_nothing_that_may_not_be_shown():
    session = start().feedback("i3", "seen").boost(boost(items=["i3"], amount=99.0))
    assert "i3" not in ranked(session)


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_a_share_of_the_places_explores_and_says_so(share):
    best = start().recommend(10, strategy="prior", now=NOW)
    session = start(exploration=share, quiz="random").shown(best.item_ids[:1])
    result = session.recommend(10, strategy="prior", now=NOW)
    places = round(10 * share)
    exploring = [r for r in result if "Shown to learn your taste" in r.reason]
    assert len(result) == 10
    assert [r.rank for r in exploring] == list(range(11 - places, 11))
    assert result.item_ids[: 10 - places] == best.item_ids[: 10 - places]
    assert not set(session.exposed) & {r.item_id for r in exploring}
    assert any(f"{places} of 10 places explore" in n for n in result.notes)


def test_too_little_exploration_for_a_place_is_none():
    assert start(exploration=0.04).recommend(10, strategy="prior", now=NOW) == start().recommend(
        10, strategy="prior", now=NOW
    )


def test_an_item_unsuitable_for_the_age_is_not_asked_about():
    items = [Item(item_id=i, title=f"Film {i}", min_age=18) for i in IDS[:3]]
    rec = toy_recommender(Catalog.from_items([*items, Item(item_id="x", title="Any")]))
    session = OnboardingSession(rec, quiz="random").with_profile({"age": 12})
    question = session.next_question()
    assert question.items == ("x",)
    assert session.answer(question.question_id, "unknown").next_question() is None
