"""What a catalog is found to hold, and which catalogs are refused."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError
from coldstart.schema import Item
from coldstart.starting.survey import CatalogSurvey


def catalog(*titles, **fields):
    return Catalog(Item(item_id=str(n), title=t, **fields) for n, t in enumerate(titles))


def test_a_shop_is_surveyed(shop):
    found = CatalogSurvey.of(shop)
    assert (found.items, found.described, found.rated, found.priced) == (300, 300, 300, 300)
    assert (found.language, found.prompt) == ("en", "catalog-en")
    assert found.available < found.items
    assert 0 < found.aged < found.items
    assert found.sentences() == [
        "300 items, all with descriptions, categories, sales or votes and prices"
    ]


def test_what_is_missing_is_said():
    said = CatalogSurvey.of(catalog("Red shoes", "Blue shoes")).sentences()
    assert said[0] == "2 items"
    assert [line.split(":")[0] for line in said[1:]] == [
        "without descriptions",
        "without categories",
        "without sales or votes",
        "without prices",
    ]


def test_a_chinese_catalog_gets_the_chinese_prompt():
    found = CatalogSurvey.of(catalog("轻盈透气男款跑步鞋", "女款缓震跑鞋"))
    assert (found.language, found.prompt) == ("zh", "catalog-zh")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (catalog(), "the catalog has no items, expected at least 2"),
        (catalog("Shoes"), "the catalog has one item, expected at least 2"),
        (catalog("1", "2", "3"), "titles such as '1' have no words, and 3 of 3 items no desc"),
        (catalog("Shoes", "Boots", available=False), "none of the 2 items is available"),
    ],
    ids=["empty", "one-item", "text-less", "sold-out"],
)
def test_nothing_can_be_recommended_from_these(made, why):
    with pytest.raises(CatalogError, match=why):
        CatalogSurvey.of(made)


def test_titles_of_numbers_serve_if_descriptions_say_more():
    described = catalog("187", "300", description="A film about teachers.")
    assert CatalogSurvey.of(described).described == 2
