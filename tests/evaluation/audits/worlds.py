"""A small recommender with a language model, for the audits."""

from __future__ import annotations

from coldstart import Recommender, prompts
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import DecodingConfig
from coldstart.settings import Settings
from tests.fakes import FakeEncoder
from tests.fakes_lm import tiny_llama
from tests.toy import toy_catalog, toy_dataset

QUICK = {"beam": DecodingConfig(max_new_tokens=6)}


def make(catalog=None, template="movies-en", **manifest):
    data = toy_dataset()
    return Recommender(
        toy_catalog() if catalog is None else catalog,
        tiny_llama(),
        prompts.load(template),
        Counts.fit(data.catalog.ids, data.users, data.likes),
        FakeEncoder(),
        BlendRanker.default(),
        Settings(written_titles=4),
        manifest=manifest,
    )
