"""Readings of texts are kept for the next event of a session, and dropped on demand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from coldstart.understanding.reader import RequestReader
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


def test_a_reading_that_is_under_way_while_others_are_dropped_is_not_kept(monkeypatch):
    stage = toy_recommender().pipeline.understand
    stage.read("science fiction")
    read = RequestReader.read

    def erased_meanwhile(self, text):
        found = read(self, text)
        stage.forget()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(RequestReader, "read", erased_meanwhile)
        first = stage.read("no drama")
    again = stage.read("no drama")
    assert again == first
    assert again is not first


def test_threads_may_read_and_drop_at_once(monkeypatch):
    monkeypatch.setattr("coldstart.pipeline.understand._CACHED", 5)
    stage = toy_recommender().pipeline.understand

    def read(n):
        stage.forget(unused=bool(n % 3))
        return stage.read(f"no drama, {n % 11}").text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(read, range(400)))
    assert texts == [f"no drama, {n % 11}" for n in range(400)]
