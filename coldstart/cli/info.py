"""``coldstart info``: what a trained recommender is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coldstart.cli import output


def info(
    artifact: Annotated[
        Path, typer.Argument(help="A trained recommender's folder.", metavar="FOLDER")
    ],
    as_json: output.AsJson = False,
) -> None:
    """Show an artifact's base model, prompt, data, figures and files, and verify its checksums.

    Loads no model: it reads the manifest and compares every file with it.

    [bold]Examples[/bold]
      coldstart info adapters/ml-100k
      coldstart info adapters/ml-100k --json
    """
    from coldstart.artifacts import read_manifest

    manifest = read_manifest(artifact)
    if as_json:
        return output.emit(manifest)
    output.stdout().print(output.facts(manifest))
