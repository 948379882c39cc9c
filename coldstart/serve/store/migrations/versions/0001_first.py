"""Initial schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "coldstart_meta",
        sa.Column("name", sa.String(40)),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_coldstart_meta"),
    )
    op.create_table(
        "coldstart_sessions",
        sa.Column("id", sa.String(64)),
        sa.Column("artifact", sa.String(200), nullable=False),
        sa.Column("experiment", sa.String(200)),
        sa.Column("arm", sa.String(200)),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coldstart_sessions"),
    )
    for column in ("experiment", "expires"):
        op.create_index(f"ix_coldstart_sessions_{column}", "coldstart_sessions", [column])
    op.create_table(
        "coldstart_events",
        sa.Column("seq", _SEQ),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("item", sa.String(200)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *_of_session("coldstart_events", "key"),
    )
    op.create_table(
        "coldstart_exposures",
        sa.Column("seq", _SEQ),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("item_ids", sa.JSON, nullable=False),
        sa.Column("ranks", sa.JSON, nullable=False),
        sa.Column("artifact", sa.String(200), nullable=False),
        sa.Column("arm", sa.String(200)),
        sa.Column("at", _TIME, nullable=False),
        *_of_session("coldstart_exposures", "request_id"),
    )
    op.create_table(
        "coldstart_catalog_changes",
        sa.Column("seq", _SEQ),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("item_id", sa.String(200), nullable=False),
        sa.Column("item", sa.Text),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_coldstart_catalog_changes"),
    )
    op.create_table(
        "coldstart_api_keys",
        sa.Column("id", sa.String(16)),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("rate_limit", sa.Integer),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("revoked", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_coldstart_api_keys"),
    )


def _of_session(table: str, unique: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("seq", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["coldstart_sessions.id"], name=f"fk_{table}_session_id"
        ),
        sa.UniqueConstraint("session_id", unique, name=f"uq_{table}_session_id"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("api_keys", "catalog_changes", "exposures", "events", "sessions", "meta"):
        op.drop_table(f"coldstart_{name}")
