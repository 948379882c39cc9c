import json

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import read_table
from coldstart.catalog.item_table import items_from_frame
from coldstart.errors import CatalogError, DataError
from coldstart.schema import Item
from coldstart.tabular.cells import as_text
from coldstart.tabular.rows import rows_text

ROWS = [
    {
        "movieId": 1,
        "title": "Toy Story (1995)",
        "genres": ["Animation", "Children's"],
        "price": 9.5,
        "available": True,
        "min_age": None,
        "director": "John Lasseter",
        "runtime": 81,
    },
    {
        "movieId": 2,
        "title": "  Tom &amp; Jerry  ",
        "genres": ["Children's"],
        "price": None,
        "available": False,
        "min_age": 6,
        "director": None,
        "runtime": None,
    },
    {
        "movieId": 3,
        "title": "霸王别姬 🎭, Ame\u0301lie (1993)",
        "genres": None,
        "price": 3.0,
        "available": True,
        "min_age": 16,
        "director": "陈凯歌",
        "runtime": 171,
    },
    {
        "movieId": 4,
        "title": "x" * 300,
        "genres": ["Drama"],
        "price": 0.0,
        "available": True,
        "min_age": None,
        "director": 'A "quoted", name',
        "runtime": None,
    },
]
ITEMS = (
    Item(
        item_id="1",
        title="Toy Story",
        year=1995,
        categories=("Animation", "Children's"),
        price=9.5,
        attributes={"director": "John Lasseter", "runtime": "81"},
    ),
    Item(
        item_id="2",
        title="Tom & Jerry",
        categories=("Children's",),
        available=False,
        min_age=6,
    ),
    Item(
        item_id="3",
        title="霸王别姬 🎭, Amélie",
        year=1993,
        price=3,
        min_age=16,
        attributes={"director": "陈凯歌", "runtime": "171"},
    ),
    Item(
        item_id="4",
        title="x" * 300,
        categories=("Drama",),
        price=0,
        attributes={"director": 'A "quoted", name'},
    ),
)


def table(**columns):
    return pl.DataFrame(columns)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_every_kind_of_table_makes_the_same_catalog(tmp_path):
    frame = pl.DataFrame(ROWS)
    flat = frame.with_columns(pl.col("genres").list.join("|"))
    flat.write_csv(tmp_path / "items.csv")
    flat.write_csv(tmp_path / "items.tsv", separator="\t")
    frame.write_parquet(tmp_path / "items.parquet")
    frame.write_ndjson(tmp_path / "items.jsonl")
    pd.DataFrame(ROWS).to_csv(tmp_path / "pandas.csv", index=False)
    catalogs = [
        Catalog.from_items(ITEMS),
        Catalog.from_frame(frame),
        Catalog.from_frame(frame.lazy()),
        Catalog.from_frame(pd.DataFrame(ROWS)),
        Catalog.from_frame(pd.DataFrame(ROWS).convert_dtypes()),
        Catalog.from_frame(pa.Table.from_pylist(ROWS)),
        Catalog.from_csv(tmp_path / "items.csv"),
        Catalog.from_parquet(tmp_path / "items.parquet"),
        Catalog.from_jsonl(tmp_path / "items.jsonl"),
        Catalog.load(tmp_path / "items.tsv"),
        Catalog.load(str(tmp_path / "items.csv")),
    ]
    for catalog in catalogs:
        assert catalog.items == ITEMS
    assert len({catalog.fingerprint() for catalog in catalogs}) == 1


def test_items_written_as_json_lines_come_back(tmp_path):
    lines = "\n".join(item.model_dump_json() for item in ITEMS)
    assert Catalog.load(write(tmp_path / "a.jsonl", lines)).items == ITEMS


def test_columns_go_by_alias_or_by_name():
    frame = table(ASIN=["a"], Name=["Alien"], id=["x"], **{"In stock": ["no"]})
    item = Item(item_id="x", title="Alien", available=False, attributes={"ASIN": "a"})
    assert items_from_frame(frame) == [item]
    (item,) = items_from_frame(frame, {"item_id": "ASIN", "description": "id"})
    assert (item.item_id, item.description, item.attributes) == ("a", "x", {})


def test_categories_are_lists_or_split_at_bars_and_semicolons():
    frame = table(id=["1", "2"], title=["a", "b"], genres=["Sci-Fi| Drama |", "x;y, z;x"])
    assert [i.categories for i in items_from_frame(frame)] == [("Sci-Fi", "Drama"), ("x", "y, z")]


def test_years_are_split_off_titles_only_where_no_column_has_them():
    (item,) = items_from_frame(table(id=["1"], title=["1984 (1984)"]))
    assert (item.title, item.year) == ("1984", 1984)
    (item,) = items_from_frame(table(id=["1"], title=["1984 (1984)"], year=["1985"]))
    assert (item.title, item.year) == ("1984 (1984)", 1985)


def test_nulls_of_pandas_are_no_attributes():
    frame = pd.DataFrame(
        {"id": [1, 2], "title": ["a", "b"], "runtime": [81.0, None], "year": [1999, None]}
    )
    first, second = items_from_frame(frame)
    assert (first.attributes, first.year) == ({"runtime": "81"}, 1999)
    assert (second.attributes, second.year) == ({}, None)


