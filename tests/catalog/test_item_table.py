"""Tables of items: every kind of cell, with the right item."""

import pandas as pd
import polars as pl
import pytest

from coldstart.catalog.item_table import items_from_frame, parse_items
from coldstart.errors import CatalogError


def table(**columns):
    return pl.DataFrame(columns, strict=False)


def item(**columns):
    (found,) = items_from_frame(
        table(id=["1"], title=["A"], **{n: [v] for n, v in columns.items()})
    )
    return found


def test_synonyms_of_the_description_and_of_categories():
    made = item(synopsis="Long ago.", tags="dark, slow", poster="/p.jpg", director="Lang")
    assert (made.description, made.categories) == ("Long ago.", ("dark", "slow"))
    assert made.attributes == {"poster": "/p.jpg", "director": "Lang"}


@pytest.mark.parametrize("word", ["nan", "NULL", r"\N", "N/A", "None", "  ", "<NA>"])
def test_a_missing_title_or_id_is_an_error_however_it_is_written(word):
    with pytest.raises(CatalogError, match="empty title in row 2"):
        items_from_frame(table(id=["1"], title=[word]))
    with pytest.raises(CatalogError, match="empty item_id in row 2"):
        items_from_frame(table(id=[word], title=["A"]))


def test_titles_as_ids_are_numbered_where_they_repeat():
    rows = table(title=["Tea", "Tea (2)", "Tea", "Tea", "Mug", "Tea"], price=[1, 2, 3, 4, 5, 6])
    parsed = parse_items(rows, title_ids=True)
    found = {item.item_id: item.price for item in parsed.items}
    assert found == {"Tea": 1, "Tea (2)": 2, "Tea (3)": 3, "Tea (4)": 4, "Mug": 5, "Tea (5)": 6}
    assert parsed.layout.by_title
    rows = table(title=["x" * 300, "x" * 300, None], price=[1, 2, 3])
    long = parse_items(rows, title_ids=True)
    assert [len(item.item_id) for item in long.items] == [180, 184]
    assert long.problems == {"empty title": [4]}
    with pytest.raises(CatalogError, match="no column for item_id"):
        parse_items(rows)


def test_missing_numbers_are_missing():
    frame = pd.DataFrame({"id": [1, 2], "title": ["A", "B"], "year": [1999.0, float("nan")]})
    assert [i.year for i in items_from_frame(frame)] == [1999, None]
    with pytest.raises(CatalogError, match="empty item_id in row 3"):
        items_from_frame(pd.DataFrame({"id": [1.0, float("nan")], "title": ["A", "B"]}))


@pytest.mark.parametrize("word", ["nan", "NULL", r"\N", "N/A"])
def test_missing_fields_are_left_out(word):
    made = item(year=word, price=word, categories=word, description=word, min_age=word, studio=word)
    assert made == item()


@pytest.mark.parametrize("year", ["0", "-1", "9999", "0000-00-00"])
def test_years_that_stand_for_unknown(year):
    parsed = parse_items(table(id=["1", "2"], title=["A", "B"], year=[year, "1999"]))
    assert [i.year for i in parsed.items] == [None, 1999]
    assert parsed.remarks["years taken for unknown"] in ({"0": [2]}, {"-1": [2]}, {"9999": [2]})


def test_odd_years_and_ages_are_kept_and_named():
    frame = table(id=["1", "2"], title=["A", "B"], year=["19", "1999"], min_age=["-1", "99"])
    parsed = parse_items(frame)
    assert [(i.year, i.min_age) for i in parsed.items] == [(19, None), (1999, 99)]
    assert parsed.remarks == {
        "odd years": {"19": [2]},
        "minimum ages taken for unknown": {"-1": [2]},
        "minimum ages above every rating": {"99": [3]},
    }


def test_a_date_gives_the_year_and_the_title_does_not_repeat_it():
    made = item(release_date="30-Oct-1995")
    assert made.year == 1995
    frame = table(id=["1", "2"], title=["A (1995)", "B (1990)"], release_date=["1995-10-30", None])
    assert [(i.title, i.year) for i in items_from_frame(frame)] == [("A", 1995), ("B", 1990)]


