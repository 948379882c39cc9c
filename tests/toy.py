"""A little world with people of two tastes, and a tiny language model on disk."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from coldstart import Recommender, prompts
from coldstart.catalog.catalog import Catalog
from coldstart.generation.models.causal import CausalLM
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import DecodingConfig
from coldstart.settings import Settings, TrainConfig
from coldstart.splitting.user_splits import Split, split_users
from coldstart.testing.world import toy_catalog as toy_catalog
from coldstart.testing.world import toy_dataset
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.teacher import Teacher
from tests.fakes import FakeEncoder
from tests.fakes_lm import tiny_gpt2, tiny_llama

QUICK = DecodingConfig(max_new_tokens=8)
DRAWN = DecodingConfig(mode="sample", max_new_tokens=8)


def toy_split() -> Split:
    """Thirty-six people to train on, twelve each to validate and test."""
    return split_users(list(toy_dataset().likes), valid=0.2, test=0.2)


@cache
def toy_out_of_fold() -> OutOfFold:
    """The training people, dealt into parts."""
    return OutOfFold(toy_dataset(), toy_split().train, FakeEncoder())


def toy_teacher(likes_share: float = 0.1) -> Teacher:
    """Teaches the default blend."""
    return Teacher(toy_out_of_fold(), BlendRanker.default(), likes_share)


def save_tiny_base(folder: Path, family: str = "llama") -> str:
    """Write a tiny random model that ``from_pretrained`` can load; returns the folder."""
    lm = tiny_llama() if family == "llama" else tiny_gpt2()
    lm.model.save_pretrained(folder)
    lm.lines.tokenizer.save_pretrained(folder)
    return str(folder)


def toy_config(base: str, **changes: object) -> TrainConfig:
    """Quick settings: a few seconds of training."""
    quick = {
        "base": base,
        "epochs": 2,
        "titles": 6,
        "lora_rank": 4,
        "learning_rate": 1e-2,
        "valid_users": 4,
        "dtype": "float32",
        "device": "cpu",
    }
    return TrainConfig(**(quick | changes))  # type: ignore[arg-type]


def toy_recommender(
    catalog: Catalog | None = None, lm: CausalLM | None = None, **settings: object
) -> Recommender:
    """Give a recommender of the toy catalog with a tiny random language model."""
    data = toy_dataset()
    catalog = toy_catalog() if catalog is None else catalog
    return Recommender(
        catalog,
        tiny_llama() if lm is None else lm,
        prompts.load("movies-en"),
        Counts.fit(data.catalog.ids, data.users, data.likes),
        FakeEncoder(),
        BlendRanker.default(),
        Settings(**({"written_titles": 4} | settings)),  # type: ignore[arg-type]
    )