def test_rows_that_make_no_item_are_named_in_one_error():
    frame = table(
        id=["1", "2", None, "1", "5", "6"],
        title=["a", " ", "c", "d", "&#1;", "f"],
        year=["1999", "x", "2000", "2001", "2002", "99999"],
        price=["1", "2", "3", "4", "5", "cheap"],
    )
    with pytest.raises(CatalogError, match="the table makes no catalog") as caught:
        Catalog.from_frame(frame)
    message = str(caught.value)
    assert "empty title in rows 3, 6;" in message
    assert "empty item_id in row 4;" in message
    assert "duplicate item_id in row 5;" in message
    assert "bad year (Input should be less than or equal to 9999) in row 7" in message
    assert "bad price (Input should be a valid number" in message
    assert "the header is row 1" in message


def test_at_most_ten_rows_are_named():
    frame = table(id=["1"] * 14, title=["a"] * 14)
    with pytest.raises(CatalogError, match="in rows 3, 4, .*, 12 and 3 more"):
        items_from_frame(frame)
    assert rows_text([2]) == "row 2"


def test_rows_of_json_lines_count_as_lines(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": 1, "title": "a"}\n\n{"id": 1, "title": "b"}\n')
    with pytest.raises(CatalogError, match="duplicate item_id in row 3 .the first row is row 1"):
        Catalog.load(path)


def test_json_lines_of_mixed_types(tmp_path):
    rows = [
        {"id": 2**70, "title": "a", "genres": ["x", "y"], "price": 1},
        {"id": "b", "title": "b", "genres": "x|z", "price": 1.5},
        {"id": 3, "title": 1984, "genres": [], "attributes": {"k": 1, "l": None}},
    ]
    path = write(tmp_path / "a.ndjson", "\n".join(map(json.dumps, rows)))
    items = Catalog.load(path).items
    assert [i.item_id for i in items] == [str(2**70), "b", "3"]
    assert [i.categories for i in items] == [("x", "y"), ("x", "z"), ()]
    assert [i.price for i in items] == [1.0, 1.5, None]
    assert (items[2].title, items[2].attributes) == ("1984", {"k": "1"})


def test_csv_columns_are_strings_and_blank_rows_keep_their_numbers(tmp_path):
    path = write(tmp_path / "a.csv", '\ufeffid,title\n007,"two\nlines"\n\n1e3,\n')
    frame = read_table(path)
    assert frame.to_dict(as_series=False) == {
        "id": ["007", None, "1e3"],
        "title": ["two\nlines", None, None],
    }
    with pytest.raises(CatalogError, match="empty title in row 4"):
        items_from_frame(frame)


def test_a_quote_inside_a_field_is_read(tmp_path):
    path = write(tmp_path / "a.csv", 'id,title\r\n1,"say ""hi"""\r\n2,7" reel\r\n3\r\n')
    assert read_table(path)["title"].to_list() == ['say "hi"', '7" reel', None]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,title\n1,Amélie".encode() + b"\n2,\xe9", "byte 0xe9 at offset 21, line 3"),
        ("a.csv", "id,title".encode("utf-16") + b"x", "not UTF-16: byte 0x78 at offset 18, line 1"),
        ("a.csv", "", "the file is empty"),
        ("a.csv", "id,title\n1,a\n2,b,c\n", "row 3 has 3 fields, the header has 2"),
        ("a.csv", 'id,title\n1,a\n2,"b, c\n', "row 3 .line 3. has a quote that is never closed"),
        ("a.parquet", "no parquet", "parquet"),
        ("a.jsonl", '{"id": 1}\n{"id": \n', "line 2: not JSON: .* at column 8"),
        ("a.jsonl", '{"id": 1}\n[1]\n', "line 2: expected a JSON object, got list"),
        ("a.jsonl", "\n", "the file is empty"),
        ("a.xlsx", "", "cannot read files of kind '.xlsx' .use one of .csv, .tsv, .parquet"),
        ("a", "", "cannot read files of kind ''"),
        ("missing.csv", None, "missing.csv: No such file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        write(path, content)
    for read, error in ((read_table, DataError), (Catalog.load, CatalogError)):
        with pytest.raises(error, match=message) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        (table(a=[1], title=["x"]), None, "no column for item_id among: a, title .name it: col"),
        (table(id=[1], b=["x"]), None, "no column for title among: id, b"),
        (table(id=[1], title=["x"]), {"title": "titel"}, "no column 'titel' .did you mean 'title'"),
        (table(id=[1], title=["x"]), {"titel": "title"}, "no field 'titel' .did you mean 'title'"),
        (table(id=[1], title=["x"]), {"title": "q"}, "no column 'q' .there are: id, title"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), None, "column names repeat: id, id"),
        ([{"id": 1}], None, "expected a polars or pandas frame or a pyarrow table, got list"),
        (pl.Series([1]), None, "expected .* got Series"),
        (None, None, "expected .* got NoneType"),
    ],
)
def test_tables_without_the_columns(frame, columns, message):
    with pytest.raises(CatalogError, match=message):
        items_from_frame(frame, columns)


def test_text_of_cells():
    assert [as_text(v) for v in (3, 3.0, 3.5, False, "a", ["a", None, 1.0])] == [
        *("3", "3", "3.5", "false", "a", "a|1"),
    ]
