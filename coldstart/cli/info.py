"""``coldstart info``: inspect and verify an artifact."""

from __future__ import annotations

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of

_CATEGORIES = 8  # of a domain


def info(
    artifact: Artifact,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    """Show an artifact's base model, prompt, data, metrics and files, and verify its checksums.

    Also what it learned from recorded requests, if it did: their source and number, and settings.

    Loads no model: reads the manifest and verifies every file. Of an artifact with a catalog of its
    own it says in which letters that is written, whether the encoder and the language model know
    them, and if not, which models of the hub do.

    [bold]Examples[/bold]
      coldstart info adapters/movies
      coldstart info me/films --revision v1 --json
    """
    from coldstart.artifacts.format import read_manifest
    from coldstart.artifacts.language_advice import advice_on
    from coldstart.artifacts.request_card import learned_from_requests

    folder = folder_of(artifact, revision)
    manifest = read_manifest(folder)
    if as_json:
        return output.emit(manifest)
    categories = list((manifest.get("domain") or {}).get("categories", ()))
    shown = {"domain": ", ".join(categories[:_CATEGORIES])} if categories else {}
    output.stdout().print(output.facts(manifest | shown))
    if advice := advice_on(folder, manifest):
        for sentence in advice.sentences("ITEMS", "FOLDER"):
            output.dim(sentence)
    if learned := learned_from_requests(manifest):
        output.dim(f"learned: {learned[0].lower()}{learned[1:]}")
