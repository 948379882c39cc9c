"""``coldstart evaluate``: a trained recommender beside simple baselines, on held-out users."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of
from coldstart.cli.options import command_line, whole_numbers, with_groups
from coldstart.cli.train import Tables
from coldstart.errors import ConfigError


@with_groups
def evaluate(
    artifact: Artifact,
    tables: Tables,
    first: Annotated[
        int | None, typer.Option(help="Only the first so many held-out users; all if left out.")
    ] = None,
    shots: Annotated[str, typer.Option(help="Numbers of picks.", metavar="K,K,…")] = "0,1,3,5,10",
    support: Annotated[
        int,
        typer.Option(help="First likes reserved for picks: neither targets nor shown.", min=0),
    ] = 10,
    seed: Annotated[int, typer.Option(help="Of free writing, shuffling and the bootstrap.")] = 0,
    jobs: Annotated[
        int, typer.Option(help="Processes, of one thread each; 1: here, with all cores.", min=1)
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="Write OUT.json and OUT.md as well.", metavar="OUT"),
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Also put the table into the artifact's README.md.")
    ] = False,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    r"""Rank the whole catalog for users the model has never seen, and compare with baselines.

    Reports NDCG@10 and Recall@10 by number of picks, with 95 % intervals: popularity by whom, the
    classical rivals that use picks, the language model alone, the blend without it, every strategy,
    and the same with profiles shuffled between users. The held-out users are those of the
    artifact's split.json; their targets are what they like beyond the first --support likes, the
    same for every number of picks.

    [bold]Examples[/bold]
      coldstart evaluate adapters/ml-100k
      coldstart evaluate adapters/ml-100k --first 20 --shots 0,5
      coldstart evaluate adapters/films --items films.csv --interactions ratings.csv --support 5
    """
    from coldstart import Recommender
    from coldstart.artifacts.format import CARD
    from coldstart.artifacts.hub import is_repository
    from coldstart.artifacts.model_card import model_card
    from coldstart.evaluation.artifact_evaluation import (
        EvaluationPlan,
        as_markdown,
        evaluate_artifact,
        save_figures,
    )
    from coldstart.evaluation.case_metrics import ACCURACY
    from coldstart.runtime.cache import write_atomic
    from coldstart.splitting.user_splits import Split

    if card and is_repository(artifact):
        raise ConfigError(
            f"--card writes into the artifact's folder, and {artifact} is no folder here",
            hint="--out OUT writes the table to files of your own",
        )
    numbers = whole_numbers("--shots", shots)
    with output.status("loading the recommender"):
        folder = folder_of(artifact, revision)
        recommender = Recommender.from_pretrained(folder)
        if tables.split is None and not (folder / "split.json").is_file():
            raise ConfigError(
                f"{artifact} has no held-out users: it was made without a split",
                hint="give tables and --split; or judge it by sentences: coldstart benchmark "
                f"--artifact {artifact} --sentences FILE",
            )
        split = Split.load(tables.split or folder / "split.json")
        data, _ = tables.or_that_of(recommender.manifest).load(seed)
    with output.telling() as tell:
        split = replace(split, test=split.test[:first])
        figures = evaluate_artifact(
            recommender,
            EvaluationPlan(data, split, numbers, seed, support),
            folder=folder,
            jobs=jobs,
            report=tell,
        )
    if out:
        said: dict[str, object] = {"shots": shots, "support": support, "seed": seed, "first": first}
        said |= {"jobs": jobs if jobs > 1 else None, "out": out, "revision": revision}
        command = command_line(f"evaluate {shlex.quote(artifact)}", tables.said() | said)
        save_figures(figures, out, command)
        output.note(f"wrote {out.with_suffix('.json')} and {out.with_suffix('.md')}")
    if card:
        table = as_markdown(figures, ACCURACY[0])
        about = "NDCG@10, mean over users ± half the 95 % bootstrap interval:\n\n"
        text = model_card(recommender.manifest, about + table)
        write_atomic(folder / CARD, text)
    if as_json:
        return output.emit(figures)
    output.verbatim("\n".join(as_markdown(figures, metric) for metric in ACCURACY[:2]))
