"""Transactions of the catalog change log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the column; earlier changes are transactions of their own."""
    op.add_column("coldstart_catalog_changes", sa.Column("batch", _SEQ, nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("coldstart_catalog_changes", "batch")
