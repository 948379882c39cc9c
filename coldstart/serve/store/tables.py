"""Table definitions. Tables are created by the migrations, which a test compares with these."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcTime(TypeDecorator[datetime]):
    """Timezone-aware datetime, stored in UTC, since SQLite has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC for storage."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Restore the time zone UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}
metadata = MetaData(naming_convention=_NAMES)
_Seq = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements INTEGER only


def _session_id() -> Column[str]:
    return Column("session_id", ForeignKey("coldstart_sessions.id"), nullable=False)


meta = Table(
    "coldstart_meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
sessions = Table(
    "coldstart_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("artifact", String(200), nullable=False),
    Column("experiment", String(200), index=True),
    Column("arm", String(200)),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False, index=True),
)
events = Table(
    "coldstart_events",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _session_id(),
    Column("key", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("item", String(200)),
    Column("detail", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("session_id", "key"),
)
exposures = Table(
    "coldstart_exposures",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _session_id(),
    Column("request_id", String(200), nullable=False),
    Column("item_ids", JSON, nullable=False),
    Column("ranks", JSON, nullable=False),
    Column("artifact", String(200), nullable=False),
    Column("arm", String(200)),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("session_id", "request_id"),
)
showings = Table(
    "coldstart_showings",
    metadata,
    Column("seq", _Seq, primary_key=True),
    Column("exposure_id", String(32), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    Column("experiment", String(200), nullable=False, index=True),
    Column("arm", String(200), nullable=False),
    Column("artifact", String(200), nullable=False),
    Column("item_ids", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False, index=True),
    UniqueConstraint("exposure_id"),
)
reactions = Table(
    "coldstart_reactions",
    metadata,
    Column("seq", _Seq, primary_key=True),
    Column("showing", ForeignKey("coldstart_showings.seq"), nullable=False),
    Column("key", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("item", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("showing", "key"),
)
catalog_changes = Table(
    "coldstart_catalog_changes",
    metadata,
    Column("seq", _Seq, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("item_id", String(200), nullable=False),
    Column("item", Text),
    Column("at", UtcTime, nullable=False),
    Column("batch", _Seq),
)
api_keys = Table(
    "coldstart_api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("rate_limit", Integer),
    Column("admin", Boolean, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("revoked", UtcTime),
)
