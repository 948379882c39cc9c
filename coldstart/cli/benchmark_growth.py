"""``coldstart benchmark --regime nothing|growing``: before the first like, and as likes come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line, whole_numbers
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.cli.source import DataSource

PANEL = "From nothing"
REGIMES: Mapping[str, str] = {
    "nothing": "random_items,catalog_order,catalog_popularity,bm25,text_retrieval,promptrec,"
    "untuned_lm,untuned_lm_lift,from_nothing",
    "growing": "popularity,item_knn,item_knn_prior,content_alone,from_nothing",
}
"""Regimes, and the systems that each measures if left out."""
OURS = "from_nothing"


def _asked(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class GrowthAsked:
    """Options of a replay from zero."""

    events: Annotated[
        str | None,
        _asked(
            "With --regime growing: measure after so many observed likes, and after all; "
            "0,10,100,1000,10000 if left out.",
            metavar="N,N,…",
        ),
    ] = None
    arrival: Annotated[
        Literal["time", "mixed"] | None,
        _asked(
            "With --regime growing: likes come by time, or from many users at once; by time if the "
            "data has times."
        ),
    ] = None

    def said(self) -> dict[str, object]:
        """Options that differ from the default, by field."""
        default = {f.name: f.default for f in fields(self)}
        return {n: v for n, v in asdict(self).items() if v != default[n]}

    def refuse_alone(self) -> None:
        """Raise if an option is given without the regime that it is about."""
        if given := self.said():
            name = next(iter(given))
            raise ConfigError(f"--{name} without --regime growing", hint="give --regime growing")


def judge_growth(
    regime: Literal["nothing", "growing"],
    asked: GrowthAsked,
    source: DataSource,
    systems: str,
    *,
    fold: int,
    shots: str,
    support: int,
    min_targets: int | None,
    limit: int | None,
    tune: bool | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure systems from nothing, and print the tables.

    Args:
        regime: ``nothing``: without any interactions; ``growing``: also after some.
        asked: when, and in which order likes come.
        source: the data.
        systems: names separated by commas; ``all`` for those of the regime.
        fold: number of the fold of users who ask.
        shots: numbers of picks.
        support: likes reserved for picks.
        min_targets: least number of targets; ``None``: the default.
        limit: users who ask, drawn by the seed; ``None``: all that can.
        tune: whether settings of the others are tuned, which takes users to tune on.
        seed: of folds, systems and the bootstrap.
        out: path of the report without an ending; ``None``: none is written.
        as_json: print JSON.
    """
    from coldstart.artifacts.loading import make_encoder
    from coldstart.encoding.vector_cache import CachedEncoder
    from coldstart.evaluation.baselines.selection import choose
    from coldstart.evaluation.cases import MIN_TARGETS
    from coldstart.evaluation.growing.report import make_growth_report
    from coldstart.evaluation.growing.run import EVENTS, GrowthPlan, run_growth
    from coldstart.runtime import models
    from coldstart.splitting.folds import user_folds

    if tune:
        raise ConfigError("--tune with --regime " + regime, hint="no users to tune on yet")
    if regime == "nothing":
        asked.refuse_alone()
    names = REGIMES[regime] if systems == "all" else systems
    chosen = choose([n.strip() for n in names.split(",") if n.strip()], seed=seed, note=output.note)
    events = whole_numbers("--events", asked.events) if asked.events else EVENTS
    with output.status("reading the data"):
        data = source.dataset()
    plan = GrowthPlan(
        events if regime == "growing" else (0,),
        regime == "growing",
        whole_numbers("--shots", shots),
        support,
        min_targets or MIN_TARGETS,
        asked.arrival or ("time" if data.times and data.ordered else "mixed"),
        seed,
        limit,
        shuffled=regime == "growing",
    )
    splits = user_folds(data.likes, 5, seed)
    if not 0 <= fold < len(splits):
        raise ConfigError(f"no fold {fold}", hint=f"folds are 0 to {len(splits) - 1}")
    encoder = CachedEncoder(make_encoder(models.DEFAULT_ENCODER), None)
    with output.telling() as tell:
        run = run_growth(data, splits[fold], chosen, plan, encoder=encoder, report=tell)
    said = (
        source.said()
        | asked.said()
        | {
            "systems": systems,
            "only": str(fold),
            "shots": shots,
            "support": support,
            "regime": regime,
            "min_targets": min_targets,
            "limit": limit,
            "seed": seed,
            "out": out,
        }
    )
    with output.status("drawing intervals"):
        made = make_growth_report(run, plan, data, command_line("benchmark", said), OURS, seed)
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    if as_json:
        return output.emit(made.to_dict())
    for table in made.tables()[: 1 + bool(made.gains)]:
        shown = output.table(*table.columns, right=table.columns[1:], title=table.title)
        for row in table.rows:
            shown.add_row(*row)
        output.stdout().print(shown)
