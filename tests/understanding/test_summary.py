"""The summary of a reading, for the user to check."""

from __future__ import annotations

import pytest

from coldstart.schema import Understood
from coldstart.understanding.summary import summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Nothing was said yet."),
        ("no horror", "Understood: not wanted: Horror."),
        ("comedies or westerns", "Understood: wanted: Comedy or Western."),
        ("animated comedy", "Understood: wanted: Animation, Comedy."),
        ("something gentle", "Understood: wanted: gentle."),
        ("I hate violence", "Understood: not wanted: violent."),
        ("from 1950 to 1959", "Understood: years: 1950 to 1959."),
        ("not from the 80s", "Understood: years: not 1980 to 1989."),
        ("I loved Heat and hated Titanic", "Understood: liked: Heat; not liked: Titanic."),
        ("for my five-year-old", "Understood: for an audience from age: 5."),
    ],
)
def test_a_reading_is_summed_up(reader, text, expected):
    assert summary(reader.read(text)) == expected


def test_nothing_understood_is_said(reader):
    assert summary(reader.read("asdf")).startswith("None of these words")
    assert summary(reader.read("asdf"), "zh").startswith("这些词里没有")


def test_a_chinese_summary(reader):
    read = reader.read("我想看喜剧,不要恐怖片")
    assert summary(read, "zh") == "已理解：想要：Comedy；不要：Horror。"


def test_what_was_not_read_is_said():
    assert "the last 7 characters were not read" in summary(Understood(text="x", unread=7))
