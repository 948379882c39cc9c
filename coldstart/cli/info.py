"""``coldstart info``: what a trained recommender is made of."""

from __future__ import annotations

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of


def info(
    artifact: Artifact,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    """Show an artifact's base model, prompt, data, figures and files, and verify its checksums.

    Loads no model: it reads the manifest and compares every file with it.

    [bold]Examples[/bold]
      coldstart info adapters/ml-100k
      coldstart info me/films --revision v1 --json
    """
    from coldstart.artifacts.format import read_manifest

    manifest = read_manifest(folder_of(artifact, revision))
    if as_json:
        return output.emit(manifest)
    output.stdout().print(output.facts(manifest))
