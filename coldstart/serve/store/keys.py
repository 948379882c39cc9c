"""API keys: table operations.

A key is ``cs_<id>_<secret>``. The secret has 256 random bits, so one round of salted SHA-256 is
sufficient; slow password hashes are for secrets chosen by people.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from coldstart.serve.store.errors import StoreError
from coldstart.serve.store.records import ApiKey, NewKey
from coldstart.serve.store.tables import api_keys
from coldstart.serve.store.validation import check_text

_ID = re.compile("[0-9a-f]{16}")
_DUMMY = (bytes(16), bytes(32))


def create(
    connection: Connection, name: str, rate_limit: int | None, admin: bool, now: datetime
) -> NewKey:
    """See ``Store.create_key``."""
    check_text(name, "name")
    if rate_limit is not None and (type(rate_limit) is not int or not 1 <= rate_limit < 2**31):
        raise StoreError("rate limit: expected requests per minute, a whole number from 1")
    key = ApiKey(secrets.token_hex(8), name, rate_limit, admin, now, None)
    secret = f"cs_{key.id}_{secrets.token_urlsafe(32)}"
    salt = secrets.token_bytes(16)
    connection.execute(
        insert(api_keys).values(
            id=key.id,
            name=name,
            salt=salt,
            hash=_hash(salt, secret),
            rate_limit=rate_limit,
            admin=admin,
            created=now,
        )
    )
    return NewKey(secret, key)


def check(connection: Connection, secret: str) -> ApiKey | None:
    """See ``Store.check_key``."""
    head, _, rest = secret.partition("_")
    key_id = rest.partition("_")[0]
    if head != "cs" or not secret.isascii() or not _ID.fullmatch(key_id):
        return None
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().first()
    salt, stored = _DUMMY if row is None else (row["salt"], row["hash"])
    matches = hmac.compare_digest(_hash(salt, secret), stored)
    return _as_key(row) if row is not None and matches and row["revoked"] is None else None


def _hash(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()


def read(connection: Connection) -> list[ApiKey]:
    """See ``Store.keys``."""
    query = select(api_keys).order_by(api_keys.c.created, api_keys.c.id)
    return [_as_key(row) for row in connection.execute(query).mappings()]


def revoke(connection: Connection, key_id: str, now: datetime) -> bool:
    """See ``Store.revoke_key``."""
    if not _ID.fullmatch(key_id):
        return False
    valid = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
    return connection.execute(update(api_keys).where(valid).values(revoked=now)).rowcount > 0


def _as_key(row: RowMapping) -> ApiKey:
    fields = ("id", "name", "rate_limit", "admin", "created", "revoked")
    return ApiKey(**{name: row[name] for name in fields})
