"""A recommender of a catalog alone: its lists, its artifact, and input that is no catalog."""

import polars as pl
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError, ModelError
from coldstart.recommender import Recommender
from coldstart.schema import Item
from coldstart.starting.build import as_catalog, told


def test_requests_are_answered_from_the_catalog(started):
    shown = started.recommend({"about": "running shoes"}, k=4)
    assert all("Running Shoes" in line.title for line in shown)
    liked = started.recommend({"liked": "Wooden Train Set, 52 Pieces"}, k=5)
    titles = " ".join(line.title for line in liked)
    assert "Train" in titles or "Wooden" in titles


def test_reasons_claim_nothing_of_people(started, shop):
    requests = ({}, {"about": "a kettle"}, {"liked": shop.ids[0]}, {"about": "qwxz"})
    reasons = {
        reason.code
        for profile in requests
        for r in started.recommend(profile)
        for reason in r.reasons
    }
    assert reasons.isdisjoint({"picks", "people", "popular", "cold", "asked_alike", "mentioned"})


def test_a_new_person_sees_a_spread_of_what_can_be_had(started, shop):
    shown = [shop[i] for i in started.recommend({}, k=10).item_ids]
    assert len({item.categories[0] for item in shown}) >= 7
    assert all(item.available for item in shown)
    assert [i.item_id for i in shown] != list(shop.ids[:10])
    assert sorted(i.title for i in shown) != [i.title for i in shown]


@pytest.mark.parametrize("text", ["????", "bzzrk flumm", "1234567"])
def test_a_text_of_which_nothing_is_understood_gets_the_same_spread(started, text):
    useless = started.recommend({"about": text}, k=5)
    assert useless.item_ids == started.recommend({}, k=5).item_ids
    (note,) = useless.notes
    assert note.startswith("nothing in the text could be used")
    assert note.endswith("the list follows what the catalog has")


def test_the_artifact_gives_the_same_lists_with_its_catalog_inside(started, tmp_path):
    started.save_pretrained(tmp_path / "shop")
    loaded = Recommender.from_pretrained(tmp_path / "shop", dtype="float32")
    assert loaded.catalog.fingerprint() == started.catalog.fingerprint()
    assert not any(name.startswith("adapter/") for name in loaded.manifest["files"])
    for profile in ({}, {"about": "a warm jacket for winter"}, {"liked": started.catalog.ids[3]}):
        ours, theirs = (r.recommend(profile, k=8) for r in (started, loaded))
        assert ours.item_ids == theirs.item_ids
        assert [r.reason for r in ours] == [r.reason for r in theirs]
    assert next(iter(loaded.manifest["domain"]["categories"])) == "Toys & Games"
    assert loaded.manifest["start"]["survey"]["items"] == 300
    again = tmp_path / "again"
    loaded.save_pretrained(again)
    assert (
        Recommender.from_pretrained(again).recommend({}, k=3).item_ids
        == started.recommend({}, k=3).item_ids
    )


def test_every_strategy_of_the_artifact_works(started):
    for strategy in ("prior", "catalog", "free", "both"):
        assert len(started.recommend({"about": "a garden tool"}, k=3, strategy=strategy)) == 3


def test_a_batch_equals_its_requests(started):
    profiles = [{}, {"about": "tea"}, {"liked": started.catalog.ids[5]}]
    singles = [started.recommend(p, k=5).item_ids for p in profiles]
    assert [r.item_ids for r in started.recommend(profiles, k=5)] == singles


def test_what_is_told_of_it(started):
    lines = told(started.manifest, started.catalog, "shop.csv", "shop/")
    assert lines[0].startswith("300 items, all with descriptions")
    assert any("the language model" in line for line in lines)


def test_items_come_in_many_forms(tmp_path):
    items = [Item(item_id="1", title="Tea"), Item(item_id="2", title="Coffee")]
    frame = pl.DataFrame({"id": ["1", "2"], "title": ["Tea", "Coffee"]})
    frame.write_csv(tmp_path / "items.csv")
    catalog = Catalog(items)
    for given in (catalog, items, iter(items), frame, frame.to_pandas(), tmp_path / "items.csv"):
        assert as_catalog(given).fingerprint() == catalog.fingerprint()
    titles = frame.drop("id")
    titles.write_csv(tmp_path / "titles.csv")
    for given in (titles, tmp_path / "titles.csv"):
        assert as_catalog(given).ids == ("Tea", "Coffee")
    with pytest.raises(CatalogError, match="expected items, got dict, str"):
        as_catalog([{"id": 1}, "Tea"])
    with pytest.raises(CatalogError, match="expected a polars or pandas frame"):
        as_catalog(7)


def test_a_model_that_is_not_there(shop):
    with pytest.raises(ModelError, match="no model folder"):
        Recommender.from_catalog(shop, encoder="ngrams", base="./nowhere")
