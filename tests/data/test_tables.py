import json
from pathlib import Path

import polars as pl
import pytest

from coldstart.data.tables import load_dataset, load_interactions, load_users
from coldstart.errors import CatalogError, DataError

ITEMS = (
    "movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,Fargo (1996),Crime\n3,Alien,\n"
)


def write(folder: Path, **tables: str) -> dict[str, Path]:
    paths = {}
    for name, text in tables.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text, encoding="utf-8")
    return paths


def test_movielens_style_tables_become_a_dataset(tmp_path):
    paths = write(
        tmp_path,
        items=ITEMS,
        interactions="userId,movieId,rating,timestamp\n"
        "u1,2,5,200\nu1,1,4.5,100\nu1,3,1,300\nu2,3,4,50\nu3,1,2,7\n",
        users="userId,Age,Sex,job,favourite colour\nu1,31,F,nurse,blue\nu9,50,M,,\n",
    )
    data = load_dataset(**paths, name="mine", like_at=4, dislike_at=2)
    assert data.name == "mine"
    assert data.catalog["1"].categories == ("Animation", "Comedy")
    assert data.likes == {"u1": ("1", "2"), "u2": ("3",)}  # by time, likes only
    assert data.dislikes == {"u1": ("3",), "u3": ("1",)}
    assert data.users["u1"].demographics() == {
        "age": "31",
        "gender": "F",
        "occupation": "nurse",
        "favourite colour": "blue",
    }
    assert data.users["u2"].is_empty()


def test_users_are_optional_and_without_ratings_every_row_is_a_like(tmp_path):
    paths = write(tmp_path, items=ITEMS, interactions="user,item\na,3\na,1\nb,2\n")
    data = load_dataset(**paths, name="mine", like_at=4, dislike_at=2)
    assert data.likes == {"a": ("3", "1"), "b": ("2",)}
    assert data.dislikes == {}


def test_all_kinds_of_file_and_type_give_the_same_interactions(tmp_path):
    rows = {"user_id": [7, 8], "itemId": [1, 2], "rating": [4.0, 5.0], "timestamp": [10, 20]}
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.with_columns(pl.col("user_id", "itemId").cast(pl.Float64)).write_parquet(
        tmp_path / "b.parquet"
    )
    tables = [load_interactions(path) for path in sorted(tmp_path.iterdir())]
    assert len(tables) == 5
    for table in tables:
        assert table.equals(tables[0])
    assert tables[0].to_dict(as_series=False) == {
        "user_id": ["7", "8"],
        "item_id": ["1", "2"],
        "rating": [4.0, 5.0],
        "timestamp": [10.0, 20.0],
    }


def test_dates_order_like_numbers_and_are_utc_without_a_zone(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text(
        "user_id,item_id,date\na,1,1970-01-02\na,2,1970-01-01T00:00:01Z\n"
        "a,3,1970-01-01 01:00:00+01:00\na,4, 12.5 \n"
    )
    assert load_interactions(path)["timestamp"].to_list() == [86400.0, 1.0, 0.0, 12.5]


def test_bad_cells_are_named_with_their_rows(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text(
        "user_id,item_id,rating,timestamp\na,1,4,1\na,1,5,1\na,2,nan,\nb,2,good,soon\nb,2,good,1\n"
    )
    with pytest.raises(DataError, match=r"rating is 'good' in rows 5, 6") as caught:
        load_interactions(path)
    message = str(caught.value)
    assert "nan" not in message  # missing is missing
    assert "timestamp is 'soon' in row 5" in message
    assert "\n" not in message


def test_rows_of_json_lines_count_from_one_and_many_problems_are_cut(tmp_path):
    path = tmp_path / "i.jsonl"
    rows = [{"user": "u", "item": "1", "rating": 5, "date": f"x{n}"} for n in range(8)]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match=r"timestamp is 'x0' in row 1; .*and 3 other problems"):
        load_interactions(path)


def test_missing_columns_are_named_with_what_is_there(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text("who,item\na,1\n")
    with pytest.raises(
        DataError, match=r"no column for user_id; found: who, item .needed: user_id, item_id"
    ):
        load_interactions(path)


def test_bad_users_are_named_with_their_rows(tmp_path):
    path = tmp_path / "u.csv"
    path.write_text("id,age\na,31\na,32\n,33\nb,-4\nc,old\n")
    with pytest.raises(DataError, match=r"duplicate user_id in row 3; age: Input") as e:
        load_users(path)
    assert "age: Input should be greater than or equal to 0 in row 5" in str(e.value)
    assert "in row 6" in str(e.value)


def test_a_second_place_column_stays_an_attribute(tmp_path):
    path = tmp_path / "u.csv"
    path.write_text("user_id,city,country\na,Köln,Germany\n")
    profile = load_users(path)["a"]
    assert profile.location == "Köln"
    assert profile.attributes == {"country": "Germany"}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user_id,Age,age", "columns Age and age both mean age"),
        ("user_id,gender,Sex", "columns gender and Sex both mean gender"),
        ("userId,user_id,age", "columns userId and user_id both mean user_id"),
    ],
)
def test_two_columns_of_users_that_mean_the_same_are_refused(tmp_path, header, message):
    path = tmp_path / "u.csv"
    path.write_text(f"{header}\na,31,32\n")
    with pytest.raises(DataError, match=message):
        load_users(path)


def test_of_interactions_the_first_known_column_is_taken_unless_it_is_there_twice(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text("user_id,item_id,item,date,timestamp\na,1,Alien,1970-01-02,7\n")
    assert load_interactions(path).row(0) == ("a", "1", 7.0)
    path.write_text("user_id,item_id,Item ID\na,1,2\n")
    with pytest.raises(DataError, match="columns item_id and Item ID both mean item_id"):
        load_interactions(path)


def test_an_empty_or_malformed_catalog_is_refused(tmp_path):
    paths = write(tmp_path, items="item_id,title\n", interactions="user,item\na,1\n")
    with pytest.raises(DataError, match="no items"):
        load_dataset(**paths, name="mine")
    paths |= write(tmp_path, items="item_id,title\n1,\n")
    with pytest.raises(CatalogError, match="empty title in row 2"):
        load_dataset(**paths, name="mine")


def test_interactions_with_unknown_items_are_refused(tmp_path):
    paths = write(tmp_path, items=ITEMS, interactions="user,item\na,99\n")
    with pytest.raises(DataError, match=r"1 interactions name items that the catalog lacks.*'99'"):
        load_dataset(**paths, name="mine")


def test_a_column_of_lists_is_refused(tmp_path):
    path = tmp_path / "i.parquet"
    pl.DataFrame({"user": ["a"], "item": [["1", "2"]]}).write_parquet(path)
    with pytest.raises(DataError, match="column item holds lists"):
        load_interactions(path)
