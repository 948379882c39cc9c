"""Exposures and outcomes of subjects, for A/B tests of requests without a session."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "coldstart_showings",
        sa.Column("seq", _SEQ),
        sa.Column("exposure_id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("experiment", sa.String(200), nullable=False),
        sa.Column("arm", sa.String(200), nullable=False),
        sa.Column("artifact", sa.String(200), nullable=False),
        sa.Column("item_ids", sa.JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_coldstart_showings"),
        sa.UniqueConstraint("exposure_id", name="uq_coldstart_showings_exposure_id"),
    )
    for column in ("subject", "experiment", "expires"):
        op.create_index(f"ix_coldstart_showings_{column}", "coldstart_showings", [column])
    op.create_table(
        "coldstart_reactions",
        sa.Column("seq", _SEQ),
        sa.Column("showing", _SEQ, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_coldstart_reactions"),
        sa.ForeignKeyConstraint(
            ["showing"], ["coldstart_showings.seq"], name="fk_coldstart_reactions_showing"
        ),
        sa.UniqueConstraint("showing", "key", name="uq_coldstart_reactions_showing"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("reactions", "showings"):
        op.drop_table(f"coldstart_{name}")
