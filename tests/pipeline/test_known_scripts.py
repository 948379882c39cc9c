"""Models that do not know a script do not count; those that know it do."""

import pytest

from coldstart import prompts
from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.encoding.ngram_encoder import NAME, NgramEncoder
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.known_scripts import KnownScripts
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.schema import Item
from coldstart.scoring.registry import SIGNALS
from tests.fakes_lm import tiny_llama
from tests.tiny_bert import save_tiny_bert

ENGLISH = ("light shoes for running", "a wooden train", "an electric kettle")
CHINESE = ("轻便跑步鞋", "木制火车", "电热水壶")
READ_BY_ENCODER = [signal.name for signal in SIGNALS if signal.reads in ("encoder", "content")]


def recommender(titles, encoder):
    catalog = Catalog(Item(item_id=str(n), title=title) for n, title in enumerate(titles))
    counts, template = Counts.fit(catalog.ids, {}, {}), prompts.load("catalog-zh")
    return Recommender(catalog, tiny_llama(), template, counts, encoder, BlendRanker.default())


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return make_encoder(str(save_tiny_bert(tmp_path_factory.mktemp("en") / "english", ENGLISH)))


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zh") / "multilingual"
    return make_encoder(str(save_tiny_bert(folder, [*ENGLISH, *CHINESE, "我想要适合的"])))


def columns(made, profile):
    features = made.features(made.resolve(profile))
    return {name: features[:, SIGNALS.index(name)] for name in READ_BY_ENCODER}


def test_an_english_encoder_does_not_count_in_a_chinese_catalog(english):
    made = recommender(CHINESE, english)
    found = columns(made, {"about": "轻便的鞋", "liked": ["木制火车"]})
    assert all(not values.any() for values in found.values())
    listed = made.recommend({"about": "轻便的跑步鞋"}, strategy="prior")
    assert listed[0].title == "轻便跑步鞋"  # by its words
    assert "encoder" in made.pipeline.score.known_scripts.unknown(made.resolve({}))


def test_a_multilingual_encoder_does(multilingual):
    found = columns(
        recommender(CHINESE, multilingual), {"about": "轻便的鞋", "liked": ["木制火车"]}
    )
    assert found["words"].any()
    assert found["resembles"].any()


def test_in_an_english_catalog_it_is_the_request_that_counts(english):
    made = recommender(ENGLISH, english)
    assert columns(made, {"about": "shoes"})["words"].any()
    in_chinese = columns(made, {"about": "轻便的鞋", "liked": ["a wooden train"]})
    assert not in_chinese["words"].any()
    assert in_chinese["resembles"].any()


def test_the_language_model_counts_where_its_tokens_are_more_than_bytes(english):
    made = recommender(ENGLISH, english)
    unknown = made.pipeline.score.known_scripts.unknown
    assert unknown(made.resolve({"about": "shoes"})) == frozenset()
    assert unknown(made.resolve({"about": "轻便的鞋"})) == {"encoder", "model"}


def test_a_catalog_is_judged_again_when_it_has_doubled(english):
    made = recommender(ENGLISH, english)
    known = KnownScripts(made.parts)
    assert known.unknown(made.resolve({})) == frozenset()
    for n in range(20):
        made.catalog.add(Item(item_id=f"new{n}", title=CHINESE[n % 3]))
    assert "content" in known.unknown(made.resolve({}))


def test_ngrams_know_every_script_and_follow_the_letters():
    made = recommender(["Детективный роман", "Чайник", "Зонт"], make_encoder(NAME))
    assert isinstance(made.encoder, NgramEncoder)
    listed = made.recommend({"about": "хочу детектив"}, strategy="prior")
    assert listed[0].title == "Детективный роман"
