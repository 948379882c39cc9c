"""Schema migrations with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from coldstart.serve.store.errors import WrongRevision

VERSION_TABLE = "coldstart_revision"
"""Name of Alembic's version table, distinct from that of other applications in the database."""

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x636F6C6473746172  # "coldstar" as the number of the advisory lock


def config(connection: Connection) -> Config:
    """Alembic's configuration for an open connection."""
    out = Config()
    out.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    out.attributes["connection"] = connection
    return out


def migrate(connection: Connection, *, create: bool) -> str:
    """Create or migrate the tables within the connection's transaction.

    Args:
        connection: connection in a write transaction, which serializes concurrent migrations.
        create: whether tables may be created or changed.

    Returns:
        Schema revision.

    Raises:
        WrongRevision: the revision is unknown; or not the newest, and ``create`` is false.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    settings = config(connection)
    script = ScriptDirectory.from_config(settings)
    newest = str(script.get_current_head())
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    if current == newest:
        return newest
    if current is not None and current not in {s.revision for s in script.walk_revisions()}:
        raise WrongRevision(
            f"the database has revision {current}, this version of coldstart knows up to {newest}",
            hint="a newer coldstart has migrated it: upgrade coldstart",
        )
    if not create:
        raise WrongRevision(
            f"the database has revision {current or 'none'}, expected {newest}",
            hint="open it with create=True to make or migrate its tables",
        )
    command.upgrade(settings, "head")
    return newest
