"""``coldstart serve use``, ``rollback`` and ``releases``: which artifact running services serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coldstart.cli import output
from coldstart.cli.database import DB, Database, open_store
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.serve.experiment import Experiment
    from coldstart.serve.store import Release, ReleaseArm

_FOLLOW = "services on this database follow within seconds, and at their next start"


def use(
    artifact: Annotated[
        Path,
        typer.Argument(
            help="Folder of the artifact, where every service of the database can read it.",
            metavar="FOLDER",
        ),
    ],
    share: Annotated[
        float,
        typer.Option(
            help="Share of the traffic, as an A/B test against what is served now.", min=0, max=1
        ),
    ] = 1.0,
    db: Database = DB,
) -> None:
    """Have running services take over an artifact, without a stop; the present one is kept.

    With --share below 1 both are served, and sessions and subjects are dealt by hash: see
    ab-report. Give it all with the same command without --share, or roll back.

    [bold]Examples[/bold]
      coldstart serve use shop-2 --db visits.db
      coldstart serve use shop-2 --db visits.db --share 0.2
    """
    from coldstart.artifacts.format import read_manifest
    from coldstart.serve import releases

    read_manifest(artifact)  # damaged files are told here, not in the log of a service
    with open_store(db, create=False) as store:
        made = releases.use(store, artifact, share)
    output.note(f"release {made.seq}: {_shares(made.arms)}; {_FOLLOW}")
    output.dim(f"back: coldstart serve rollback --db {db}")


def rollback(db: Database = DB) -> None:
    """Have running services serve again what they served before the latest release.

    [bold]Examples[/bold]
      coldstart serve rollback --db visits.db
    """
    with open_store(db, create=False) as store:
        made = store.roll_back()
    output.note(f"release {made.seq}: {_shares(made.arms)}; {_FOLLOW}")


def show_releases(db: Database = DB, as_json: output.AsJson = False) -> None:
    """Show what running services serve, and what a roll-back leads to, the latest first.

    [bold]Examples[/bold]
      coldstart serve releases --db visits.db
    """
    with open_store(db, create=False) as store:
        found = store.release()
    if as_json:
        return output.emit(_plain(found))
    if found is None:
        return output.note("no release: services serve what they were started with")
    table = output.table("Release", "Made", "Artifacts")
    made = found.at.isoformat(timespec="seconds")
    table.add_row(str(found.seq), made, _shares(found.arms, folders=True))
    for arms in reversed(found.before):
        table.add_row("before", "", _shares(arms, folders=True))
    output.stdout().print(table)


def experiment_of_release(db: str) -> Experiment:
    """The A/B test of the present release.

    Raises:
        ConfigError: it is none.
    """
    from coldstart.serve.releases import experiment_of

    with open_store(db, create=False) as store:
        found = store.release()
    test = experiment_of(found.arms, found.seq) if found else None
    if test is None:
        raise ConfigError(
            "no A/B test is under way",
            hint="begin one: coldstart serve use FOLDER --share 0.2; or name the file of one",
        )
    return test


def _shares(arms: Sequence[ReleaseArm], *, folders: bool = False) -> str:
    from coldstart.serve.releases import AS_STARTED

    total = sum(arm.weight for arm in arms)
    shown = [
        f"{(arm.artifact or AS_STARTED) if folders else arm.name}"
        + (f" {arm.weight / total:.0%}" if len(arms) > 1 else "")
        for arm in arms
    ]
    return ", ".join(shown) or f"the artifact of each service's start ({AS_STARTED})"


def _plain(found: Release | None) -> dict[str, object]:
    if found is None:
        return {"release": 0, "arms": [], "before": []}
    arms, *before = [
        [{"name": a.name, "artifact": a.artifact, "weight": a.weight} for a in arms]
        for arms in (found.arms, *reversed(found.before))
    ]
    return {"release": found.seq, "at": found.at.isoformat(), "arms": arms, "before": before}
