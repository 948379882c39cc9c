"""``coldstart serve db``: backup and integrity of the service's database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coldstart.cli import output
from coldstart.errors import ColdstartError, MissingExtraError

if TYPE_CHECKING:
    from coldstart.serve.store import Store

app = typer.Typer(no_args_is_help=True, help="Back up and check the database of the service.")

Database = Annotated[
    str,
    typer.Option(
        envvar="COLDSTART_DB",
        help="SQLite file, or a URL such as postgresql+psycopg://…: sessions, keys, changes.",
        metavar="FILE|URL",
    ),
]
DB = "coldstart.db"
_PIP = "pip install 'coldstart-rec[serve]'"
_SHOWN = 10  # changes that cannot be read


def open_store(db: str, *, create: bool = True) -> Store:
    """Open the store of a file or URL. Raises as ``Store.open``."""
    need("sqlalchemy")
    from coldstart.serve.store import Store

    url = db if "://" in db else f"sqlite:///{os.path.abspath(db)}"
    return Store.open(url, create=create)


def need(module: str) -> None:
    """Raise an error that names the missing extra, if there is one."""
    for name in dict.fromkeys((module, "fastapi", "prometheus_client", "sqlalchemy")):
        try:
            __import__(name)
        except ImportError:
            raise MissingExtraError(f"the service needs {name}", hint=_PIP) from None


@app.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(help="New file.", metavar="FILE")],
    db: Database = DB,
) -> None:
    """Copy the database to a new file, also while services use it.

    The copy is of one moment, checked, synced to disk and readable by its owner only; what is
    encrypted stays so. It holds personal data: whoever is erased later is still in it. To restore,
    stop the service, move the file, its -wal and its -shm away, and put the copy in their place.
    PostgreSQL: pg_dump.

    [bold]Examples[/bold]
      coldstart serve db backup people-$(date +%F).db --db people.db
    """
    with open_store(db, create=False) as store:
        size = store.backup(target)
    output.note(f"{target}: {size:,} bytes, checked")


@app.command("check")
def check(db: Database = DB, as_json: output.AsJson = False) -> None:
    """Check the database's file, and that every logged catalog change can be read.

    Exits with 2 if the file is damaged. A change that cannot be read is set aside by the service;
    put the item again to replace it.

    [bold]Examples[/bold]
      coldstart serve db check --db people.db
    """
    from coldstart.serve.catalog_updates import item_of

    with open_store(db, create=False) as store:
        store.check_integrity()
        changes = store.changes()
    bad = []
    for change in changes:
        try:
            item_of(change)
        except (ValueError, ColdstartError):
            bad.append({"seq": change.seq, "item_id": change.item_id or None})
    found = {"integrity": "ok", "catalog_changes": len(changes), "cannot_be_read": bad}
    if as_json:
        return output.emit(found)
    shown = ", ".join(f"{b['seq']} ({b['item_id'] or 'id unreadable'})" for b in bad[:_SHOWN])
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    output.stdout().print(output.facts(found | {"cannot_be_read": f"{len(bad)} {shown}{more}"}))
