"""A tiny language model, and the shop of the examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.recommender import Recommender
from tests.toy import save_tiny_base

SHOP = Path(__file__).parents[2] / "examples" / "shop.csv"


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def shop():
    return Catalog.load(SHOP)


@pytest.fixture(scope="session")
def started(shop, tiny_base):
    """A recommender of the shop, with n-grams and a random model, so that nothing is fetched."""
    return Recommender.from_catalog(shop, encoder="ngrams", base=tiny_base, dtype="float32")
