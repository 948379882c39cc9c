"""``coldstart push``: share an artifact on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coldstart.cli import output


def push(
    artifact: Annotated[
        Path, typer.Argument(help="A trained recommender's folder.", metavar="FOLDER")
    ],
    repo: Annotated[str, typer.Argument(help="Repository; created if needed.", metavar="ORG/NAME")],
    private: Annotated[
        bool | None,
        typer.Option(
            "--private/--public",
            help="Visibility of a new repository; by default that of the organisation, mostly "
            "public.",
        ),
    ] = None,
) -> None:
    """Upload an artifact to the Hugging Face Hub, in one commit.

    Only files listed in the manifest are uploaded. They include the ids of the training users
    (split.json), and the catalog, if it is your own.

    Log in first: hf auth login, or set HF_TOKEN. The artifact can then be loaded by its name.

    [bold]Examples[/bold]
      coldstart push adapters/mine me/films --private
      coldstart recommend --artifact me/films --age 24
    """
    from coldstart.artifacts.hub import push as upload

    with output.status(f"uploading {artifact} …"):
        address = upload(artifact, repo, private=private)
    typer.echo(address)
    output.note(f"load it with: coldstart recommend --artifact {repo}")
