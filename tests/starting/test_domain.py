"""What an artifact learned counts for catalogs of its own domain only."""

import json
import logging

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.recommender import Recommender
from coldstart.schema import Item
from coldstart.starting.domain import domain_of, has_departments, match_domain
from tests.conftest import ARTIFACT


@pytest.fixture
def films():
    rows = (("Alien", "Science Fiction"), ("Heat", "Crime"), ("Duck Soup", "comedies"))
    return Catalog(Item(item_id=f"f{n}", title=t, categories=(c,)) for n, (t, c) in enumerate(rows))


def test_the_domain_is_the_most_frequent_categories(shop):
    found = domain_of(shop)["categories"]
    assert list(found)[:2] == ["Toys & Games", "Sport & Outdoor"]
    assert 0.05 < found["Toys & Games"] < 0.3


def test_a_shop_has_departments_and_films_or_a_single_one_have_none(films, shop):
    assert has_departments(shop)
    assert not has_departments(films)
    toys = [i for i in shop if i.categories[0] == "Toys & Games"]
    assert not has_departments(Catalog(toys))
    bare = [i.model_copy(update={"categories": ()}) for i in shop]
    assert not has_departments(Catalog(bare))
    assert not has_departments(Catalog([*bare[:200], *list(shop)[200:]]))


def test_films_fit_films_and_shoes_do_not(films, shop):
    loaded = Recommender.from_pretrained(ARTIFACT)
    fits = match_domain(loaded.manifest, loaded.counts, films)
    assert fits.same
    assert fits.by_category >= 1 / 3
    other = match_domain(loaded.manifest, loaded.counts, shop)
    assert not other.same
    assert max(other.by_category, other.by_title) < 0.05


def test_what_was_learned_on_films_is_left_out_for_a_shop(shop, caplog):
    with caplog.at_level(logging.WARNING, logger="coldstart"):
        made = Recommender.from_pretrained(ARTIFACT, catalog=shop)
    assert "was made for another domain (Drama, Comedy" in caplog.text
    assert "Left out: trees, language model" in caplog.text
    assert not made.ranker.weighs("catalog", ["model"])
    assert made.ranker.trees is None
    assert made.counts.n_users == 0
    shown = made.recommend({"about": "running shoes"}, k=4)
    assert all("Running Shoes" in line.title for line in shown)


def test_another_catalog_of_films_keeps_everything(films, caplog):
    with caplog.at_level(logging.WARNING, logger="coldstart"):
        made = Recommender.from_pretrained(ARTIFACT, catalog=films)
    assert made.ranker.trees is not None
    assert caplog.text == ""


def test_an_artifact_of_a_shop_says_so_of_films(started, films, tmp_path, caplog):
    started.save_pretrained(tmp_path / "shop")
    with caplog.at_level(logging.WARNING, logger="coldstart"):
        made = Recommender.from_pretrained(tmp_path / "shop", catalog=films)
    assert "(Toys & Games, Sport & Outdoor, Kitchen)" in caplog.text
    assert len(made.recommend({}, k=3)) == 3


def test_a_rare_category_in_common_makes_no_common_domain(shop, films):
    """A shop has crime novels; that does not make it one of films."""
    manifest = {"catalog": {"source": None}, "domain": domain_of(shop)}
    crime = Catalog(i for i in films if "Crime" in i.categories)
    found = match_domain(manifest, Counts.fit(shop.ids, {}, {}), crime)
    assert (found.by_category, found.same) == (1.0, False)


@pytest.mark.parametrize(
    "domain",
    [{"categories": ["Toys"]}, {"categories": {"Toys": 2.0}}, {"categories": {"Toys": "x"}}],
)
def test_a_damaged_domain_is_refused(started, tmp_path, domain):
    folder = tmp_path / "shop"
    started.save_pretrained(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["sha256"]
    manifest["domain"] = domain
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"domain\.categories"):
        Recommender.from_pretrained(folder)
