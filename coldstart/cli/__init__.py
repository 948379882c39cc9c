"""Command line interface ``coldstart …``: thin commands over the package's public functions."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from coldstart import __version__
from coldstart.cli import output
from coldstart.cli.audit import audit
from coldstart.cli.batch import batch
from coldstart.cli.benchmark import benchmark
from coldstart.cli.catalog import app as catalog
from coldstart.cli.evaluate import evaluate
from coldstart.cli.export import export
from coldstart.cli.fetch import fetch
from coldstart.cli.generate import generate
from coldstart.cli.info import info
from coldstart.cli.log import log
from coldstart.cli.options import in_options
from coldstart.cli.plot import plot
from coldstart.cli.prompts import app as prompts
from coldstart.cli.push import push
from coldstart.cli.recommend import recommend
from coldstart.cli.replay import replay
from coldstart.cli.serve import app as serve
from coldstart.cli.start import start
from coldstart.cli.train import train
from coldstart.errors import ColdstartError

__all__ = ["app", "main"]

app = typer.Typer(
    name="coldstart",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_USE, _MAKE, _LOOK = "Recommend", "Make your own", "Look inside"
app.command(rich_help_panel=_USE)(recommend)
app.command(rich_help_panel=_USE)(generate)
app.command(rich_help_panel=_USE)(batch)
app.add_typer(serve, name="serve", rich_help_panel=_USE)
app.command(rich_help_panel=_MAKE)(start)
app.command(rich_help_panel=_MAKE)(fetch)
app.command(rich_help_panel=_MAKE)(train)
app.command(rich_help_panel=_MAKE)(evaluate)
app.command(rich_help_panel=_MAKE)(audit)
app.command(rich_help_panel=_MAKE)(benchmark)
app.command(rich_help_panel=_MAKE)(replay)
app.command(rich_help_panel=_MAKE)(log)
app.command(rich_help_panel=_MAKE)(plot)
app.command(rich_help_panel=_MAKE)(export)
app.command(rich_help_panel=_MAKE)(push)
app.command(rich_help_panel=_LOOK)(info)
app.add_typer(catalog, name="catalog", rich_help_panel=_LOOK)
app.add_typer(prompts, name="prompts", rich_help_panel=_LOOK)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coldstart {__version__}")
        raise typer.Exit


@app.callback()
def _coldstart(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Recommend to new users, from attributes, a few picks or free text.

    [bold]Start here[/bold]
      coldstart fetch
      coldstart recommend --age 24 --occupation technician --liked "Toy Story"
      coldstart start my-items.csv --open

    Every command explains itself: coldstart recommend --help
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for invalid input, 130 for Ctrl-C."""
    output.set_up()
    try:
        code = _run(sys.argv[1:] if args is None else list(args))
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; nothing may be flushed at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    return code


def _run(args: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        return int(command.main(args, prog_name="coldstart", standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        raise
    except Exception as e:
        return _explain(e)


def _explain(e: Exception) -> int:
    """Print an error in one line; returns the exit code."""
    if os.environ.get("COLDSTART_DEBUG"):
        traceback.print_exception(e)
    if isinstance(e, ColdstartError):
        output.error(in_options(e.message), in_options(e.hint))
    elif hasattr(e, "format_message"):  # typer's usage errors share no public base class
        message, context = e.format_message(), getattr(e, "ctx", None)
        if message.strip():  # empty after `no_args_is_help` has printed the help
            command = context.command_path if context else "coldstart"
            output.error(message, f"see {command} --help")
    elif isinstance(e, OSError):
        output.error(f"{e.filename}: {e.strerror}" if e.filename else str(e))
    else:
        hint = "this is a bug in coldstart; COLDSTART_DEBUG=1 shows where"
        output.error(f"{type(e).__name__}: {e}", hint)
        return 1
    return 2
