"""Options that select an artifact: a folder, or a repository on the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Artifact = Annotated[
    str,
    typer.Argument(
        help="A trained recommender's folder, or org/name on the Hugging Face Hub.",
        metavar="FOLDER|ORG/NAME",
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        help="Branch, tag or commit of an artifact on the hub; main if left out.",
        rich_help_panel="The model",
    ),
]


def folder_of(artifact: str, revision: str | None) -> Path:
    """Locate the artifact's folder; repositories on the hub are downloaded once.

    Raises:
        ArtifactError, ConfigError, FetchError: see ``hub.find``.
    """
    from coldstart.artifacts.hub import find

    return find(artifact, revision=revision)
