"""One small file of each kind that people have, and what is read from it: see docs/data.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldstart.data.tables import load_dataset
from coldstart.errors import DataError

KINDS = Path(__file__).parent / "kinds"
DOCS = Path(__file__).parents[2] / "docs" / "data.md"

READ = [  # file, likes, dislikes, what the account says
    ("book-crossing.csv", {"a": "23", "b": "2"}, {"b": "1"}, "1 ignored as unrated"),
    ("events.csv", {"a": "1", "b": "2"}, {"a": "3"}, r"no judgement: view\)"),
    ("shop-events.csv", {"a": "2", "b": "2"}, {}, "likes: cart, purchase; no judgement: view"),
    ("views.csv", {"a": "12", "b": "3"}, {}, r"action is of words \(likes: view\)"),
    ("clicks.csv", {"a": "1", "b": "2"}, {}, "click is 0 and 1, .*2 ignored as unrated"),
    ("thumbs.csv", {"a": "1", "b": "2"}, {"a": "2", "b": "3"}, "likes: thumbs up, 👍"),
    ("likes-and-dislikes.csv", {"a": "1", "b": "3"}, {"a": "2"}, "rating ← liked and disliked"),
    ("recommended.csv", {"a": "1", "b": "3"}, {"a": "2"}, "a dislike up to 0"),
    ("dates.csv", {"a": "132"}, {}, "timestamp ← Bestelldatum"),
    ("milliseconds.csv", {"a": "231"}, {}, "2 of seconds, 1 of milliseconds"),
    ("day-and-clock.csv", {"a": "321"}, {}, "timestamp ← date and time"),
    ("american-dates.csv", {"a": "21"}, {}, "timestamp ← date"),
    ("unread-times.csv", {"a": "12"}, {}, "when_it_was looks like times but is not read"),
    ("chinese.csv", {"a": "12", "b": "12"}, {}, r"颜色 has few values \(红, 蓝\) and is not read"),
    ("one-to-ten.csv", {"a": "13", "b": "2"}, {"a": "2", "b": "1"}, "1 to 10 in whole steps"),
    ("one-to-hundred.csv", {"a": "13", "b": "2"}, {"a": "2", "b": "1"}, "a like from 80 on"),
    ("half-stars.csv", {"a": "14"}, {"a": "2", "b": "1"}, "0.5 to 5 in half steps"),
    ("decimal-commas.csv", {"a": "1"}, {"a": "2"}, "separated by semicolon in spite of .csv"),
    ("always-one.csv", {"a": "12", "b": "3"}, {}, "always 1, so every rated row is a like"),
    ("unrated.csv", {"a": "2", "b": "3"}, {"b": "2"}, "1 row with -1 is taken for unrated"),
    ("star-texts.csv", {"a": "1", "b": "1"}, {"a": "2"}, "a like from 4 on"),
    ("repeated.csv", {"a": "2", "b": "3"}, {"a": "1"}, "3 repeated rows"),
    ("stray-quotes.tsv", {"a": "1", "b": "1"}, {"a": "2", "b": "3"}, "stray quotes .* rows 2, 4"),
    ("backslashes.csv", {"a": "1"}, {"a": "2"}, "taken for escapes in row 2"),
    ("several-lines.csv", {"a": "1"}, {"a": "2"}, "2 rows"),
    ("semicolons.csv", {"a": "1"}, {"a": "2"}, "separated by semicolon"),
    ("tabs.csv", {"a": "1"}, {"a": "2"}, "separated by tab"),
    ("double-colons.txt", {"a": "1"}, {"a": "2"}, "separated by '::'"),
    ("cr-only.csv", {"a": "1"}, {"a": "2"}, "2 rows"),
    ("byte-order-mark.csv", {"a": "1"}, {"a": "2"}, "UTF-8 with a byte order mark"),
    ("latin-1.csv", {"José": "1"}, {"José": "2"}, "Windows-1252 .*as in 'José'"),
    ("utf-16.csv", {"José": "1"}, {"José": "2"}, "UTF-16, separated by tab"),
    ("missing.csv", {"a": "1", "b": "4"}, {"b": "3"}, "left out: 2 rows without user_id"),
    ("pandas-ids.csv", {"7": "1", "8": "3"}, {}, "with .0, which is left out"),
    ("nan-ids.parquet", {"7": "1"}, {}, "1 row without item_id"),
]
REFUSED = [
    ("unknown-preference.csv", r"'zufriedenheit' looks like a preference .*'zufriedenheit'\}"),
    ("verdicts.csv", "'verdict' looks like a preference but is not read"),
    ("letters.csv", "'grade' looks like a preference but is not read"),
    ("unknown-event.csv", "event holds words of unknown meaning: 'frobbed'"),
    ("ambiguous-dates.csv", "timestamp is '02/03/2024' in row 2; .*may name the day or the month"),
    ("unclosed-quote.csv", "row 3 .line 3. has a quote that is never closed.*taking comma"),
    ("too-many-fields.csv", "row 3 has 4 fields, the header has 3 .taking comma"),
    ("no-header.csv", "which look like data .add a header"),
]


def read(name):
    users = KINDS / "users.csv"
    return load_dataset(KINDS / "items.csv", KINDS / name, users, name="mine")


@pytest.mark.parametrize(("name", "likes", "dislikes", "says"), READ, ids=[r[0] for r in READ])
def test_it_is_read_as_a_careful_person_would(name, likes, dislikes, says):
    data = read(name)
    assert data.likes == {user: tuple(items) for user, items in likes.items()}
    assert data.dislikes == {user: tuple(items) for user, items in dislikes.items()}
    assert re.search(says, data.report.paragraph())


@pytest.mark.parametrize(("name", "why"), REFUSED, ids=[r[0] for r in REFUSED])
def test_it_is_refused_with_a_way_out(name, why):
    with pytest.raises(DataError, match=why) as caught:
        read(name)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_missing_attributes_are_missing_and_coded_ages_named():
    data = read("always-one.csv")
    assert data.users["a"].demographics() == {"age": "1", "gender": "F"}
    assert data.users["b"].demographics() == {"age": "56", "gender": "M"}
    text = data.report.paragraph()
    assert "left out: 1 row without user_id (row 5)" in text
    assert "the ages are the codes of MovieLens" in text
    assert "attributes of 2 of them" in text
    assert "are the ids the same?" not in text
    assert "attributes of 0 of them" in (text := read("latin-1.csv").report.paragraph())
    assert "no user with a like is in the table of users: are the ids the same?" in text


def test_every_file_is_in_the_documents_table_and_in_a_test():
    files = {path.name for path in KINDS.iterdir()}
    assert files == {name for name, *_ in [*READ, *REFUSED]} | {"items.csv", "users.csv"}
    text = DOCS.read_text(encoding="utf-8")
    assert {name for name in files if f"`{name}`" not in text} == set()
