"""Wording of a page by its catalog: looked at once per version, in the money of the catalog."""

from __future__ import annotations

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from coldstart.serve import catalog_terms as module
from coldstart.serve.catalog_terms import CatalogFacts, catalog_terms
from tests.toy import toy_recommender


def shop(currency):
    kinds = ("Toys", "Garden", "Kitchen")
    attributes = {"currency": currency} if currency else {}
    return [
        Item(
            item_id=f"{kind}{n}", title=f"{kind} thing number {n}", categories=(kind,),
            price=10.0 + n, min_age=6, max_age=12, popularity=n, attributes=attributes,
        )
        for kind in kinds
        for n in range(6)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def recommender():
    return toy_recommender(Catalog.from_items(shop("EUR")))


TOLD = {"EUR": "10欧元以内", "USD": "10美元以内", "CNY": "10元以内", "": "10元以内", "SEK": ""}


@pytest.mark.parametrize("currency", TOLD)
def test_chinese_examples_are_in_the_currency_of_the_catalog(recommender, currency):
    told = TOLD[currency]
    facts = CatalogFacts.of(shop(currency))
    read = recommender.pipeline.understand.read
    texts = [e.text for e in module._chinese(facts) if module._is_read(read(e.text), e.kinds)]
    priced = [f"送给十岁孩子的礼物，{told}", f"{told}的东西"] if told else []
    assert [text for text in texts if "以内" in text] == priced


def test_a_catalog_is_looked_at_once_for_each_of_its_versions(recommender, monkeypatch):
    looks = []
    of = CatalogFacts.of
    monkeypatch.setattr(
        module.CatalogFacts, "of", lambda items: looks.append(len(items)) or of(items)
    )
    found = [catalog_terms(recommender, language) for language in ("en", "zh", "en")]
    assert found[0] is found[2]
    assert "under €10" in found[0].examples[0]
    assert looks == [18]
    recommender.catalog.remove(["Toys0"])
    assert catalog_terms(recommender, "en").purpose == "shop"
    assert looks == [18, 17]
