"""Run by Alembic: migrates over the connection that ``migrate`` holds, in its transaction."""

from alembic import context

from coldstart.serve.store.migrate import VERSION_TABLE
from coldstart.serve.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
