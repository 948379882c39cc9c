"""Alembic environment: runs the migrations within the transaction of ``migrate``."""

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
