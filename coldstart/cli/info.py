"""``coldstart info``: inspect and verify an artifact."""

from __future__ import annotations

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of


def info(
    artifact: Artifact,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    """Show an artifact's base model, prompt, data, metrics and files, and verify its checksums.

    Loads no model: reads the manifest and verifies every file.

    [bold]Examples[/bold]
      coldstart info adapters/ml-100k
      coldstart info me/films --revision v1 --json
    """
    from coldstart.artifacts.format import read_manifest

    manifest = read_manifest(folder_of(artifact, revision))
    if as_json:
        return output.emit(manifest)
    output.stdout().print(output.facts(manifest))
