"""``coldstart benchmark --sentences``: whether what is shown fulfils what a sentence asks for."""

from __future__ import annotations

from pathlib import Path

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line
from coldstart.errors import ConfigError

BUILT_IN = "builtin"
WORST = 5
OURS, NOTHING, ENCODER = "coldstart", "nothing said", "encoder alone"


def benchmark_sentences(
    sentences: str,
    artifact: Path | None,
    *,
    fail_below: float | None = None,
    show: int | None = None,
    out: Path | None = None,
    as_json: bool = False,
    seed: int = 0,
) -> None:
    """Judge an artifact by sentences, beside the list for an empty profile and the encoder alone.

    Args:
        sentences: path of a file of sentences, or ``builtin``.
        artifact: folder of the recommender.
        fail_below: exit with 1 if the mean obedience is below this.
        show: number of worst sentences to print with their items; ``None``: 5.
        out: path of the report without an ending; ``None``: none is written.
        as_json: print JSON.
        seed: of the bootstrap.

    Raises:
        ConfigError: no artifact, or an option out of range.
        DataError: an invalid file of sentences.
    """
    if artifact is None:
        raise ConfigError("--sentences without --artifact", hint="--artifact adapters/ml-100k")
    if fail_below is not None and not 0 <= fail_below <= 1:
        raise ConfigError(f"--fail-below {fail_below:g}", hint="a share from 0 to 1, such as 0.85")
    from coldstart.evaluation.sentences.obedience import (
        about_nothing,
        about_sentence,
        encoder_alone,
        judge,
    )
    from coldstart.evaluation.sentences.sentence_file import MOVIES, read_sentences
    from coldstart.evaluation.sentences.sentence_report import sentence_report
    from coldstart.recommender import Recommender

    read = read_sentences(MOVIES if sentences == BUILT_IN else sentences)
    with output.status("loading the recommender"):
        recommender = Recommender.from_pretrained(artifact)
        catalog = recommender.catalog
        systems = {
            OURS: about_sentence(recommender),
            NOTHING: about_nothing(recommender),
            ENCODER: encoder_alone(catalog, recommender.encoder),
        }
    with output.telling() as tell:
        run = judge(systems, read, catalog, seed=seed, report=tell)
    given = {"sentences": sentences, "artifact": artifact, "fail_below": fail_below, "show": show}
    command = command_line("benchmark", given | {"out": out})
    worst = WORST if show is None else show
    made = sentence_report(run, catalog, source=sentences, command=command, worst=worst)
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    if as_json:
        output.emit(made.to_dict())
    else:
        for line in made.warnings:
            output.note(line)
        for table in made.tables:
            shown = output.table(*table.columns, title=table.title)
            for row in table.rows:
                shown.add_row(*row)
            output.stdout().print(shown)
    reached = run.mean(OURS)
    if fail_below is not None and reached < fail_below:
        output.error(f"obedience is {reached:.3f}, below --fail-below {fail_below:g}")
        raise typer.Exit(1)
