"""Progress of encoding a catalog, and the warning of hours."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from coldstart.encoding.ngram_encoder import NgramEncoder
from coldstart.starting import encoding_progress
from coldstart.starting.encoding_progress import ReportingEncoder


class Clock:
    """A clock that moves when texts are encoded."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


class SlowEncoder:
    """Encoder that takes a while for each text."""

    name = "slow"

    def __init__(self, clock, seconds):
        self._clock, self._seconds = clock, seconds

    def encode(self, texts):
        self._clock.now += self._seconds * len(texts)
        return np.ones((len(texts), 2), dtype=np.float32)


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(encoding_progress, "time", made)
    return made


def encoded(encoder, total, caplog, items=2048):
    seen = []
    with caplog.at_level(logging.WARNING, logger="coldstart"):
        reporting = ReportingEncoder(encoder, total, lambda *args: seen.append(args))
        shapes = [reporting.encode_items(["x"] * (items // 2)).shape for _ in range(2)]
    assert shapes == [(items // 2, 2)] * 2 or isinstance(encoder, NgramEncoder)
    assert seen[-1] == ("reading the items", items, total)
    return [record.getMessage() for record in caplog.records]


def test_hours_are_told_from_the_speed_of_the_first_items(clock, caplog):
    (said,) = encoded(SlowEncoder(clock, 0.0125), 1_000_000, caplog)
    assert said.startswith("encoding 1,000,000 items takes about 3 h 28 min more, at the 80 items")
    assert "--encoder ngrams" in said


@pytest.mark.parametrize(("seconds", "total"), [(0.0125, 10_000), (1e-6, 1_000_000)])
def test_minutes_are_not_worth_a_warning(clock, caplog, seconds, total):
    assert encoded(SlowEncoder(clock, seconds), total, caplog) == []


def test_what_is_suggested_does_not_suggest_itself(clock, caplog, monkeypatch):
    monkeypatch.setattr(encoding_progress, "_LONG", 0.0)
    assert encoded(NgramEncoder(), 1_000_000, caplog) == []
