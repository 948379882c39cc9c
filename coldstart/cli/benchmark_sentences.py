"""``coldstart benchmark --sentences``: whether what is shown fulfils what a sentence asks for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line
from coldstart.cli.source import catalog_option
from coldstart.errors import ConfigError

PANEL = "Plain sentences"
BUILT_IN = "builtin"
WORST = 5
OURS, NOTHING, ENCODER = "coldstart", "nothing said", "encoder alone"
WITHOUT = "without language model"


def _asked(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class SentencesAsked:
    """Options of a benchmark on plain sentences."""

    sentences: Annotated[
        str | None,
        _asked(
            "Judge --artifact, or a start from --items alone, by sentences instead of cold users: "
            "the share of the ten shown items that fulfil what each asks for.",
            metavar="FILE|builtin",
        ),
    ] = None
    fail_below: Annotated[
        float | None, _asked("Exit with 1 if a smaller share does.", metavar="SHARE")
    ] = None
    show: Annotated[
        int | None,
        _asked(f"Worst sentences to list with what is shown; {WORST} if left out.", min=0),
    ] = None

    def said(self) -> dict[str, object]:
        """Options that differ from the default, by field."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def refuse_alone(self) -> None:
        """Raise if an option is given without the sentences that it is about."""
        if given := self.said():
            name = next(iter(given)).replace("_", "-")
            raise ConfigError(f"--{name} without --sentences", hint="give --sentences builtin")


def judge_sentences(
    asked: SentencesAsked,
    artifact: Path | None,
    items: Path | None = None,
    *,
    seed: int = 0,
    out: Path | None = None,
    as_json: bool = False,
) -> None:
    """Judge a recommender by sentences, beside the list for an empty profile and the encoder alone.

    Args:
        asked: options; ``sentences`` is given.
        artifact: folder of the recommender; ``None``: one is started from the items alone.
        items: table of the catalog; ``None``: that of the artifact.
        seed: of the bootstrap.
        out: path of the report without an ending; ``None``: none is written.
        as_json: print JSON.

    Raises:
        ConfigError: neither artifact nor items, or an option out of range.
        DataError: an invalid file of sentences.
    """
    if artifact is None and items is None:
        hint = "--artifact adapters/movies, or --items FILE to start from a catalog alone"
        raise ConfigError("--sentences without --artifact or --items", hint=hint)
    least = asked.fail_below
    if least is not None and not 0 <= least <= 1:
        raise ConfigError(f"--fail-below {least:g}", hint="a share from 0 to 1, such as 0.85")
    from coldstart.evaluation.sentences.obedience import (
        about_nothing,
        about_sentence,
        encoder_alone,
        judge,
    )
    from coldstart.evaluation.sentences.sentence_file import MOVIES, read_sentences
    from coldstart.evaluation.sentences.sentence_report import sentence_report
    from coldstart.recommender import Recommender

    source = str(asked.sentences)
    read = read_sentences(MOVIES if source == BUILT_IN else source)
    with output.status("loading the recommender"):
        if artifact is None:
            recommender = Recommender.from_catalog(items)
        else:
            recommender = Recommender.from_pretrained(artifact, catalog=catalog_option(items)[0])
        catalog = recommender.catalog
        systems = {
            OURS: about_sentence(recommender),
            WITHOUT: about_sentence(recommender, strategy="prior"),
            NOTHING: about_nothing(recommender),
            ENCODER: encoder_alone(catalog, recommender.encoder),
        }
    with output.telling() as tell:
        run = judge(systems, read, catalog, seed=seed, report=tell)
    given = {"artifact": artifact, "items": items, "seed": seed or None, "out": out}
    command = command_line("benchmark", asked.said() | given)
    worst = WORST if asked.show is None else asked.show
    made = sentence_report(run, catalog, source=source, command=command, worst=worst)
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
    if least is not None and reached < least:
        output.error(f"obedience is {reached:.3f}, below --fail-below {least:g}")
        raise typer.Exit(1)
