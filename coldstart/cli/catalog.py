"""``coldstart catalog``: validate catalog files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from coldstart.cli import output
from coldstart.cli.options import in_options
from coldstart.cli.source import column_pairs

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
        typer.Option(
            help="Columns that are not recognised by name, such as item_id=sku,title=label; "
            "year= for none.",
            metavar="FIELD=COLUMN,…",
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of a text file, such as latin-1; recognised if left out.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Between fields of a text file; recognised if left out.")
    ] = None,
    quotes: Annotated[
        Literal["auto", "csv", "literal"],
        typer.Option(help='What " means in a text file; literal: a character.'),
    ] = "auto",
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
    from coldstart.data.check import check_catalog
    from coldstart.tabular.reading import TextOptions
    from coldstart.tabular.report import paragraph_of
    from coldstart.tabular.rows import rows_text

    checked = check_catalog(file, column_pairs(columns), TextOptions(encoding, separator, quotes))
    problems = checked.problems
    counts = Counter(p.level for p in problems)
    if as_json:
        found = [asdict(p) for p in problems]
        read = checked.report.sentences() if checked.report else []
        output.emit({"file": str(file), "ok": not counts["error"], "read": read, "problems": found})
    else:
        if checked.report:
            output.stdout().print(paragraph_of(checked.report.sentences()), soft_wrap=True)
        table = output.table("Level", "Where", "What", "Hint")
        for p in problems:
            where = rows_text(p.rows) if p.rows else "file"
            level = Text(p.level, style=_STYLE[p.level])
            table.add_row(level, where, in_options(p.what), in_options(p.hint))
        if problems:
            output.stdout().print(table)
        verdict = "unfit to be a catalog" if counts["error"] else "fit to be a catalog"
        summary = ", ".join(f"{n} × {level}" for level, n in counts.items())
        output.stdout().print(f"{file}: {verdict}" + (f" ({summary})" if summary else ""))
    if counts["error"]:
        raise typer.Exit(2)
