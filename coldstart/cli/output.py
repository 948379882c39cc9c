"""Console output: results on stdout; notes, progress bars and errors on stderr."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.status import Status
from rich.table import Table
from rich.text import Text

T = TypeVar("T")
_QUIET = ContextVar("quiet", default=False)
_LOG = logging.getLogger("coldstart")
_PIPE_WIDTH = 120

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text for people.")
]


def stdout() -> Console:
    """Console for results, without markup: a title such as "[REC]" is printed as it is."""
    return _console(stderr=False)


def stderr() -> Console:
    """Console for everything but results."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    narrow = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        stderr=stderr,
        width=None if narrow else _PIPE_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )


def emit(data: object) -> None:
    """Print one JSON document; NaN and infinity become null."""
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    text = json.dumps(
        _finite(data), ensure_ascii=ascii_only, indent=2, allow_nan=False, default=str
    )
    sys.stdout.write(text + "\n")


def _finite(data: object) -> object:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(name): _finite(value) for name, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data


def table(*columns: str, right: Iterable[str] = (), title: str | None = None) -> Table:
    """Create an empty table.

    Args:
        columns: headings.
        right: headings of numeric columns: right-aligned, not wrapped.
        title: printed above.
    """
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    numbers = set(right)
    for name in columns:
        if name in numbers:
            made.add_column(name, justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold")
    return made


def dim(text: str) -> None:
    """Print a dimmed line below a result."""
    stdout().print(Text(text, style="dim"), soft_wrap=True)


def verbatim(text: str) -> None:
    """Print text unchanged, without wrapping."""
    sys.stdout.write(text)


def facts(data: Mapping[str, Any], most: int = 12) -> Table:
    """Format nested data as a grid of names and values.

    Args:
        data: the data; nested mappings are indented.
        most: maximum length of a list; longer ones are shown as their length.
    """
    made = Table.grid(padding=(0, 2))
    for name, value in data.items():
        _add_fact(made, name, value, most, 0)
    return made


def _add_fact(made: Table, name: str, value: object, most: int, depth: int) -> None:
    label = Text("  " * depth + name, style="" if depth else "bold")
    if isinstance(value, Mapping) and value:
        made.add_row(label, "")
        for inner, content in value.items():
            _add_fact(made, str(inner), content, most, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        for row in value:
            figures = ", ".join(f"{n} {_fact(v, most)}" for n, v in row.items())
            made.add_row(label, figures)
            label = Text("")
    else:
        made.add_row(label, _fact(value, most))


def _fact(value: object, most: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) if len(value) <= most else f"{len(value)} entries"
    return str(value)


@contextmanager
def quiet(wanted: bool = True) -> Iterator[None]:
    """Leave out notes, spinners and progress bars; results and errors stay."""
    before = _QUIET.set(wanted or _QUIET.get())
    try:
        yield
    finally:
        _QUIET.reset(before)


def is_quiet() -> bool:
    """Whether notes and progress are left out."""
    return _QUIET.get()


def note(text: str) -> None:
    """Print a note on stderr, unless ``quiet``."""
    if is_quiet():
        return
    stderr().print(Text(text, style="dim"), soft_wrap=True)


def error(message: str, hint: str = "") -> None:
    """Print an error on stderr, in one line without control characters."""
    whole = message.rstrip(".") + (f" (hint: {hint})" if hint else "")
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", whole).split())
    stderr().print(Text.assemble(("error: ", "bold red"), line), soft_wrap=True)


def status(text: str) -> Status:
    """Spinner on stderr; invisible if stderr is not a terminal, or ``quiet``."""
    console = Console(quiet=True) if is_quiet() else stderr()
    return console.status(Text(text, style="dim"))


def progress(*more: ProgressColumn) -> Progress:
    """Progress bars with the remaining time on stderr; off if that is no terminal, or ``quiet``."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:", style="dim"),
        TimeRemainingColumn(),
        *more,
        console=stderr(),
        disable=is_quiet() or not sys.stderr.isatty(),
    )


@contextmanager
def telling() -> Iterator[Callable[[str, int, int], None]]:
    """Progress callback (what, done, total) with one bar per name."""
    with progress() as bars:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield tell


def track(things: list[T], what: str) -> Iterable[T]:
    """Iterate with a progress bar, unless there is only one element."""
    if len(things) < 2:
        yield from things
        return
    with progress() as bars:
        yield from bars.track(things, description=what)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def set_up() -> None:
    """Route coldstart's log messages to stderr, and silence warnings of its dependencies."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # unsupported characters are printed as "?"
    if not sys.warnoptions:
        warnings.filterwarnings(
            "ignore", module=r"(transformers|peft|torch|sentence_transformers)\b"
        )
    if not any(isinstance(handler, _Notes) for handler in _LOG.handlers):
        _LOG.addHandler(_Notes())
    _LOG.setLevel(logging.INFO)
    # Training prints its metrics through its progress callback.
    logging.getLogger("coldstart.training").setLevel(logging.WARNING)
