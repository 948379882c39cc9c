"""What is derived from the declarations of signals: columns, weights, trees, reasons."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.errors import ConfigError
from coldstart.ranking.ranker import BlendRanker
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import ColumnScorer, Scorer, signal
from coldstart.scoring.scorers import Scorers
from coldstart.scoring.signal import Signal
from tests.toy import toy_recommender

COLUMNS = """popularity people picks fold_in lift closest smoothed resembles shares next late beyond
kinds usual mainstream year year_gap age shots history request_words alike words interests dislikes
wished unwished mood model written request about not_about like_named asked_alike
asked_alike_words asked_unlike lexical mentions mentions_log catalog_popularity freshness opening
evidence_popularity evidence_content
evidence_picks evidence_years""".split()


@pytest.fixture
def title_length():
    """A registered signal that no artifact knows."""
    scorer = signal("title_length", "Length of the title.", "characters", weight=(-0.01, 0.0))(
        lambda user, items: np.array([len(item.title) for item in items.items], dtype=float)
    )
    SIGNALS.register(lambda: scorer)
    yield scorer
    SIGNALS.unregister(SIGNALS._extra[-1])


def test_the_order_of_the_columns_is_that_in_which_trees_were_trained():
    """Another order draws other columns for each tree, and so trains other trees."""
    assert list(SIGNALS.names) == COLUMNS
    late = {"wished", "unwished", "mood", "request_words", *COLUMNS[-18:]}
    without = {"model", "written", "history", "beyond", *late}
    assert list(SIGNALS.tree_names) == [name for name in COLUMNS if name not in without]


def test_weights_and_directions_are_those_declared():
    prior = {
        "popularity": (1.0, 0.0),
        "people": (1.0, 0.0),
        "picks": (1.2, 0.0),
        "resembles": (2.0, 0.0),
        "shares": (0.5, 0.0),
        "beyond": (0.5, 0.0),
        "words": (0.15, 0.0),
        "interests": (0.3, 0.0),
        "dislikes": (-1.0, 0.0),
        "wished": (2.0, 0.0),
        "unwished": (-3.0, 0.0),
        "mood": (0.1, 0.0),
        "asked_unlike": (-4.0, 0.0),
        "about": (1.5, 0.0),
        "not_about": (-2.0, 0.0),
        "like_named": (1.2, 0.0),
    }
    assert SIGNALS.weights("prior") == prior
    assert SIGNALS.weights("catalog") == prior | {"model": (0.5, 0.0)}
    assert SIGNALS.weights("free") == prior | {"written": (1.0, 0.0)}
    assert SIGNALS.weights("both") == prior | {"model": (0.5, 0.0), "written": (1.0, 0.0)}
    kept = {s.name: s.direction for s in SIGNALS if s.direction}
    wishes = {"wished": 1, "unwished": -1, "mood": 1, "asked_unlike": -1}
    wishes |= {"about": 1, "not_about": -1, "like_named": 1}
    assert kept == {"words": 1, "interests": 1, "dislikes": -1, **wishes}
    assert [SIGNALS.learned_late(s) for s in ("prior", "catalog", "free", "both")] == [
        (),
        ("model",),
        ("written",),
        ("model", "written"),
    ]


def test_every_signal_says_what_it_is():
    for one in SIGNALS:
        assert one.meaning.endswith("."), one.name
        assert one.unit
        assert one.low is None or one.high is None or one.low < one.high


def test_built_in_scorers_fit_the_protocol():
    for scorer in Scorers():
        assert isinstance(scorer, Scorer)


def test_a_new_signal_is_one_declaration(title_length):
    assert SIGNALS.names[-1] == "title_length"
    assert SIGNALS["title_length"].weight == (-0.01, 0.0)
    rec = toy_recommender()
    line = rec.recommend({"age": 30}, k=1, strategy="prior")[0]
    expected = -0.01 * len(line.title)
    assert line.provenance.contributions["title_length"] == pytest.approx(expected)
    assert rec.ranker.table("prior")["title_length"] == (-0.01, 0.0)


def test_a_ranker_that_does_not_know_a_signal_ignores_it(title_length):
    known = BlendRanker({"prior": {"popularity": (1.0, 0.0)}})
    rec = toy_recommender()
    rec.ranker = known
    found = rec.recommend({}, k=5, strategy="prior")
    assert set(found[0].provenance.contributions) == {"popularity"}


def test_a_signal_has_one_declaration(title_length):
    class Twice(ColumnScorer):
        name = "twice"
        signals = (Signal("title_length", "Once more.", "characters"),)

        def columns(self, user, items):
            return {"title_length": np.zeros(len(items.ids))}

    with pytest.raises(ConfigError, match=r"two scorers declare the signal 'title_length'"):
        SIGNALS.register(Twice)
    assert SIGNALS.names.count("title_length") == 1


@pytest.mark.parametrize("fields", [{"name": "no spaces"}, {"name": ""}, {"direction": 2}])
def test_what_cannot_be_declared(fields):
    with pytest.raises(ConfigError, match=r"a signal is named|direction of"):
        Signal(**({"name": "x", "meaning": "X.", "unit": "nats"} | fields))
