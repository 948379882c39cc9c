"""``coldstart catalog``: validate catalog files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from coldstart.cli import output

app = typer.Typer(no_args_is_help=True, help="Validate catalog files.")
_STYLE = {"error": "bold red", "warning": "yellow", "info": "dim"}


@app.callback()
def _group() -> None:
    """Make ``check`` a subcommand even though it is the only one."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSON lines.")],
    as_json: output.AsJson = False,
) -> None:
    """Find duplicates, empty titles, encoding errors and the like; exit code 2 if invalid.

    Required are a column of ids and one of titles; row 1 is the header.

    [bold]Examples[/bold]
      coldstart catalog check films.csv
      coldstart catalog check products.jsonl --json
      coldstart catalog check films.csv && coldstart train --items films.csv …
    """
    from coldstart.data.check import check_table
    from coldstart.tabular.rows import rows_text

    problems = check_table(file)
    counts = Counter(p.level for p in problems)
    if as_json:
        found = [asdict(p) for p in problems]
        output.emit({"file": str(file), "ok": not counts["error"], "problems": found})
    else:
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
