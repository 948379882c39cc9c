"""``coldstart train --from``: learn from a running service's store, on top of its artifact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coldstart.cli import output
from coldstart.cli.artifact import folder_of
from coldstart.cli.database import open_store
from coldstart.cli.train_progress import TrainingProgress
from coldstart.data.named import NAMED
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.artifacts.loading import RecommenderParts
    from coldstart.serve.store import Store

PANEL = "A running service"


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class StoreTaught:
    """Options of training from a service's store."""

    store: Annotated[
        str | None,
        _option(
            "--from",
            help="Database of a service, which may go on running: SQLite file or URL.",
            metavar="FILE|URL",
        ),
    ] = None
    artifact: Annotated[
        str | None,
        _option(
            "--artifact",
            help="With --from: the artifact that the service was started with, not one that was "
            "trained from a store.",
            metavar="FOLDER|ORG/NAME",
        ),
    ] = None

    def refuse_alone(self) -> None:
        """Raise if an option is given without the store that it is about."""
        if self.artifact is not None:
            raise ConfigError("--artifact without --from", hint="give --from visits.db")


def train_on_store(
    taught: StoreTaught,
    out: Path,
    progress: TrainingProgress,
    *,
    everything: bool,
    like_at: str | None,
    runs: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Read the store, learn what pays, and write the artifact; returns its manifest.

    Raises:
        ConfigError: no artifact.
        StoreError: the database cannot be read, or is encrypted with another key.
    """
    from coldstart.serve.visits import LIKE_KINDS, read_store
    from coldstart.training.refresh import RefreshConfig, refresh
    from coldstart.training.refreshed import refuse_refreshed

    if taught.artifact is None:
        raise ConfigError(
            "--from without --artifact",
            hint="name the artifact that the service was started with: --artifact shop",
        )
    assert taught.store is not None
    with open_store(taught.store, create=False) as store, output.status("reading the store …"):
        parts = _with_changes(taught.artifact, store)
        refuse_refreshed(parts)
        kinds = LIKE_KINDS if like_at is None else {k.strip() for k in like_at.split(",")}
        table = read_store(store, parts.catalog, name=_name(taught.store), like_kinds=kinds)
        identity = store.identity
    output.note(table.sentence())
    with progress as report:
        manifest = refresh(
            parts,
            table.data,
            table.split,
            out,
            log=table.log,
            config=RefreshConfig(everything=everything, seed=seed),
            made="`coldstart train --from … --artifact …`",
            store=identity,
            runs=runs,
            report=report,
        )
    return manifest


def _with_changes(artifact: str, store: Store) -> RecommenderParts:
    """The artifact, with the logged changes of its catalog."""
    from coldstart.artifacts.loading import load_pretrained
    from coldstart.serve.catalog_updates import change_items

    parts = load_pretrained(folder_of(artifact, None), device="auto", dtype="auto", defer_lm=True)
    bad = change_items(parts.catalog, store.changes())
    if bad:
        output.note(f"{bad} logged catalog changes cannot be read and are left out")
    return parts


def _name(store: str) -> str:
    """Name of the data in the manifest: that of the file, without user, password and folder."""
    stem = "store" if "://" in store else Path(store).stem
    return f"own-{stem}" if stem in NAMED else stem
