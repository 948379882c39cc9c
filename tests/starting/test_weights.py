"""The blend for a catalog without interactions."""

from typing import get_args

from coldstart.schema import Strategy
from coldstart.scoring.registry import SIGNALS
from coldstart.starting import weights
from coldstart.starting.weights import from_nothing_ranker, starting_state


def test_every_strategy_has_weights_and_a_blend_of_requests():
    ranker = from_nothing_ranker(0.1)
    assert set(ranker.strategies) == set(get_args(Strategy)) == set(ranker.requests)
    assert ranker.signals <= set(SIGNALS.names)
    assert ranker.weighs("catalog", ["model"])
    assert not ranker.weighs("prior", ["model"])
    assert not from_nothing_ranker().weighs("catalog", ["model"])


def test_popularity_says_less_in_a_shop_of_departments():
    films, shop = from_nothing_ranker(), from_nothing_ranker(departments=True)
    assert films.signals == shop.signals
    weight, of_shop = (r.table("prior")["evidence_popularity"][0] for r in (films, shop))
    assert 0 < of_shop < weight


def test_no_signal_of_counts_is_weighed():
    learned = {"popularity", "people", "picks", "fold_in", "lift", "closest", "smoothed", "next"}
    assert from_nothing_ranker().signals.isdisjoint(learned)


def test_a_superseded_signal_counts_only_alone(monkeypatch):
    monkeypatch.setattr(weights, "SUPERSEDED", {"catalog_popularity": "no_such_signal"})
    assert "catalog_popularity" in from_nothing_ranker().signals
    monkeypatch.setattr(weights, "SUPERSEDED", {"catalog_popularity": "opening"})
    assert "catalog_popularity" not in from_nothing_ranker().signals


def test_the_opening_is_turned_on():
    assert list(starting_state()) == ["scorers/opening/opening.json"]


def test_letters_count_less_than_meaning():
    words = [from_nothing_ranker(0.0, e).requests["prior"].weights["words"] for e in ("", "ngrams")]
    assert words == [weights.REQUEST["words"], weights.LITERAL]
    assert weights.LITERAL[0] < weights.REQUEST["words"][0]
