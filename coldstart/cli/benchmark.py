"""``coldstart benchmark``: systems on the same cold users, with tested differences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from coldstart.cli import output
from coldstart.cli.benchmark_growth import GrowthAsked, judge_growth
from coldstart.cli.benchmark_requests import RequestsAsked, judge
from coldstart.cli.benchmark_sentences import SentencesAsked, judge_sentences
from coldstart.cli.holdout import Holdout
from coldstart.cli.options import command_line, whole_numbers, with_groups
from coldstart.cli.source import DataSource
from coldstart.errors import ConfigError

_ASKED = "What is asked"


def _asked(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_ASKED, **more)


@with_groups
def benchmark(
    source: DataSource,
    holdout: Holdout,
    recorded: RequestsAsked,
    plain: SentencesAsked,
    growth: GrowthAsked,
    systems: Annotated[str, _asked("Names, or all.", metavar="NAME,NAME,…")] = "all",
    only: Annotated[
        str | None, _asked("Run these folds only; all if left out.", metavar="N,N,…")
    ] = None,
    shots: Annotated[str, _asked("Numbers of picks.", metavar="K,K,…")] = "0,1,3,5,10",
    support: Annotated[
        int, _asked("Likes of each user reserved for what they say; no targets.", min=0)
    ] = 10,
    order: Annotated[
        Literal["first", "random"], _asked("Which likes those are: the first by time, or any.")
    ] = "first",
    regime: Annotated[
        Literal["attributes", "interests", "text", "picks", "nothing", "growing"],
        _asked(
            "What users say: attributes, and one thing more; only picks has several k. Or picks "
            "where nothing is trained: without any interactions (nothing), and as likes come in "
            "(growing)."
        ),
    ] = "picks",
    against: Annotated[
        str | None,
        _asked("Compare with this system; the best rival at each k if left out.", metavar="NAME"),
    ] = None,
    tune: Annotated[
        bool | None,
        _asked(
            "Choose the rivals' settings on each fold's validation users, cold and with the same "
            "--order; if left out, on all data but ml-100k, where they are known for first picks."
        ),
    ] = None,
    min_targets: Annotated[
        int | None,
        _asked(
            "Users with fewer likes to be found are left out; 5, or 1 with --split items.", min=1
        ),
    ] = None,
    seed: Annotated[int, _asked("Of folds, systems and the bootstrap.", min=0)] = 0,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Where answers are kept, so that nothing is done twice; in the cache if left out.",
            metavar="FOLDER",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write PATH.md, PATH.html, PATH.json, and plots as SVG and PNG.", metavar="PATH"
        ),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    r"""Measure recommenders on users none of them has seen, and test their differences.

    Users are cut into folds; every system is trained on each fold's training users and asked about
    its test users, with the same targets for every number of picks. With --split temporal there is
    one fold, cut by time; with --split items some items are new as well, and looked for. A run that
    was killed goes on where it stopped, and the same command again answers at once.

    With --requests, systems are judged on what people asked for in their own words instead.

    [bold]Examples[/bold]
      coldstart benchmark --data ml-100k --only 0 --systems popularity,later_lift
      coldstart benchmark --data ml-100k --out results/ml-100k
      coldstart benchmark --artifact adapters/ml-100k --regime text
      coldstart benchmark --data ml-small --order random --shots 1,5
      coldstart benchmark --data ml-100k --split temporal --quantile 0.8
      coldstart benchmark --data ml-100k --split items --share 0.1 --systems text_retrieval,bm25
      coldstart benchmark --items films.csv --interactions ratings.csv --support 5 --shots 0,1,5
      coldstart benchmark --requests redial --systems popularity,bm25,blend --limit 500
      coldstart benchmark --requests redial --against-published he2023 --out results/he2023
      coldstart benchmark --sentences builtin --artifact adapters/movies --fail-below 0.85
      coldstart benchmark --sentences my.jsonl --items examples/shop.csv --show 3
      coldstart benchmark --regime nothing --data ml-small --shots 1,3,10 --limit 30
      coldstart benchmark --regime nothing --requests redial --limit 100
      coldstart benchmark --regime growing --data ml-100k --out results/growing-ml-100k
    """
    if recorded.requests is not None:
        return judge(
            recorded,
            source,
            systems,
            artifact=holdout.artifact,
            against=against,
            seed=seed,
            out=out,
            json=as_json,
            nothing=regime == "nothing",
        )
    from_nothing = regime in ("nothing", "growing")
    recorded.refuse_alone(*(["limit"] if from_nothing else []))
    if plain.sentences is not None:
        items = source.items
        return judge_sentences(plain, holdout.artifact, items, seed=seed, out=out, as_json=as_json)
    plain.refuse_alone()
    if from_nothing:
        assert regime == "nothing" or regime == "growing"
        return judge_growth(
            regime,
            growth,
            source,
            systems,
            fold=whole_numbers("--only", only)[0] if only is not None else 0,
            shots=shots,
            support=support,
            min_targets=min_targets,
            limit=recorded.limit,
            tune=tune,
            seed=seed,
            out=out,
            as_json=as_json,
        )
    growth.refuse_alone()
    numbers = whole_numbers("--shots", shots)
    chosen = whole_numbers("--only", only) if only is not None else None
    from coldstart.artifacts.format import read_manifest
    from coldstart.evaluation.baselines.selection import choose
    from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
    from coldstart.evaluation.benchmark_report import make_report
    from coldstart.evaluation.benchmark_summary import summarise
    from coldstart.evaluation.cases import MIN_TARGETS
    from coldstart.runtime.cache import cache_dir

    names = None if systems == "all" else [n.strip() for n in systems.split(",") if n.strip()]
    if holdout.artifact:
        source = source.or_that_of(read_manifest(holdout.artifact))
    settled = source.data == "ml-100k" and order == "first"
    picked = choose(
        names,
        seed=seed,
        artifact=holdout.artifact,
        tuned=not settled if tune is None else tune,
        order=order,
        note=output.note,
    )
    if against is not None and against not in [s.name for s in picked]:
        known = ", ".join(s.name for s in picked)
        raise ConfigError(f"--against {against!r} is not measured", hint=f"one of {known}")
    held_out = holdout.said()
    with output.status("reading the data"):
        data = source.dataset()
        scenario = holdout.scenario(data, seed)
    targets = min_targets or (1 if holdout.split == "items" else MIN_TARGETS)
    plan = BenchmarkPlan(numbers, support, order, regime, targets, seed)
    with output.telling() as tell:
        run = run_benchmark(
            data,
            scenario,
            picked,
            plan,
            only=chosen,
            work=work or cache_dir() / "benchmark",
            note=output.note,
            report=tell,
        )
    with output.status("drawing intervals"):
        summary = summarise(run, data, reference=against, seed=seed)
        said = source.said() | {
            "systems": systems,
            **held_out,
            "only": only,
            "shots": shots,
            "support": support,
            "order": order,
            "regime": regime,
            "against": against,
            "tune": tune,
            "min_targets": min_targets,
            "seed": seed,
            "out": out,
        }
        made = make_report(run, summary, data, command_line("benchmark", said), seed)
    if out:
        paths = made.save(out)
        output.note(f"wrote {', '.join(map(str, paths))}")
    if as_json:
        return output.emit(made.to_dict())
    for line in made.warnings:
        output.note(line)
    for table in made.tables[: made.brief]:
        shown = output.table(*table.columns, right=table.columns[1:], title=table.title)
        for row in table.rows:
            shown.add_row(*row)
        output.stdout().print(shown)