def test_a_column_named_like_a_year_but_without_any_is_an_attribute():
    frame = table(id=["1", "2"], title=["A", "B"], released=["yes", "no"])
    parsed = parse_items(frame)
    assert "year" not in parsed.layout.fields
    assert parsed.items[0].attributes == {"released": "yes"}


def test_several_columns_of_categories():
    frame = table(id=["1"], title=["A"], genre=["Drama"], genre_2=["War"], subgenre=["Trenches"])
    assert items_from_frame(frame)[0].categories == ("Drama", "War", "Trenches")


def test_columns_of_zeros_and_ones_are_categories_if_named_so():
    flags = {"genre_Drama": [1, 0], "genre_War": [1, 1], "is_new": [0, 1]}
    first, second = items_from_frame(table(id=["1", "2"], title=["A", "B"], **flags))
    assert (first.categories, second.categories) == (("Drama", "War"), ("War",))
    assert second.attributes == {"is_new": "1"}
    flags = {"Action": ["0", "1"], "Comedy": ["1", "0"], "Film-Noir": ["1", "1"]}
    first, second = items_from_frame(table(id=["1", "2"], title=["A", "B"], **flags))
    assert (first.categories, second.categories) == (
        ("Comedy", "Film-Noir"),
        ("Action", "Film-Noir"),
    )


def test_row_numbers_and_empty_columns_are_left_out_and_told():
    frame = table(**{"Unnamed: 0": ["0"], "id": ["1"], "title": ["A"], "empty": [None]})
    parsed = parse_items(frame)
    assert parsed.layout.unused == {"Unnamed: 0": "row numbers", "empty": "without a value"}
    assert parsed.items[0].attributes == {}


def test_prices_and_availability_as_shops_write_them():
    made = item(price="1.299,00 €", availability="out of stock", min_age="PG-13")
    assert (made.price, made.available, made.min_age) == (1299.0, False, 13)


def test_stock_ages_and_sales_of_a_shop():
    made = item(stock="0", age="3-6", sold="1.2k", price="€9.99")
    assert (made.available, made.min_age, made.max_age, made.popularity) == (False, 3, 6, 1200.0)
    assert (made.price, made.attributes) == (9.99, {"currency": "EUR"})
    assert item(stock="In stock (5)", min_age="3", max_age="8").max_age == 8


def test_the_same_in_chinese():
    made = item(库存="缺货", 适用年龄="3-6岁", 销量="1.2万+", 售价="300元", 一级分类="玩具")
    assert (made.available, made.min_age, made.max_age, made.popularity) == (False, 3, 6, 12000.0)
    assert (made.price, made.attributes["currency"], made.categories) == (300.0, "CNY", ("玩具",))


def test_a_sign_of_two_currencies_follows_the_titles():
    frame = {"id": ["1"], "价格": ["¥300"]}
    assert parse_items(table(**frame, title=["跑鞋"])).layout.currency == "CNY"
    assert parse_items(table(**frame, title=["ぬいぐるみ"])).layout.currency == "JPY"
    mixed = table(id=["1", "2"], title=["A", "B"], price=["€9.99", "$12"])
    assert parse_items(mixed).layout.currency == ""


def test_a_column_that_does_not_hold_what_its_name_suggests_gives_way_to_the_next():
    parsed = parse_items(table(id=["1"], title=["A"], popularity=["hot"], votes=["7"]))
    assert parsed.layout.fields["popularity"] == "votes"
    assert parsed.items[0].attributes == {"popularity": "hot"}


def test_a_quantity_is_a_stock_only_if_something_is_sold_out():
    packs = parse_items(table(id=["1", "2"], title=["A", "B"], quantity=["6", "12"]))
    assert packs.items[0].attributes == {"quantity": "6"}
    stock = parse_items(table(id=["1", "2"], title=["A", "B"], quantity=["6", "0"]))
    assert [i.available for i in stock.items] == [True, False]


