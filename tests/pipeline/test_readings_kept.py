"""Readings of texts are kept for the next event of a session, and dropped on demand."""

from __future__ import annotations

from tests.toy import toy_recommender


def test_readings_are_kept_until_they_are_unused_or_dropped():
    stage = toy_recommender().pipeline.understand
    first, second = stage.read("no drama"), stage.read("science fiction")
    assert stage.read("no drama") is first
    stage.forget(unused=True)
    assert stage.read("no drama") is first
    stage.forget(unused=True)
    again = stage.read("science fiction")
    assert again == second
    assert again is not second
    stage.forget()
    assert stage.read("no drama") is not first
