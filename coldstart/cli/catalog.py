"""``coldstart catalog``: validate catalog files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from coldstart.cli import output
from coldstart.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Validate catalog files.")
_STYLE = {"error": "bold red", "warning": "yellow", "info": "dim"}


@app.callback()
def _group() -> None:
    """Make ``check`` a subcommand even though it is the only one."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSON lines.")],
    columns: Annotated[
        str | None,
        typer.Option(help="Columns that are not recognised by name.", metavar="FIELD=COLUMN,…"),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Tell what is read, and find duplicates, empty titles, encoding errors and the like.

    The exit code is 2 if the file is invalid. Required are a column of ids and one of titles; row 1
    is the header.

    [bold]Examples[/bold]
      coldstart catalog check films.csv
      coldstart catalog check products.jsonl --json
      coldstart catalog check products.csv --columns item_id=sku,title=label
      coldstart catalog check films.csv && coldstart train --items films.csv …
    """
    from coldstart.catalog.frames import rows_text
    from coldstart.data.check import check_catalog

    checked = check_catalog(file, _columns(columns))
    problems = checked.problems
    counts = Counter(p.level for p in problems)
    if as_json:
        found = [asdict(p) for p in problems]
        read = list(checked.read)
        output.emit({"file": str(file), "ok": not counts["error"], "read": read, "problems": found})
    else:
        if checked.read:
            output.stdout().print(f"{file}: {'; '.join(checked.read)}.", soft_wrap=True)
        table = output.table("Level", "Where", "What", "Hint")
        for p in problems:
            where = rows_text(p.rows) if p.rows else "file"
            table.add_row(Text(p.level, style=_STYLE[p.level]), where, p.what, p.hint)
        if problems:
            output.stdout().print(table)
        verdict = "unfit to be a catalog" if counts["error"] else "fit to be a catalog"
        summary = ", ".join(f"{n} × {level}" for level, n in counts.items())
        output.stdout().print(f"{file}: {verdict}" + (f" ({summary})" if summary else ""))
    if counts["error"]:
        raise typer.Exit(2)


def _columns(text: str | None) -> dict[str, str]:
    """Parse ``field=column,…``."""
    out: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not (field and equals and column):
            raise ConfigError(f"--columns {text!r}", hint="FIELD=COLUMN,…, such as title=label")
        out[field] = column
    return out