def test_ages_upside_down_and_popularities_below_zero_are_left_out_and_told():
    frame = table(id=["1", "2"], title=["A", "B"], min_age=["8", "3"], max_age=["3", "8"])
    parsed = parse_items(frame.with_columns(sales=pl.Series(["-1", "5"])))
    assert [(i.max_age, i.popularity) for i in parsed.items] == [(None, None), (8, 5.0)]
    assert parsed.remarks == {
        "maximum ages below the minimum age, left out": {"8 to 3": [2]},
        "popularities taken for unknown": {"-1": [2]},
    }


def test_lists_of_texts_and_of_objects_in_other_columns():
    keywords = "[{'id': 931, 'name': 'jealousy'}, {'id': 4, 'name': 'toy'}]"
    made = item(description=["Good.", "Better."], keywords=keywords, cast=[["A. Bee", "C. Dee"]][0])
    assert made.description == "Good. Better."
    assert made.attributes["cast"] == "A. Bee|C. Dee"
    assert (made.categories, item(genre="x", keywords="[]").attributes) == (("jealousy", "toy"), {})
    assert item(genre="x", keywords=keywords).attributes == {"keywords": "jealousy|toy"}


def test_lists_of_pandas_and_parquet(tmp_path):
    frame = pd.DataFrame({"id": [1, 2], "title": ["A", "B"], "genres": [["Drama", "War"], None]})
    frame.to_parquet(tmp_path / "items.parquet")
    for made in (frame, pd.read_parquet(tmp_path / "items.parquet")):
        assert [i.categories for i in items_from_frame(made)] == [("Drama", "War"), ()]


def test_yes_and_no_in_other_languages():
    frame = table(id=["1", "2"], title=["A", "B"], Lieferbar=["ja", "nein"])
    assert [i.available for i in items_from_frame(frame)] == [True, False]


def test_a_table_without_a_header_is_told_so():
    with pytest.raises(CatalogError, match="which look like data .add a header"):
        items_from_frame(pl.DataFrame({"1": ["2"], "Toy Story": ["Babe"]}))


@pytest.mark.parametrize(
    ("column", "cell", "image"),
    [
        ("image", "https://img.example.org/a.jpg", "https://img.example.org/a.jpg"),
        ("poster_url", " https://img.example.org/a.jpg ", "https://img.example.org/a.jpg"),
        (
            "imageURLHighRes",
            "['https://x.org/1.jpg', 'https://x.org/2.jpg']",
            "https://x.org/1.jpg",
        ),
        ("thumbnail", "tent 2.webp", "tent 2.webp"),
        ("图片", "帐篷.png", "帐篷.png"),
        ("images", ["http://x.org/1.jpg", "https://x.org/2.jpg"], "https://x.org/2.jpg"),
    ],
)
def test_pictures(column, cell, image):
    table = {"id": ["1"], "title": ["A"], column: [cell], "image_alt": ["A &amp; B"]}
    (item,) = parse_items(pl.DataFrame(table)).items
    assert (item.image, item.image_alt, item.attributes) == (image, "A & B", {})


def test_a_cell_that_is_no_picture_is_left_out_and_told():
    cells = ["https://x.org/1.jpg", "none yet", None, "https://x.org/2.jpg"]
    parsed = parse_items(pl.DataFrame({"id": list("1234"), "title": list("ABCD"), "image": cells}))
    assert [item.image for item in parsed.items] == [cells[0], "", "", cells[3]]
    assert parsed.remarks == {"pictures left out": {"none yet": [3]}}


def test_paths_and_plain_http_stay_attributes():
    table = {
        "id": ["1"],
        "title": ["A"],
        "poster_path": ["/a.jpg"],
        "image": ["http://x.org/a.png"],
    }
    parsed = parse_items(pl.DataFrame(table))
    assert parsed.items[0].image == ""
    assert parsed.items[0].attributes == {"poster_path": "/a.jpg", "image": "http://x.org/a.png"}
    assert set(parsed.layout.attributes.values()) == {"pictures"}
