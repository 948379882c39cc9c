"""States of scorers whose values are wrong, in files that are sound."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save

from coldstart.catalog.item_store import ItemStore
from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.errors import ArtifactError
from coldstart.generation.decoding import exact
from coldstart.interactions.interaction_stats import Counts
from coldstart.scoring.compressed_vectors import CompressedVectors
from coldstart.scoring.evidence import EvidenceScorer
from coldstart.scoring.mentions import MentionScorer
from coldstart.scoring.request_memory import RequestMemoryScorer
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.scorers import Scorers
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_requests
from tests.toy import toy_recommender

CATALOG = toy_catalog()
STORE = ItemStore(CATALOG, Counts.fit(CATALOG.ids, {}, {}), TrigramEncoder())
STORE.sync()
IDS = CATALOG.ids[:3]


def mentions():
    scorer = MentionScorer()
    named = tuple(map(RequestItem, IDS))
    scorer.fit_requests(
        [RecordedRequest("x", named, named, dialogue=str(n)) for n in range(4)], STORE
    )
    return scorer


def memory():
    scorer = RequestMemoryScorer()
    scorer.fit_requests(toy_requests(), STORE)
    return scorer


def evidence():
    scorer = EvidenceScorer()
    for user in "abc":
        scorer.observe(user, IDS)
    return scorer


def put(place, value):
    def change(values):
        out = values.copy()
        out.reshape(-1)[place] = value
        return out

    return change


@pytest.mark.parametrize(
    ("made", "name", "change", "match"),
    [
        (mentions, "dialogues", put(0, 0), "pairs are in more dialogues than their items"),
        (mentions, "together_value", put(0, 200), "pairs are in more dialogues than their items"),
        (mentions, "together_column", put(0, 3), "together_column has values out of range"),
        (mentions, "together_column", put(0, 0), "more dialogues|twice in a row"),
        (mentions, "together_start", put(1, 200), "does not divide"),
        (mentions, "dialogues", lambda a: a.astype(np.float32), "dialogues is an array of float32"),
        (evidence, "likes", put(0, 200), "likes has values out of range"),
        (evidence, "likes", put(0, 1), "a pair of items with more likes than one of them"),
        (evidence, "together_value", put(0, 4), "together_value has values out of range"),
        (evidence, "together_column", put(0, 0), "more likes than one of them|twice in a row"),
        (evidence, "likes", lambda a: a.astype(np.float32), "likes is an array of float32"),
        (memory, "mean", put(0, np.nan), "'mean' has numbers that are not finite"),
        (memory, "directions", put(-1, np.inf), "'directions' has numbers that are not finite"),
        (memory, "mean", lambda a: a.astype(np.int8), "mean is an array of int8"),
        (memory, "steps", lambda a: a.astype(np.float32), "steps is an array of float32"),
        (memory, "chosen_value", put(0, 5), "chosen_value has values out of range"),
        (memory, "chosen_column", put(0, 255), "chosen_column has values out of range"),
        (memory, "words_value", put(0, 2), "words_value has values out of range"),
        (memory, "words_start", put(-1, 3), "does not divide"),
        (memory, "person", lambda a: a.astype(np.float32), "person is an array of float32"),
        (memory, "hashes", lambda a: np.full_like(a, a[0]), "a word is in it twice"),
    ],
)
def test_wrong_values_are_refused(made, name, change, match):
    scorer = made()
    files = dict(scorer.save())
    tensors = load(files["state.safetensors"])
    tensors[name] = np.ascontiguousarray(change(tensors[name]))
    with pytest.raises(ArtifactError, match=match):
        type(scorer)().load(files | {"state.safetensors": save(tensors)})


def test_vectors_of_another_encoder_are_refused():
    vectors = CompressedVectors.of(np.eye(4, dtype=np.float32))
    with pytest.raises(ArtifactError, match="vectors of length 4, the encoder's have 5"):
        vectors.cosines(np.ones(5, np.float32))


class Careless(ColumnScorer):
    """A plug-in that does not expect what it reads, and computes no numbers."""

    name = "careless"

    def columns(self, user, items):
        return {}

    def load(self, files):
        raise RuntimeError("surprise\nin two lines")


def test_what_a_plug_in_does_not_expect_is_an_artifact_error():
    with pytest.raises(
        ArtifactError, match="'careless' cannot be read: RuntimeError: surprise"
    ) as e:
        Scorers([Careless()]).load({"scorers/careless/x.json": b""})
    assert "\n" not in str(e.value)


def test_a_language_model_without_numbers_gives_no_list(monkeypatch):
    recommender = toy_recommender()
    whole = exact.exact_logprobs_of
    monkeypatch.setattr(
        exact, "exact_logprobs_of", lambda *a, **o: [found * np.nan for found in whole(*a, **o)]
    )
    with pytest.raises(ArtifactError, match="log-probabilities are not numbers"):
        recommender.recommend({"age": 30}, strategy="catalog", k=3)


def test_weights_without_numbers_give_no_list():
    recommender = toy_recommender()
    recommender.ranker._weights["prior"]["popularity"] = (float("nan"), 0.0)
    with pytest.raises(ArtifactError, match="scores are not numbers, because of the weights"):
        recommender.recommend({"age": 30}, strategy="prior", k=3)
