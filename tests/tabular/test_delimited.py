import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.tabular.delimited import parse_delimited


def rows(text, usual=",", **options):
    """Header and rows of a text."""
    frame = parse_delimited(text, usual, **options).frame
    return [tuple(frame.columns), *frame.rows()]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "::"])
@pytest.mark.parametrize("usual", [",", "\t"], ids=["csv", "tsv"])
def test_separators_and_line_ends_are_recognised(separator, end, usual):
    table = [("id", "title", "year"), ("1", "Alien", "1979"), ("2", "Heat, the film", "1995")]
    lines = [separator.join(f'"{c}"' if separator in c else c for c in row) for row in table]
    assert rows(end.join([*lines, ""]), usual) == table


def test_the_usual_separator_wins_where_both_fit():
    text = "user,item;x\na,1;2\nb,2;3\n"
    assert rows(text) == [("user", "item;x"), ("a", "1;2"), ("b", "2;3")]
    assert rows(text, separator=";")[0] == ("user,item", "x")


def test_excel_may_name_its_separator():
    assert rows("sep=;\nid;title\n1;a,b\n") == [("id", "title"), ("1", "a,b")]


def test_decimal_commas_do_not_mislead():
    text = "user;item;rating\n1;2;4,5\n1;3;3,0\n"
    assert rows(text) == [("user", "item", "rating"), ("1", "2", "4,5"), ("1", "3", "3,0")]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_stray_quote_at_the_start_of_a_field_swallows_no_row(separator):
    table = [
        ("id", "title", "year"),
        ("1", '"Weird Al', "2001"),
        ("2", "Alien", "1979"),
        ("3", "Heat", "1995"),
        ("4", '"', "1999"),
        ("5", '"Crocodile" Dundee', "1986"),
    ]
    made = parse_delimited("\n".join(map(separator.join, table)), separator)
    assert made.frame.rows() == table[1:]
    assert made.literal == [2, 5, 6]


def test_two_stray_quotes_that_match_are_characters_where_the_lines_between_are_rows():
    text = 'id\ttitle\n1\tFargo\n2\tHeat\n3\t"Alien\n4\tBig\n5\tSay "\n'
    assert rows(text, "\t")[3:] == [("3", '"Alien'), ("4", "Big"), ("5", 'Say "')]


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ('sku,title\nA1,"Weird Al\nB2,Alien\nC3,Heat"\nD4,x\n', '"Weird Al'),  # ids of one shape
        ('n,title,year\n1,"Al,NA\n2,b,1999\n3,"c,x\n4,d,1\n', '"Al'),
        ('a,b\nx,"He said ""hi""\nand, left"\ny,z\n', 'He said "hi"\nand, left'),
        ('n,a,b\n1,x,"said so\nand, then, left."\n2,b,"x"\n', "x"),
    ],
)
def test_what_the_lines_of_a_quoted_field_are(text, second):
    assert rows(text)[1][1] == second


def test_a_field_over_several_lines_stays_one():
    text = 'id,title,year\n1,Big,1988\n2,Heat,1995\n3,"two\nlines, and\n""more""",1999\n4,b,2000\n'
    assert rows(text)[3:] == [("3", 'two\nlines, and\n"more"', "1999"), ("4", "b", "2000")]


def test_lines_that_might_be_rows_or_not_are_refused_with_both_ways_out():
    text = 'name,title\na,"Foo\nbar,baz"\n'
    with pytest.raises(ValueError, match=r"row 2 \(line 2\) .*taking comma.*quotes='literal' as"):
        rows(text)
    assert rows(text, quotes="csv")[1:] == [("a", "Foo\nbar,baz")]
    assert rows(text, quotes="literal")[1:] == [("a", '"Foo'), ("bar", 'baz"')]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (r'1,"say \"hi\", then go",5', 'say "hi", then go'),
        (r'1,"ends with \"",5', 'ends with "'),
        (r'1,"a \\ b \"c\"",5', r'a \ b "c"'),
        (r"1,say \"hi\",5", 'say "hi"'),
        (r"1,Me\, Myself,5", "Me, Myself"),
        (r'1,"C:\dir",5', r"C:\dir"),
        (r"1,C:\dir,5", r"C:\dir"),
        (r"1,\N,5", r"\N"),
        (r'1,"\N is \"null\"",5', r'\N is "null"'),
        ('1,"say ""hi"", then go",5', 'say "hi", then go'),
        ('"1","The "best" film","5"', 'The "best" film'),
        ('1,7" reel,5', '7" reel'),
        ('1,"a" and "b",5', '"a" and "b"'),
        ('"1,Alien,5"', "Alien"),
        ('1,"",5', None),
    ],
)
def test_quotes_and_backslashes(line, title):
    assert rows(f"id,title,year\n{line}\n2,b,3\n")[1:] == [("1", title, "5"), ("2", "b", "3")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,title\n1,a\n2,b,c\n", "row 3 has 3 fields, the header has 2 .taking comma for"),
        ("id;title\n1;a\n\n2;b;c\n", "row 4 has 3 fields, .*taking semicolon for"),
        ('id,t,x\n1,"say "hi", ok",5\n', "row 2 .line 2. has quotes within a quoted field"),
        ('id,t\n1,"a, b\n2,c\n', "row 2 .line 2. has a quote that is never closed"),
        ("id,title,id\n1,a,2\n", "two columns are called 'id'"),
        (" \n\n", "the file is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row(text, message):
    with pytest.raises(ValueError, match=message):
        rows(text)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="the header holds no separator ';'"):
        rows("a,b\n1,2\n", separator=";")
    with pytest.raises(ValueError, match="quotes is 'no', expected one of auto, csv, literal"):
        rows("a,b\n1,2\n", quotes="no")


def test_short_rows_are_counted_and_blank_lines_keep_their_number():
    made = parse_delimited("id,title\n1,a\n\n2\n3,c,,\n\n", ",")
    assert made.frame.rows() == [("1", "a"), (None, None), ("2", None), ("3", "c")]
    assert made.short == [4]


def test_columns_without_a_name_are_left_out_where_they_say_nothing():
    made = parse_delimited(",id,title,\n0,7,a,\n1,8,b,\n", ",")
    assert (made.frame.columns, made.dropped) == (["id", "title"], ["column 1"])
    assert rows(",id\nx,7\n")[0] == ("column 1", "id")


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6).map(
    lambda text: text.strip()
)
tables = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8)


@given(tables, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_written_by_the_rules_comes_back(table, separator, end):
    header = ("user id", "title of it", "year made")
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows([header, *table])
    made = parse_delimited(out.getvalue(), separator, quotes="csv").frame
    assert made.rows() == [tuple(c or None for c in row) for row in table][: len(made)]
    assert not any(any(row) for row in table[len(made) :])


numbered = st.lists(st.tuples(cells, cells.map(lambda c: c.replace("\t", " "))), max_size=8)


@given(numbered)
def test_without_quoting_every_line_is_a_row(table):
    """Whatever quotes the titles hold, a tab-separated file has as many rows as lines."""
    lines = ["number\ttitle\tyear", "0\ta\t1999", "1\tb\t2000"]
    lines += [f"{n}\t{title}\t{1990 + n}" for n, (_, title) in enumerate(table, start=2)]
    made = parse_delimited("\n".join(lines), "\t").frame
    assert made["number"].to_list() == [str(n) for n in range(len(lines) - 1)]
    assert made["year"].cast(pl.Int64).is_between(1990, 2010).all()
