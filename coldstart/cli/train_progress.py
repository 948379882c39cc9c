"""Progress of a training: bars on a terminal, plain lines elsewhere, a line per epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.progress import TaskID, TextColumn

from coldstart.cli import output

EVERY = 60.0
"""Seconds between two lines on a stage, where there are no bars."""

_NAMES = {
    "train": "language model",
    "trees": "trees over what users like",
    "ranker": "weights of the language model",
    "encoder": "request encoder",
    "texts": "vectors of requests",
    "head": "vectors of items",
    "blend": "weights of requests",
    "reading": "reading sentences",
    "compare": "comparison on held-out users",
}
_PICKS = {"valid_ndcg@10_k0": "without picks", "valid_ndcg@10_k5": "with five"}


@dataclass
class _Stage:
    """How far a stage is."""

    label: str
    started: float
    first: int
    done: int = 0
    total: int | None = None
    told: float = 0.0
    losses: list[float] = field(default_factory=list)


class TrainingProgress:
    """Progress reports of every form of training, for people, on stderr.

    On a terminal each stage has a bar with the time that is left. Elsewhere, such as in a log, a
    line says when a stage has ended, and one a minute how far it is.

    Args:
        epochs: most epochs of the language model.
        patience: epochs without improvement after which it stops.
        clock: seconds, rising.
    """

    def __init__(
        self, epochs: int = 0, patience: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._epochs, self._patience, self._clock = epochs, patience, clock
        self._bars = output.progress(TextColumn("{task.fields[figures]}", style="dim"))
        self._on_terminal = sys.stderr.isatty()
        self._tasks: dict[str, TaskID] = {}
        self._stages: dict[str, _Stage] = {}
        self.started = clock()

    def __enter__(self) -> TrainingProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return self._clock() - self.started

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Handle one progress report of ``coldstart.training``."""
        stage = str(event.get("stage", "train"))
        if stage == "epoch":
            self._line(self._ranked(event))
        elif "step" in event:
            self._step(stage, event)
        elif "valid_loss" in event:
            self._line(self._read(event))

    def _step(self, name: str, event: Mapping[str, Any]) -> None:
        step, steps = int(event["step"]), event.get("steps")
        done, total, label = step, steps, _NAMES.get(name, name)
        if "epoch" in event:
            # The language model counts epochs from 0, all others from 1.
            epoch = int(event["epoch"]) + (name == "train")
            epochs = int(event.get("epochs", self._epochs))
            label = f"{label}, epoch {epoch} of {epochs}" if epochs else f"{label}, epoch {epoch}"
            if steps and epochs:
                done, total = (epoch - 1) * steps + step, epochs * steps
        before = self._stages.get(name)
        now = self._clock()
        if before is None or done < before.done:  # begun, or once more
            self._stages[name] = before = _Stage(label, now, done, told=now)
            self._tasks.pop(name, None)
        before.label, before.done, before.total = label, done, total
        if "loss" in event:
            before.losses.append(float(event["loss"]))
        self._move(name, before)
        if name == "encoder" and step == steps:
            self._line(f"{label}: loss {sum(before.losses) / len(before.losses):.3f}")
            before.losses.clear()

    def _move(self, name: str, stage: _Stage) -> None:
        if self._on_terminal:
            figures = f"loss {stage.losses[-1]:.3f}" if stage.losses else ""
            if name not in self._tasks:
                # Starts at ``done``: steps of an interrupted run would distort the speed.
                self._tasks[name] = self._bars.add_task(
                    stage.label, total=stage.total, completed=stage.done, figures=figures
                )
            self._bars.update(
                self._tasks[name],
                completed=stage.done,
                total=stage.total,
                description=stage.label,
                figures=figures,
            )
            return
        now, plain = self._clock(), stage.label.partition(",")[0]
        if stage.done == stage.total:
            if now - stage.started < 1:
                return  # a log of what took no time says nothing
            output.note(f"{plain}: done in {duration(now - stage.started)}")
        elif stage.total and now - stage.told >= EVERY:
            stage.told = now
            share = stage.done / stage.total
            left = (now - stage.started) / max(1, stage.done - stage.first)
            rest = duration(left * (stage.total - stage.done))
            output.note(f"{stage.label}: {share:.0%}, about {rest} left")

    def _line(self, text: str) -> None:
        if output.is_quiet():
            return
        if self._on_terminal:
            self._bars.console.print(text, soft_wrap=True)
        else:
            output.note(text)

    def _ranked(self, event: Mapping[str, Any]) -> str:
        """An epoch of the language model: how well it ranks for held-out users."""
        values = [f"{event[name]:.3f} {words}" for name, words in _PICKS.items() if name in event]
        figures = f"NDCG@10 {', '.join(values)}" if values else f"loss {event['valid_loss']:.3f}"
        name, epoch, best = _NAMES["train"], int(event["epoch"]), int(event["best_epoch"])
        if epoch == 0:
            return f"{name}, before training: {figures}"
        took = f", {duration(event['seconds'])}" if "seconds" in event else ""
        text = f"{name}, epoch {epoch} of {self._epochs}{took}: {figures}; {_rank(epoch, best)}"
        more = self._patience - (epoch - best)
        if best == epoch or epoch >= self._epochs or not self._patience:
            return text
        return f"{text}, " + (f"stops after {more} more like this" if more > 0 else "stops here")

    def _read(self, event: Mapping[str, Any]) -> str:
        """An epoch of reading: how well it labels held-out sentences."""
        epoch, best = int(event["epoch"]), int(event["best_epoch"])
        start = f"{_NAMES['reading']}, epoch {epoch} of {event['epochs']}"
        return f"{start}: loss {event['valid_loss']:.3f} on held-out ones; {_rank(epoch, best)}"


def _rank(epoch: int, best: int) -> str:
    return "the best so far" if epoch == best else f"no better than epoch {best}"


def duration(seconds: float) -> str:
    """Such as "32 s", "4 min 5 s" or "1 h 12 min"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
