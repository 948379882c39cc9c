"""Categories and attributes that filters name and the catalog lacks."""

from coldstart.catalog.catalog import Catalog
from coldstart.ranking.filter_names import unknown_names
from coldstart.ranking.filters import Attributes, Categories, Years
from coldstart.schema import Item

CATALOG = Catalog(
    [
        Item(
            item_id="1",
            title="A",
            categories=("Romance", "Drama"),
            attributes={"studio": "Gaumont"},
        )
    ]
)


def test_misspelt_categories_are_named_with_the_nearest():
    found = unknown_names([Years(1990), Categories(["romanse"], ["Drama", "chess"])], CATALOG)
    assert found == [
        ("no item has category 'romanse'", "did you mean 'Romance'?"),
        ("no item has category 'chess'", "there are: Drama, Romance"),
    ]


def test_misspelt_attributes_and_values_likewise():
    assert unknown_names([Attributes({"studo": "Gaumont"})], CATALOG) == [
        ("no item has an attribute 'studo'", "did you mean 'studio'?")
    ]
    assert unknown_names([Attributes({"studio": ["gaumond", "GAUMONT"]})], CATALOG) == [
        ("no item has studio 'gaumond'", "did you mean 'Gaumont'?")
    ]


def test_known_names_are_fine_whatever_their_case():
    filters = [Categories(["DRAMA"]), Attributes({"studio": "gaumont"})]
    assert unknown_names(filters, CATALOG) == []
    assert unknown_names([Categories(["x"])], Catalog()) == [
        ("no item has category 'x'", "the catalog has none")
    ]
