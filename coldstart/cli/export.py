"""``coldstart export``: convert the fine-tuned language model for other inference engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of

if TYPE_CHECKING:
    from coldstart.export import ExportedModel


def export(
    artifact: Artifact,
    merged: Annotated[
        Path | None,
        typer.Option(help="Folder in Transformers' format, with the tokenizer.", metavar="FOLDER"),
    ] = None,
    gguf: Annotated[
        Path | None,
        typer.Option(help="File for llama.cpp and what is built on it.", metavar="FILE"),
    ] = None,
    ctranslate2: Annotated[
        Path | None, typer.Option(help="Folder for CTranslate2.", metavar="FOLDER")
    ] = None,
    dtype: Annotated[
        Literal["float32", "float16", "bfloat16"],
        typer.Option(help="Of the weights; the smaller ones halve the size."),
    ] = "float32",
    ties: Annotated[
        float,
        typer.Option(
            min=0,
            help="Tolerance in log-probability within which titles may change places: reduced "
            "precision swaps near ties.",
        ),
    ] = 0.0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier export of the same kind.")
    ] = False,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    """Merge the adapter into its base model and convert it for other inference engines.

    Only the language model is written: counts, ranking and catalog stay in the artifact.

    Each export is loaded again and verified on three profiles (attributes, picks, free text).
    Unless the ten most probable titles of the catalog are those of the original, in the same order,
    the export is discarded and the exit code is 1.

    [bold]Examples[/bold]
      coldstart export adapters/movies --merged out/merged
      coldstart export adapters/ml-100k --gguf out/half.gguf --dtype float16 --ties 0.02
      coldstart export adapters/ml-100k --ctranslate2 out/ct2 --force --json
    """
    from coldstart.export import ExportError, ExportPlan
    from coldstart.export import export as run

    plan = ExportPlan(merged, gguf, ctranslate2, dtype, ties, force)
    done: list[dict[str, object]] = []
    try:
        with output.status("…") as spinner:
            folder = folder_of(artifact, revision)
            for made in run(folder, plan, lambda line: spinner.update(f"{line} …")):
                done.append(_summary(made))
                if not as_json:
                    output.stdout().print(output.facts(done[-1]))
    except ExportError as e:
        output.error(e.message, e.hint)
        raise typer.Exit(1) from None
    finally:
        if as_json and done:  # what was written before a failure is there
            output.emit(done)


def _summary(made: ExportedModel) -> dict[str, object]:
    return {
        "kind": made.kind,
        "path": str(made.path),
        "megabytes": round(made.size / 1e6, 1),
        "top_10_identical": made.check.identical,
        "largest_logprob_difference": made.check.difference,
        "places_changed_within": made.check.displaced,
    }
