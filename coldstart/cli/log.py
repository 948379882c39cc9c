"""``coldstart log``: online metrics and off-policy estimates from an interaction log."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import Annotated

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line, in_options, whole_numbers
from coldstart.cli.source import catalog_option
from coldstart.errors import ConfigError

_EARNED, _TARGET = "Online metrics", "Off-policy evaluation"


def log(
    file: Annotated[
        Path,
        typer.Argument(
            help="Table of user_id, item_id, rank, clicked; one row per shown item.", metavar="LOG"
        ),
    ],
    k: Annotated[
        str,
        typer.Option("-k", "--k", help="Rank cut-offs.", metavar="K,K,…", rich_help_panel=_EARNED),
    ] = "1,5,10",
    items: Annotated[
        Path | None,
        typer.Option(
            help="Table of item_id, title, and value if the log has none; also for coverage.",
            metavar="FILE",
            rich_help_panel=_EARNED,
        ),
    ] = None,
    cost: Annotated[
        float | None,
        typer.Option(
            help="Of showing one item, in the currency of the values; for profit and ROI.",
            rich_help_panel=_EARNED,
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            help="Target policy: table of item_id, probability and its conditions: user_id, "
            "request_id, rank. Or a list: item_id, rank. The log needs the column propensity.",
            metavar="FILE",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            help="Largest weight of clipped IPS; √rows if left out.", rich_help_panel=_TARGET
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap and the reward model.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Write PATH.md, PATH.html and PATH.json.", metavar="PATH"),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    r"""Evaluate a log of shown recommendations: clicks, sales, and estimates for another policy.

    CTR@k with 95 % intervals over users; conversion rate if the log has the column converted;
    revenue, profit and ROI if there are values; coverage if there are items. With --target, the
    column propensity (probability of the item at this rank under the logging policy) and the target
    policy's probabilities give off-policy estimates: IPS, SNIPS, doubly robust.

    Optional columns: converted, value, propensity, timestamp, request_id.

    [bold]Examples[/bold]
      coldstart log examples/log.csv -k 1,3
      coldstart log examples/log.csv --items examples/items.csv --cost 0.05
      coldstart log examples/log.csv -k 3 --target examples/target.csv --out shown
      coldstart log shown.parquet --target policy.parquet --clip 20 --json
    """
    ks = whole_numbers("-k", k)
    if clip is not None and target is None:
        raise ConfigError("--clip without --target", hint="it bounds the weights of a target")
    from coldstart.evaluation.off_policy.logged_feedback import InteractionLog
    from coldstart.evaluation.off_policy.report import make_log_report
    from coldstart.evaluation.off_policy.target_policy import Target

    catalog, read = catalog_option(items)
    with output.status("reading the log"):
        logged = InteractionLog.load(file, catalog)
        policy = Target.load(target) if target else None
    options = {"k": k, "items": items, "cost": cost, "target": target, "clip": clip}
    options |= {"seed": seed, "out": out}
    about = {
        "log": file.name,
        "command": command_line(f"log {shlex.quote(str(file))}", options),
        "log SHA-256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    with output.status("drawing intervals"):
        made = make_log_report(
            logged, ks, about, catalog=catalog, cost=cost, target=policy, clip=clip, seed=seed
        )
    reports = [logged.report, policy.report if policy else None]
    for text in [read, *(report.paragraph() for report in reports if report)]:
        if text:
            output.note(in_options(text))
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    if as_json:
        return output.emit(made.to_dict())
    for line in made.notes:
        output.note(line)
    for table in made.tables():
        shown = output.table(*table.columns, right=table.columns[1:], title=table.title)
        for row in table.rows:
            shown.add_row(*row)
        output.stdout().print(shown)
