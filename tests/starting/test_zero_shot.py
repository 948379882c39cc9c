"""The language model's weight: measured on the catalog, 0 in doubt."""

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from coldstart.starting import zero_shot
from coldstart.starting.zero_shot import ZeroShotGain, measure_zero_shot


def test_a_random_model_is_left_out(started):
    gain = measure_zero_shot(started.parts)
    assert gain.queries >= 30
    assert (gain.weight, gain.low <= 0) == (0.0, True)
    assert 0 < gain.base <= 1
    assert gain.sentence().startswith("the language model is left out, as it does not help here")
    assert not started.ranker.weighs("catalog", ["model"])


def test_a_model_that_knows_the_items_counts(started, monkeypatch):
    """One whose lift is 5 nats for the item that is looked for, and 0 for all others."""
    real = zero_shot._scored

    def knowing(parts, cases, report):
        scores, lifts, targets = real(parts, cases, report)
        lifts = np.zeros_like(lifts)
        lifts[np.arange(len(targets)), targets] = 5.0
        return scores, lifts, targets

    monkeypatch.setattr(zero_shot, "_scored", knowing)
    gain = measure_zero_shot(started.parts)
    assert gain.weight > 0
    assert gain.low > 0
    assert "counts with weight" in gain.sentence()


def test_too_few_descriptions_measure_nothing(started, tiny_base):
    bare = Catalog(Item(item_id=str(n), title=f"Chair {n}") for n in range(30))
    from coldstart.recommender import Recommender

    made = Recommender.from_catalog(bare, encoder="ngrams", base=tiny_base, dtype="float32")
    assert made.manifest["start"]["model"]["queries"] == 0
    assert "too few descriptions" in ZeroShotGain().sentence()


def test_the_query_is_taken_out_of_the_item():
    item = Item(item_id="1", title="A", description="Short. A long sentence about fine oak chairs.")
    query, rest = zero_shot._split(item)
    assert query == "A long sentence about fine oak chairs."
    assert rest.description == "Short."
    assert zero_shot._split(item.model_copy(update={"description": "Too short."})) is None
    chinese = zero_shot._split(
        item.model_copy(update={"description": "网面鞋身，缓震鞋底，适合日常跑步。轻。"})
    )
    assert chinese[0].startswith("网面鞋身")
    assert chinese[1].description == "轻。"


def test_equal_scores_share_their_rank():
    scores = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]])
    assert zero_shot._reciprocal(scores, np.array([0, 1])) == pytest.approx([1 / 1.5, 1.0])


def test_the_measurement_leaves_the_parts_as_they_are(started):
    before = replace(started.parts)
    measure_zero_shot(started.parts)
    assert all(getattr(before, n) is v for n, v in vars(started.parts).items())
