import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.names import catalog_names, is_same_name, nearest_names
from coldstart.schema import Item

GENRES = ["Comedy", "Drama", "Romance", "Sci-Fi", "Children's", "Film-Noir"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("romanse", "Romance"), ("scifi", "Sci-Fi"), ("comedies", "Comedy"), ("dramas", "Drama"),
        ("childrens", "Children's"), ("film noir", "Film-Noir"), ("Comdy", "Comedy"),
    ],
)  # fmt: skip
def test_the_nearest_name(name, near):
    assert nearest_names(name, GENRES) == [near]


def test_nothing_alike():
    assert nearest_names("chess", GENRES) == []
    assert nearest_names("Drama", []) == []


def test_case_punctuation_and_plural_make_no_difference():
    assert is_same_name("Sci-Fi", "sci fi")
    assert is_same_name("Comedies", "comedy")
    assert not is_same_name("romanse", "Romance")


def test_names_of_a_catalog_follow_its_changes():
    catalog = Catalog(
        [Item(item_id="1", title="A", categories=("Drama",), attributes={"Studio": "UFA"})]
    )
    assert catalog_names(catalog).categories == {"drama": "Drama"}
    assert catalog_names(catalog).attributes == {"Studio": {"ufa": "UFA"}}
    catalog.add(Item(item_id="2", title="B", categories=("War",)))
    assert catalog_names(catalog).categories == {"drama": "Drama", "war": "War"}
