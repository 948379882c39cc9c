"""Shared fixtures: the real small models, fetched once, and the shipped artifact."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from coldstart import Recommender
    from coldstart.data.dataset import Dataset
    from coldstart.generation.models.causal import CausalLM

ROOT = Path(__file__).parent.parent
ARTIFACT = ROOT / "adapters" / "ml-100k"
MOVIES = ROOT / "adapters" / "movies"

# Asserts of helpers tell as much as those of tests.
pytest.register_assert_rewrite(
    *(
        f"tests.{path.stem}"
        for path in Path(__file__).parent.iterdir()
        if not path.name.startswith(("_", ".", "conftest"))
    )
)

# Two busy cores make single examples slow at times; a deadline would only make tests flaky.
# The examples are the same in every run: few do. `--hypothesis-profile thorough` tries more.
settings.register_profile(
    "coldstart",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    max_examples=40,
)
settings.register_profile("thorough", settings.get_profile("coldstart"), max_examples=500)
settings.load_profile("coldstart")

# Thousands of tests and whole catalogs live until the end: looking at them at every full collection
# takes a quarter of the time that collecting the tests takes.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on, among what the tests make themselves."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest."""
    from tests import schedule

    schedule.longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """For ``--dist loadfile``: some folders, too, are one worker's."""
    from tests import schedule

    return schedule.Schedule(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def encoder_folder() -> Path:
    """The packaged sentence encoder."""
    from coldstart.runtime import models

    return Path(models.resolve(models.DEFAULT_ENCODER))


@pytest.fixture(scope="session")
def smollm2() -> CausalLM:
    """The packaged language model, without an adapter."""
    from coldstart.generation.models.causal import CausalLM
    from coldstart.runtime import models

    return CausalLM(models.load_causal_lm(), models.load_tokenizer())


@pytest.fixture(scope="session")
def movielens() -> Dataset:
    """MovieLens 100K."""
    from coldstart.data import ml_100k

    return ml_100k.load()


@pytest.fixture(scope="session")
def movies() -> Recommender:
    """The default artifact; tests must not change its catalog."""
    from coldstart import Recommender

    return Recommender.from_pretrained(MOVIES)


@pytest.fixture(scope="session")
def shop_from_nothing() -> Recommender:
    """What starts from ``examples/shop.csv``; tests change neither catalog nor counts."""
    from coldstart import Recommender
    from coldstart.catalog.catalog import Catalog

    return Recommender.from_catalog(Catalog.load(ROOT / "examples" / "shop.csv"))


@pytest.fixture(scope="session")
def shipped() -> Recommender:
    """The artifact of MovieLens-100K; tests must not change its catalog (they copy it)."""
    from coldstart import Recommender

    return Recommender.from_pretrained(ARTIFACT)
