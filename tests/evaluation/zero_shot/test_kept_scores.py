"""Scores that are kept between runs: found again, repaired, and no more than fit."""

from __future__ import annotations

import os

import numpy as np

from coldstart.evaluation.zero_shot import model
from coldstart.evaluation.zero_shot.model import KeptScores

SCORES = np.arange(100, dtype=np.float64)


def refuse():
    raise AssertionError("made again")


def test_scores_are_made_once_and_again_if_damaged(tmp_path):
    kept = KeptScores(tmp_path, "a model")
    assert kept.of(("a text",), lambda: SCORES).tolist() == SCORES.tolist()
    assert kept.of(("a text",), refuse).tolist() == SCORES.tolist()
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"damaged")
    assert kept.of(("a text",), lambda: SCORES + 1)[0] == 1


def test_what_was_not_used_for_longest_makes_room(tmp_path, monkeypatch):
    kept = KeptScores(tmp_path, "a model")
    for n, text in enumerate(("first", "second", "third")):
        before = {*tmp_path.iterdir()}
        kept.of((text,), lambda: SCORES)
        (file,) = {*tmp_path.iterdir()} - before
        os.utime(file, (1_000 + n, 1_000 + n))
    monkeypatch.setattr(model, "MOST_KEPT_BYTES", 3 * file.stat().st_size)
    kept.of(("first",), refuse)  # used now
    kept.of(("fourth",), lambda: SCORES)
    for text in ("first", "third", "fourth"):
        kept.of((text,), refuse)
    assert len([*tmp_path.iterdir()]) == 3
    assert kept.of(("second",), lambda: SCORES + 1)[0] == 1
