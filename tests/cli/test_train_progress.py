"""Progress of a training, on a terminal and in a log."""

from __future__ import annotations

import io
import sys

import pytest

from coldstart.cli import output
from coldstart.cli.train_progress import EVERY, TrainingProgress, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def epoch(number, best, **figures):
    return {"stage": "epoch", "epoch": number, "best_epoch": best, "valid_loss": 2.5, **figures}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (275, "4 min 35 s"),
        (3600, "1 h 0 min"),
        (9e4, "25 h 0 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_log_has_a_line_a_minute_and_one_at_the_end(clock, capsys):
    with TrainingProgress(clock=clock) as progress:
        for step in range(1, 11):
            clock.now += EVERY / 4
            progress({"stage": "trees", "step": step, "steps": 10})
    assert capsys.readouterr().err.splitlines() == [
        "trees over what users like: 50%, about 1 min 15 s left",
        "trees over what users like: 90%, about 15 s left",
        "trees over what users like: done in 2 min 15 s",
    ]


def test_the_time_left_of_a_resumed_run_is_that_of_its_own_steps(clock, capsys):
    progress = TrainingProgress(10, clock=clock)
    progress({"stage": "train", "epoch": 4, "step": 10, "steps": 20})  # 90 of 200 were done before
    clock.now = 2 * EVERY
    progress({"stage": "train", "epoch": 5, "step": 10, "steps": 20})
    line = "language model, epoch 6 of 10: 55%, about 9 min 0 s left"
    assert capsys.readouterr().err.splitlines() == [line]


def test_a_stage_that_comes_again_is_timed_again(clock, capsys):
    progress = TrainingProgress(clock=clock)
    for _ in range(2):
        for step in (1, 2):
            clock.now += 10
            progress({"stage": "head", "epoch": 1, "epochs": 1, "step": step, "steps": 2})
    assert capsys.readouterr().err.splitlines() == ["vectors of items: done in 10 s"] * 2


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (epoch(0, 0, **{"valid_ndcg@10_k0": 0.1}), "before training: NDCG@10 0.100 without picks"),
        (
            epoch(1.0, 1, seconds=61.0, **{"valid_ndcg@10_k0": 0.1, "valid_ndcg@10_k5": 0.2}),
            "epoch 1 of 6, 1 min 1 s: NDCG@10 0.100 without picks, 0.200 with five; "
            "the best so far",
        ),
        (epoch(3, 2), "epoch 3 of 6: loss 2.500; no better than epoch 2, stops after 1 more like "
                      "this"),
        (epoch(4, 2), "epoch 4 of 6: loss 2.500; no better than epoch 2, stops here"),
        (epoch(6, 5), "epoch 6 of 6: loss 2.500; no better than epoch 5"),
    ],
)  # fmt: skip
def test_an_epoch_in_plain_terms(clock, capsys, event, text):
    TrainingProgress(6, 2, clock=clock)(event)
    assert capsys.readouterr().err == f"language model, {text}\n"


def test_quiet(clock, capsys):
    with output.quiet():
        progress = TrainingProgress(2, 1, clock=clock)
        progress(epoch(1, 1))
        progress({"stage": "trees", "step": 1, "steps": 1})
        with output.status("waiting"):
            pass
    assert capsys.readouterr().err == ""
    progress(epoch(1, 1))
    assert "the best so far" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bars_with_the_time_left_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with TrainingProgress(2, 1) as progress:
        progress({"stage": "train", "epoch": 0, "step": 1, "steps": 2, "loss": 0.5})
        progress({"stage": "train", "epoch": 0, "step": 2, "steps": 2, "loss": 0.25})
        progress(epoch(1, 1, **{"valid_ndcg@10_k0": 0.4}))
    shown = screen.getvalue()
    assert "language model, epoch 1 of 2" in shown
    assert "2/4" in shown
    assert "left:" in shown
    assert "loss 0.250" in shown
    assert "NDCG@10 0.400 without picks; the best so far" in shown
    assert "done in" not in shown
