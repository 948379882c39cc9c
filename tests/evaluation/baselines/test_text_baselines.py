import math

import pytest

from coldstart.evaluation.baselines.bm25 import BM25, bm25
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.baselines.profile_text import profile_text
from coldstart.evaluation.baselines.text_retrieval import text_retrieval
from coldstart.schema import UserProfile
from tests.evaluation.baselines.six_films import TOY, scores, training
from tests.fakes import FakeEncoder


def test_bm25_by_hand():
    index = BM25(["cat cat dog", "dog", "bird song at dawn"], k1=1.2, b=0.75)
    mean = 8 / 3
    cat = math.log(1 + (3 - 1 + 0.5) / 1.5) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    rarity = math.log(1 + (3 - 2 + 0.5) / 2.5)
    long, short = (rarity * 2.2 / (1 + 1.2 * (0.25 + 0.75 * n / mean)) for n in (3, 1))
    assert index("Cat, dog; dog!").tolist() == pytest.approx([cat + 2 * long, 2 * short, 0])
    assert index("unheard of").tolist() == [0, 0, 0]


def test_bm25_finds_words_and_leaves_the_rest_to_popularity():
    data = training()
    found = bm25(data).recommend(UserProfile(about="love in space"), k=6).item_ids
    assert found[0] == "d"
    assert set(found[1:3]) == {"a", "c"}
    popular = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6).item_ids
    assert found[3:] == [i for i in popular if i not in found[:3]]
    assert bm25(data).recommend(UserProfile(), k=6).item_ids == popular


def test_profile_text_holds_all_that_was_said():
    profile = UserProfile(
        age=24, occupation="nurse", interests=["War"], about="slow", liked=["a", "no"]
    )
    assert profile_text(training(), profile) == "24, nurse. War. slow. Space War. Sci-Fi"


def test_text_retrieval_is_the_cosine():
    encoder = FakeEncoder()
    data = training(encoder=encoder)
    profile = UserProfile(about="war and peace")
    found = scores(text_retrieval(data), profile)
    query = encoder.encode(["war and peace"])[0]
    for item in TOY:
        cosine = float(encoder.encode([item.content_text()])[0] @ query)
        assert found[item.item_id] == pytest.approx(cosine, abs=1e-6)
    assert max(found, key=found.get) == "b"
