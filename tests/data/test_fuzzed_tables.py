"""Random tables in random dialects: every row is read, left out with a reason, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import dataset_from_frames
from coldstart.data.interactions import read_interactions
from coldstart.errors import DataError
from coldstart.schema import Item
from coldstart.tabular.cells import MISSING_WORDS, is_missing
from coldstart.tabular.reading import read_file

CATALOG = Catalog(Item(item_id=str(n), title=f"Film {n}") for n in range(10))
MISSING = sorted(word for word in MISSING_WORDS if word)
USERS = st.sampled_from(["u1", "José", "Łucja", "7", "o'neil"] * 6 + MISSING)
ITEMS = st.sampled_from([*"0123456789" * 2, "", "NULL"])
ODD = [
    '"',
    'say "hi"',
    '"Weird Al',
    'end"',
    "\\",
    '\\"',
    "a, b",
    "x;y",
    "x\ty",
    "'",
    '"a" b',
    "\\N",
]
TEXTS = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(codec="utf-8", categories=["L", "P", "Zs"]), max_size=8),
)
RATINGS = {
    "rating": st.integers(1, 5).map(str),
    "Book-Rating": st.integers(-1, 10).map(str),
    "stars": st.sampled_from(["0.5", "3.5", "5", "NaN", ""]),
    "event": st.sampled_from(["view", "like", "dislike", "purchase"]),
    "clicked": st.sampled_from(["0", "1", "true", "false"]),
}
TIMES = {
    "timestamp": st.integers(10**9, 2 * 10**9).map(str),
    "created_at": st.one_of(st.integers(10**9, 10**10), st.integers(10**12, 10**13)).map(str),
    "date": st.dates().map(str),
    "when": st.just("2024-01-31T12:30:00Z"),
}


@dataclass
class Written:
    """A table as it was written, and how."""

    rows: list[tuple[str, ...]]
    header: tuple[str, ...]
    separator: str = ","
    end: str = "\n"
    encoding: str = "utf-8"
    quoting: str = "rfc"
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [self.header, *self.rows]
        return (
            self.end.join(self.separator.join(map(self._cell, line)) for line in lines) + self.end
        )

    def _cell(self, text: str) -> str:
        if self.quoting == "none":
            return re.sub(f"[{re.escape(self.separator)}\r\n]", " ", text)
        if self.quoting == "all" or any(c in text for c in (self.separator, '"', "\n", "\r")):
            return '"' + text.replace('"', '\\"' if self.quoting == "backslash" else '""') + '"'
        return text


@st.composite
def written(draw: st.DrawFn) -> Written:
    rating, time = (draw(st.sampled_from(sorted(kind))) for kind in (RATINGS, TIMES))
    row = st.tuples(USERS, ITEMS, RATINGS[rating], TIMES[time], TEXTS)
    return Written(
        draw(st.lists(row, min_size=2, max_size=15)),
        ("user_id", "movieId", rating, time, "comment"),
        draw(st.sampled_from([",", ";", "\t", "|"])),
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        draw(st.sampled_from(["rfc", "all", "none", "backslash"])),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzed")


def read(path: Path):
    """Rows and account of a file, or the reason why it is refused, in one line."""
    try:
        return read_interactions(read_file(path))
    except DataError as e:
        error = e
    assert "\n" not in str(error)
    assert error.hint
    return str(error)


PLACES = st.lists(st.integers(0, 10**6), max_size=3)
PROFILE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROFILE
@given(table=written(), suffix=st.sampled_from([".csv", ".tsv", ".txt"]))
def test_every_row_of_a_text_is_accounted_for(folder, table, suffix):
    path = folder / f"table{suffix}"
    path.write_bytes(table.text().encode(table.encoding))
    found = read(path)
    if isinstance(found, str):
        # Refused as a whole: only for a row whose quotes fit no reading, or no row with ids.
        why = r"row \d+|no row has a user and an item|column for|called"
        assert re.search(why, found), found
        return
    frame, report = found
    assert report.rows == len(table.rows), report.paragraph()
    left = {row for rows in report.left_out.values() for row in rows}
    expected = {
        n for n, row in enumerate(table.rows, start=2) if is_missing(row[0]) or is_missing(row[1])
    }
    assert left == expected
    assert report.read == len(frame) == len(table.rows) - len(expected)
    kept = [row for n, row in enumerate(table.rows, start=2) if n not in expected]
    assert frame["item_id"].to_list() == [row[1].strip() for row in kept]
    assert {*report.columns.values(), *report.unused} == set(table.header)
    _judged(frame, report)


@PROFILE
@given(table=written())
def test_parquet_and_json_lines_account_for_the_same_rows(folder, table):
    frame = pl.DataFrame(table.rows, schema=list(table.header), orient="row")
    frame.write_parquet(folder / "table.parquet")
    frame.write_ndjson(folder / "table.jsonl")
    one, other = read(folder / "table.parquet"), read(folder / "table.jsonl")
    if isinstance(one, str) or isinstance(other, str):
        assert isinstance(one, str)
        assert isinstance(other, str)
        return
    assert one.frame.equals(other.frame)
    assert one.report.rows == other.report.rows == len(table.rows)
    assert len(one.report.left_out) == len(other.report.left_out)


@PROFILE
@given(data=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet"]))
def test_any_bytes_are_read_or_refused_in_one_line(folder, data, suffix):
    path = folder / f"bytes{suffix}"
    path.write_bytes(data)
    found = read(path)
    assert isinstance(found, str)


@PROFILE
@given(
    table=written(),
    places=st.lists(st.integers(0, 10**6), max_size=3),
    byte=st.binary(min_size=1, max_size=1),
)
def test_a_damaged_file_loses_no_row_silently(folder, table, places, byte):
    data = bytearray(table.text().encode(table.encoding))
    for place in places:
        data[place % len(data)] = byte[0]
    path = folder / "damaged.csv"
    path.write_bytes(bytes(data))
    found = read(path)
    if not isinstance(found, str):
        _judged(*found)


def _judged(frame, report):
    """Of the rows that were read, each is a like, a dislike, neutral, unrated, or repeated."""
    frame = frame.filter(pl.col("item_id").is_in(list(CATALOG.ids)))
    made = None
    try:
        made = dataset_from_frames("fuzzed", CATALOG, frame).report
    except DataError as e:
        why = str(e)
    if made is None:
        assert re.search("counts as a like|unknown meaning", why)
        return
    ratings = made.ratings
    if ratings is None:
        assert made.likes + made.repeated == len(frame)
        return
    assert ratings.likes + ratings.neutral + ratings.dislikes + ratings.unrated == len(frame)
    assert made.likes + made.dislikes + made.repeated <= len(frame)
    assert made.likes <= ratings.likes
