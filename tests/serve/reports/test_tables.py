"""Tables of reports as CSV: what is exported is text, whatever spreadsheet opens it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.reports.tables import as_csv


def cells(*texts):
    """Cells of one column, as they are read again."""
    text = as_csv([{"text": one} for one in texts]).decode("utf-8-sig")
    return [row["text"] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "  '@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("a gift; =1+1; -2", "a gift; '=1+1; '-2"),
        ("a gift;=HYPERLINK(1)", "a gift;'=HYPERLINK(1)"),
        ('a gift;"=1"', 'a gift;"\'=1"'),
        ("a gift\t+1", "a gift\t'+1"),
        ("a gift\r\n=1", "a gift\r\n'=1"),
        ("under 20 - or 30; a=b, -5", "under 20 - or 30; a=b, -5"),
        (["a gift", "=1+1"], "a gift; '=1+1"),
        (-5, "-5"),
        (None, ""),
    ],
    ids=range(12),
)
def test_no_part_of_a_text_begins_a_formula(text, cell):
    assert cells(text) == [cell]


@given(st.text(alphabet="=+-@＝a;, \t\n\"'", max_size=12))
def test_wherever_a_spreadsheet_splits_a_text_no_part_begins_with_a_sign(text):
    (cell,) = cells(text)
    for split in (";", "\t", "\n", "\r"):
        assert not any(part.strip(' \t\n\r"')[:1] in tuple("=+-@＝") for part in cell.split(split))
    assert cell.replace("'", "") == text.replace("'", "")
