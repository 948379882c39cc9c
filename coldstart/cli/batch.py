"""``coldstart batch``: recommendations for every user of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import ProgressColumn, Task
from rich.text import Text

from coldstart.cli import output
from coldstart.cli.artifact import folder_of
from coldstart.cli.options import with_groups
from coldstart.cli.recommend import Model
from coldstart.errors import ConfigError
from coldstart.schema import Strategy

_WHAT, _HOW = "Lists", "Execution"


class _Speed(ProgressColumn):
    """Progress column: users per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} users/s")


@with_groups
def batch(
    users: Annotated[
        Path,
        typer.Option(
            help="Table with a column user_id: .parquet, .csv, .tsv, .jsonl or .ndjson. Columns "
            "age, gender, occupation, location, language (or userId, sex, …, as for coldstart "
            "train), about, history, interests, liked, disliked, seen, time, device, place, "
            "occasion, text, viewing are what they are in a profile or context (lists, or texts "
            "with | or ; or commas between entries); any other column is an attribute.",
            metavar="FILE",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for the parts; shards may share it.", metavar="FOLDER")
    ],
    model: Model,
    k: Annotated[
        int,
        typer.Option("-k", "--k", min=1, max=1000, help="Items per list.", rich_help_panel=_WHAT),
    ] = 10,
    strategy: Annotated[
        Strategy,
        typer.Option(help="As for coldstart recommend.", rich_help_panel=_WHAT),
    ] = "catalog",
    diversity: Annotated[
        float,
        typer.Option(min=0, max=1, help="As for coldstart recommend.", rich_help_panel=_WHAT),
    ] = 0.0,
    popularity_penalty: Annotated[
        float,
        typer.Option(min=0, max=10, help="As for coldstart recommend.", rich_help_panel=_WHAT),
    ] = 0.0,
    reasons: Annotated[
        bool,
        typer.Option("--reasons", help="Also write each item's reason.", rich_help_panel=_WHAT),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, rich_help_panel=_WHAT)] = 0,
    size: Annotated[int, typer.Option(min=1, help="Users per part.", rich_help_panel=_HOW)] = 1000,
    shard: Annotated[
        str,
        typer.Option(
            help="Compute one of n shards of the parts: 0/4, 1/4, 2/4, 3/4, one per machine.",
            metavar="I/N",
            rich_help_panel=_HOW,
        ),
    ] = "0/1",
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes (or Ray actors).", rich_help_panel=_HOW)
    ] = 1,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="ray: actors of a Ray cluster.", rich_help_panel=_HOW),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="Address of the Ray cluster; by default a local one is started.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    gpus: Annotated[float, typer.Option(min=0, help="Per Ray actor.", rich_help_panel=_HOW)] = 0.0,
    as_json: output.AsJson = False,
) -> None:
    """Recommend to every user of a table, of any size.

    Writes Parquet files of 1000 users each, with a list of (rank, item_id, title, score) per user,
    and notes and errors where there are any. An interrupted run is resumed by the same command,
    with the same output. Every part is checked (hash, rows, users) before _SUCCESS.json is written;
    damaged ones are written again.

    [bold]Examples[/bold]
      coldstart batch --users users.parquet --out out/ --strategy prior --jobs 2
      coldstart batch --users users.parquet --out shared/ --shard 2/8      # one of eight machines
      coldstart batch --users users.parquet --out shared/ --engine ray --address auto --jobs 8
    """
    from coldstart.batch import BatchOptions, run_batch

    options = BatchOptions(k, strategy, diversity, popularity_penalty, reasons, seed)
    folder = folder_of(model.artifact, model.revision)
    with output.progress(_Speed()) as bars:
        bar = bars.add_task("users", total=None)
        made = run_batch(
            folder,
            users,
            out,
            options,
            size=size,
            shard=_shard(shard),
            jobs=jobs,
            engine=engine,
            address=address,
            gpus=gpus,
            device=model.device,
            dtype=model.dtype,
            generator=model.served(),
            report=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    found: dict[str, object] = {"out": str(out), "users": made.users, "already_there": made.skipped}
    if made.errors is None:
        found["parts_of_other_shards_missing"] = made.missing
    else:
        found["users_without_a_list"] = made.errors
        found["picks_left_out"] = made.left_out
    if made.damaged:
        found["damaged_parts_written_again"] = made.damaged
    found["seconds"] = round(made.seconds, 1)
    if as_json:
        return output.emit(found)
    output.note(made.read)
    output.stdout().print(output.facts(found))
    if made.errors:
        output.note("why they have none is in the column error")
    if made.left_out:
        output.note("which picks were left out is in the column notes")


def _shard(text: str) -> tuple[int, int]:
    index, slash, of = text.partition("/")
    try:
        if not slash:
            raise ValueError
        return int(index), int(of)
    except ValueError:
        raise ConfigError(f"--shard {text!r}", hint="I/N, such as 0/4") from None
