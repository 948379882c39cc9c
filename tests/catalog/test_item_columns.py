"""Columns of catalogs are known by the names that people give them."""

import pytest

from coldstart.catalog.item_columns import (
    is_link,
    is_picture,
    is_row_number,
    match_columns,
)
from coldstart.errors import CatalogError


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("description", "synopsis"), ("description", "Overview"), ("description", "plot"),
        ("description", "plot_summary"), ("description", "storyline"), ("description", "blurb"),
        ("description", "Beschreibung"), ("description", "Descripción"), ("description", "résumé"),
        ("categories", "tags"), ("categories", "listed_in"), ("categories", "Genres"),
        ("categories", "Kategorien"), ("categories", "product-category"), ("year", "releaseYear"),
        ("year", "Year-Of-Publication"), ("year", "release_date"), ("year", "Année"),
        ("year", "startYear"), ("price", "list price"), ("available", "In stock"),
        ("min_age", "FSK"), ("value", "value"), ("popularity", "units_sold"),
        ("popularity", "numVotes"), ("popularity", "Review Count"), ("popularity", "销量"),
        ("popularity", "レビュー数"), ("popularity", "판매량"), ("available", "stock"),
        ("available", "库存"), ("available", "Lagerbestand"), ("min_age", "age_group"),
        ("min_age", "适用年龄"), ("max_age", "max age"), ("max_age", "最大年龄"),
        ("price", "Price (EUR)"), ("price", "价格（元）"), ("price", "prix_eur"), ("price", "цена"),
        ("description", "商品简介"), ("categories", "カテゴリ"), ("year", "上映年份"),
    ],
)  # fmt: skip
def test_common_names_of_columns(field, column):
    assert match_columns(["id", "title", column])[field] == column


@pytest.mark.parametrize(
    ("item_id", "title"),
    [
        ("ISBN", "Book-Title"), ("asin", "productTitle"), ("tconst", "primaryTitle"),
        ("Artikelnummer", "Bezeichnung"), ("movieId", "movie"), ("sku", "product"),
        ("track_id", "track_name"), ("show_id", "título"), ("商品编号", "商品名称"),
        ("商品コード", "商品名"), ("상품번호", "상품명"), ("артикул", "название"),
    ],
)  # fmt: skip
def test_common_names_of_ids_and_titles(item_id, title):
    assert match_columns([title, item_id, "other"]) == {"item_id": item_id, "title": title}


def test_the_plainer_name_wins():
    found = match_columns(["isbn", "id", "overview", "description", "tags", "genres", "title"])
    assert (found["item_id"], found["description"], found["categories"]) == (
        *("id", "description", "genres"),
    )


def test_the_only_column_that_ends_like_an_id_or_a_title_is_taken():
    found = match_columns(["anime_id", "AnimeName", "score"])
    assert found == {"item_id": "anime_id", "title": "AnimeName"}
    with pytest.raises(CatalogError, match="no column for item_id"):
        match_columns(["anime_id", "studio_id", "title"])


def test_titles_can_be_the_ids_where_there_are_none():
    assert match_columns(["title", "year"], title_ids=True) == {
        **{"item_id": "title", "title": "title", "year": "year"}
    }
    assert match_columns(["sku", "title"], title_ids=True)["item_id"] == "sku"
    with pytest.raises(CatalogError, match="no column for item_id among: title"):
        match_columns(["title"], {"item_id": None}, title_ids=True)
    with pytest.raises(CatalogError, match="no column for title among: foo, bar"):
        match_columns(["foo", "bar"], title_ids=True)


def test_a_missing_column_is_named_with_the_likeliest():
    with pytest.raises(CatalogError, match="no column for title.*columns={'title': 'tilte'}"):
        match_columns(["id", "tilte"])


def test_pictures_links_and_row_numbers_are_known():
    pictures = ["image", "poster", "poster_path", "Image-URL-S", "coverImage", "thumbnail_url"]
    assert all(map(is_picture, pictures))
    assert not any(map(is_picture, ["discovery", "imagery", "photographer", "coverage"]))
    assert all(map(is_link, ["url", "imdb_url", "homepage"]))
    assert all(map(is_row_number, ["", "Unnamed: 0", "index", "__index_level_0__"]))
    assert not is_row_number("index_name")


def test_a_column_can_be_refused():
    names = ["id", "title", "year"]
    assert match_columns(names, {"year": None}) == {"item_id": "id", "title": "title"}
    with pytest.raises(CatalogError, match="no column for title among: id, title, year"):
        match_columns(names, {"title": None})
