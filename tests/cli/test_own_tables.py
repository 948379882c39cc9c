"""Options of own tables: what is read is told in the terms of the command line."""

from __future__ import annotations

import pytest

from coldstart.cli.options import in_options
from coldstart.cli.source import DataSource
from coldstart.errors import ConfigError, DataError


@pytest.fixture
def source(tmp_path):
    items, interactions = tmp_path / "items.csv", tmp_path / "ratings.csv"
    items.write_text("sku,name,genre\n1,Alien,Horror\n2,Fargo,Crime\n3,Heat,Crime\n")

    def make(text, **options):
        interactions.write_text(text)
        return DataSource(items=items, interactions=interactions, **options).dataset()

    return make


def test_columns_apply_to_every_table_that_has_them(source, capsys):
    text = "who,what,grad,when_it_was\na,1,5,2024-01-02\na,2,4,2024-01-01\nb,3,1,2024-01-01\n"
    columns = "user_id=who,item_id=what,rating=grad,timestamp=when_it_was"
    data = source(text, columns=columns)
    assert (data.likes, data.dislikes) == ({"a": ("2", "1")}, {"b": ("3",)})
    told = " ".join(capsys.readouterr().err.split())
    assert "user_id ← who, item_id ← what, rating ← grad, timestamp ← when_it_was" in told
    assert "items.csv (UTF-8, separated by comma): 3 rows; item_id ← sku, title ← name" in told


def test_thresholds_and_unrated(source):
    text = "user,item,rating\na,1,0\na,2,3\nb,3,5\n"
    assert source(text).likes == {"b": ("3",)}
    assert source(text).dislikes == {}
    low = source(text, unrated="none", like_at="3")
    assert (low.likes, low.dislikes) == ({"a": ("2",), "b": ("3",)}, {"a": ("1",)})
    assert source(text, columns="rating=").likes == {"a": ("1", "2"), "b": ("3",)}
    events = "user,item,event\na,1,view\na,2,buy\nb,3,buy\n"
    assert source(events, like_at="view", dislike_at="buy").likes == {"a": ("1",)}


def test_text_files_may_be_described(source):
    text = 'user|item|rating|note\na|1|5|"\na|2|1|Ć\n'
    data = source(text, separator="|", quotes="literal")
    assert data.likes == {"a": ("1",)}
    with pytest.raises(DataError, match="the header holds no separator '~'"):
        source(text, separator="~")


def test_an_encoding_is_for_files_that_are_no_unicode(source, tmp_path):
    path = tmp_path / "ratings.csv"
    source("user,item,rating\na,1,5\n")
    path.write_bytes("user,item,rating\nŁucja,1,5\nJiří,2,1\n".encode("cp1250"))
    data = DataSource(items=tmp_path / "items.csv", interactions=path, encoding="cp1250").dataset()
    assert (data.likes, data.dislikes) == ({"Łucja": ("1",)}, {"Jiří": ("2",)})


def test_the_account_names_options_not_arguments(source, capsys):
    source("user,item,rating\na,1,0\na,2,3\nb,3,5\n")
    told = " ".join(capsys.readouterr().err.split())
    assert "1 row with 0 is taken for unrated; if it is a rating, say --unrated none." in told
    assert "unrated=" not in told


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("user,item,zufriedenheit\na,1,5\na,2,1\nb,3,3\n", "--columns rating=zufriedenheit reads"),
        ("user,item,event\na,1,frob\na,2,like\n", "--like-at 'frob'"),
        ("user,item,rating\na,1,5,7\n", "--separator ';' names another"),
        ("kunde X,item\na,1\n", "--columns 'user_id=kunde X'"),
    ],
    ids=["preference", "event", "fields", "column"],
)
def test_hints_name_options(source, text, option):
    with pytest.raises(DataError, match="columns|words|fields") as caught:
        source(text)
    assert option in in_options(str(caught.value))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "user_id"}, "--columns 'user_id'"),
        ({"unrated": "x"}, "--unrated 'x'"),
        ({"like_at": "2", "dislike_at": "3"}, "--dislike-at 3 is not below --like-at 2"),
    ],
    ids=str,
)
def test_options_that_cannot_be_read(source, options, message):
    with pytest.raises(ConfigError, match=message):
        source("user,item,rating\na,1,5\n", **options)


def test_unknown_fields_and_columns_have_a_nearest_name(source):
    with pytest.raises(DataError, match="no field 'user' .did you mean 'user_id'"):
        source("user,item\na,1\n", columns="user=user")
    with pytest.raises(DataError, match="no column 'usr' .did you mean 'user'"):
        source("user,item\na,1\n", columns="user_id=usr")


def test_options_of_own_tables_do_not_go_with_a_public_dataset():
    with pytest.raises(ConfigError, match="--columns with --data ml-small"):
        DataSource(data="ml-small", columns="user_id=x").dataset()
    with pytest.raises(ConfigError, match="--quotes with --data ml-small"):
        DataSource(data="ml-small", quotes="csv").dataset()


def test_messages_in_the_terms_of_the_command_line():
    text = "columns={'item_id': …}; columns={'a': 'b c'}; encoding='latin-1'; the encoding is odd"
    assert in_options(text) == (
        "--columns item_id=…; --columns 'a=b c'; --encoding 'latin-1'; the encoding is odd"
    )
