import polars as pl
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.check import Problem, check_catalog, check_table
from coldstart.errors import CatalogError


@pytest.fixture
def check(tmp_path):
    def run(text, name="items.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return {(p.level, p.what): p.rows for p in check_table(path)}

    return run


def test_a_good_file_has_no_problems(check):
    assert (
        check("id,title,year\n1,Amélie,2001\n2,São Paulo,1999\n3,“Café” – 电影 👩‍👩‍👧,1993\n") == {}
    )


def test_everything_that_can_be_wrong_is_found(check):
    found = check(
        "id,title,year,price,description\n"
        "1,,1999,1,\n"
        "2,Toy Story,1995,1,\n"
        "2,Alien,1979,1,\n"
        "4,The Toy Story!,1995,1,\n"
        "5,Toy Story,2020,1,\n"
        "6,AmÃ©lie,2001,1,donâ€™t\n"
        "7,lost \ufffd,2001,1,\n"
        "8,Tom &amp; Jerry,2001,1,&#39;\n"
        f"9,{'x' * 301},2001,1,\n"
        "10,bell \x07,2001,1,\n"
        "11,Year,20001,1,\n"
        "12,Price,2001,cheap,\n"
    )
    assert found == {
        ("error", "empty title"): (2,),
        ("error", "duplicate item_id"): (4,),
        ("error", "bad year (Input should be less than or equal to 9999)"): (12,),
        (
            "error",
            "bad price (Input should be a valid number, unable to parse string as a number)",
        ): (13,),
        ("warning", "titles that repeat, such as 'Toy Story',"): (3, 5),
        ("warning", "garbled characters such as 'Ã©'"): (7, 8),
        ("warning", "titles of more than 300 characters"): (10,),
        ("warning", "control characters"): (11,),
        ("info", "HTML entities such as '&amp;'"): (9,),
    }
    levels = [level for level, _ in found]
    assert levels == sorted(levels, key=("error", "warning", "info").index)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("id,name2\n1,a\n", "no column for title among: id, name2"),
        ("title\na\n", "no column for item_id among: title"),
        ("id,title\n", "no items"),
        ("", "items.csv: the file is empty"),
    ],
)
def test_a_file_that_is_no_table_of_items(check, text, what):
    ((level, message), rows) = check(text).popitem()
    assert (level, rows) == ("error", ())
    assert message.endswith(what)


def test_files_that_cannot_be_read_are_findings(tmp_path):
    path = tmp_path / "items.csv"
    assert "No such file" in check_table(path)[0].what
    path.write_bytes("id,title\n1,Amélie".encode() + b"\n2,\xe9")
    assert "not UTF-8: byte 0xe9 at offset 21, line 3" in check_table(path)[0].what


def test_lines_of_json_count_from_one(check):
    found = check('{"id": 1, "title": "a"}\n{"id": 2, "title": ""}\n', name="items.jsonl")
    assert found == {("error", "empty title"): (2,)}


def test_list_columns_are_looked_into(tmp_path):
    path = tmp_path / "items.parquet"
    frame = {"id": [1, 2], "title": ["a", "b"], "genres": [["Sci&amp;Fi"], None]}
    pl.DataFrame(frame).write_parquet(path)
    assert [(p.level, p.rows) for p in check_table(path)] == [("info", (2,))]


def test_errors_are_what_keeps_a_file_from_loading(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("id,title\n1,a\n1,b\n")
    assert [p.level for p in check_table(path)] == ["error"]
    with pytest.raises(CatalogError, match="duplicate item_id in row 3"):
        Catalog.load(path)


def test_problems_read_as_one_line():
    problem = Problem("warning", (2, 3), "odd titles", "look at them")
    assert str(problem) == "warning: odd titles in rows 2, 3 (look at them)"
    assert str(Problem("error", (), "no items")) == "error: no items"


def test_titles_that_are_ids_of_other_items_are_warned_of(check):
    found = check("id,title\n187,Alien\n5,187\n300,300\nx,Babe\nbabe,Jaws\n")
    assert found == {("warning", "titles that are ids of other items, such as '187',"): (3, 5)}


def test_what_looks_like_a_mistake_is_warned_of(check):
    found = check("id,title,year,genre\n1,A,19,drama\n2,B,0,Drama\n3,C,1999,12\n")
    assert found == {
        ("warning", "years taken for unknown (0)"): (3,),
        ("warning", "odd years (19)"): (2,),
        ("warning", "categories in several spellings: Drama and drama"): (),
    }
    assert check("id,title,genre_ids\n1,A,[12]\n") == {}
    assert check('id,title,genres\n1,A,"[12, 18]"\n') == {
        ("warning", "all categories are numbers"): (),
    }
    assert check("id,title\n1.0,A\n2.0,B\n") == {
        ("warning", "all ids in 'id' end in .0, such as '1.0'"): (),
    }
    assert check("id,title\n1,10\n2,20\n3,30\n") == {
        ("warning", "all titles in 'title' are numbers"): (),
    }


def test_categories_that_hardly_repeat_are_warned_of(check):
    rows = "".join(f"{n},T{chr(65 + n)},G{chr(65 + n)} - H{chr(90 - n)}\n" for n in range(20))
    ((_, what),) = check(f"id,title,genres\n{rows}")
    assert what == "categories that hardly repeat: 20 different ones"


def test_what_was_read_is_told(tmp_path):
    path = tmp_path / "books.csv"
    path.write_bytes(
        "Unnamed: 0;ISBN;Book-Title;Year-Of-Publication;tags;synopsis;poster;studio;empty\n"
        "0;a;Amélie;2001;Drama, War;Once;/a.jpg;UFA;\n"
        "1;b;Jaws;1975;War;;/b.jpg;UFA;\n"
        "2;c;NULL;1976;War;;;;\n"
        "3;d;Jaws;1975;;;;;\n".encode("cp1252")
    )
    report = check_catalog(path).report
    assert report.paragraph().startswith(
        f"Read {path} (Windows-1252 (Latin-1), separated by semicolon"
    )
    sentences = report.sentences()
    assert sentences[0].endswith(": 3 of 4 rows")
    assert sentences[1:] == [
        "left out: 1 row with empty title (row 4)",
        "item_id ← ISBN, title ← Book-Title, year ← Year-Of-Publication, description ← synopsis, "
        "categories ← tags",
        "kept as attributes: poster (pictures), studio",
        "not used: 'empty' (without a value)",
        "categories in tags, separated by ',': 2 different, most often War, Drama; 1 items without",
        "missing: description in 3, title in 1, categories in 1",
        "2 items share title and year with another",
    ]


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("sku,what\n1,a\n")
    assert check_catalog(path, {"title": "what"}).problems == ()
    assert "no column for title" in check_catalog(path).problems[0].what
