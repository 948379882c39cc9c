"""The scorer contract, for all built-in scorers."""

from __future__ import annotations

from coldstart.scoring.catalog_facts import CatalogFactsScorer
from coldstart.scoring.categories import CategoryScorer
from coldstart.scoring.co_occurrence import CoOccurrenceScorer
from coldstart.scoring.evidence import EvidenceScorer
from coldstart.scoring.language_model import LanguageModelScorer
from coldstart.scoring.lexical import LexicalScorer
from coldstart.scoring.mentions import MentionScorer
from coldstart.scoring.neighbours import NeighbourScorer
from coldstart.scoring.opening import OpeningScorer
from coldstart.scoring.pick_profile import PickProfileScorer
from coldstart.scoring.popularity import PopularityScorer
from coldstart.scoring.registry import BUILT_IN
from coldstart.scoring.request_encoder import RequestEncoderScorer
from coldstart.scoring.request_facts import RequestFactsScorer
from coldstart.scoring.request_memory import RequestMemoryScorer
from coldstart.scoring.sequence import SequenceScorer
from coldstart.scoring.stated import StatedScorer
from coldstart.scoring.wishes import WishScorer
from coldstart.scoring.written import WrittenTitlesScorer
from coldstart.testing.contracts.scorer import ScorerContract
from tests.toy import toy_recommender


class TestPopularityScorer(ScorerContract):
    make = PopularityScorer


class TestCoOccurrenceScorer(ScorerContract):
    make = CoOccurrenceScorer


class TestNeighbourScorer(ScorerContract):
    make = NeighbourScorer


class TestSequenceScorer(ScorerContract):
    make = SequenceScorer


class TestCategoryScorer(ScorerContract):
    make = CategoryScorer


class TestPickProfileScorer(ScorerContract):
    make = PickProfileScorer


class TestCatalogFactsScorer(ScorerContract):
    make = CatalogFactsScorer


class TestOpeningScorer(ScorerContract):
    make = OpeningScorer


class TestEvidenceScorer(ScorerContract):
    make = EvidenceScorer


class TestRequestFactsScorer(ScorerContract):
    make = RequestFactsScorer


class TestStatedScorer(ScorerContract):
    make = StatedScorer


class TestWishScorer(ScorerContract):
    make = WishScorer


class TestLanguageModelScorer(ScorerContract):
    make = LanguageModelScorer
    tolerance = 1e-4  # nats, of sums of float32 log-probabilities

    def resources(self):
        return toy_recommender().pipeline.resources


class TestWrittenTitlesScorer(ScorerContract):
    make = WrittenTitlesScorer
    tolerance = 1e-4  # of probabilities

    def resources(self):
        return toy_recommender().pipeline.resources


class TestRequestEncoderScorer(ScorerContract):
    """Without a tower; ``test_request_encoder`` has one with."""

    make = RequestEncoderScorer


class TestRequestMemoryScorer(ScorerContract):
    make = RequestMemoryScorer


class TestLexicalScorer(ScorerContract):
    make = LexicalScorer


class TestMentionScorer(ScorerContract):
    make = MentionScorer


def test_every_built_in_scorer_is_here():
    classes = [c for c in globals().values() if isinstance(c, type) and c is not ScorerContract]
    tested = {c.make for c in classes if issubclass(c, ScorerContract)}
    assert tested == set(BUILT_IN)
