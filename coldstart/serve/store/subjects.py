"""Subjects: table operations on exposures and outcomes of pseudonymous users.

A subject is stored as an HMAC-SHA256 keyed with a secret of the database, so guessable user ids,
such as customer numbers, cannot be recovered by brute force from a copy of the tables alone. The
secret is generated when the database is first opened, and encrypted if encryption is enabled.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, distinct, func, insert, select

from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.errors import ExposureNotFound, KeyReused, StoreError
from coldstart.serve.store.records import Deleted, SubjectOutcome
from coldstart.serve.store.tables import meta, reactions, showings
from coldstart.serve.store.validation import check_text

MOST_SUBJECT = 128
"""Maximum length of a subject, in characters."""
_SECRET = "subject_secret"


def secret_of(connection: Connection, encryptor: Encryptor) -> bytes:
    """HMAC key of the database; generated on first use."""
    stored = connection.scalar(select(meta.c.value).where(meta.c.name == _SECRET))
    if stored is not None:
        return bytes.fromhex(encryptor.decrypt(stored))
    secret = secrets.token_bytes(32)
    # Apart from the statement: SQLAlchemy keeps the first one of each kind, with what is in it.
    connection.execute(insert(meta), {"name": _SECRET, "value": encryptor.encrypt(secret.hex())})
    return secret


def pseudonym(secret: bytes, subject: str) -> str:
    """Pseudonym of a subject: 64 hexadecimal characters.

    Raises:
        StoreError: the subject is empty or too long.
    """
    check_text(subject, "subject", longest=MOST_SUBJECT)
    return hmac.digest(secret, subject.encode(), hashlib.sha256).hex()


def show(
    connection: Connection,
    pseudonym: str,
    item_ids: Sequence[str],
    experiment: str,
    arm: str,
    artifact: str,
    *,
    now: datetime,
    expires: datetime,
) -> str:
    """See ``Store.show``."""
    if isinstance(item_ids, str):
        raise StoreError("item ids: expected several texts, got one")
    exposure_id = secrets.token_hex(16)
    values = {
        "exposure_id": exposure_id,
        "subject": pseudonym,
        "experiment": check_text(experiment, "experiment"),
        "arm": check_text(arm, "arm"),
        "artifact": check_text(artifact, "artifact"),
        "item_ids": [check_text(i, "item id") for i in item_ids],
        "at": now,
        "expires": expires,
    }
    connection.execute(insert(showings), values)
    return exposure_id


def record(
    connection: Connection, exposure_id: str, key: str, kind: str, item: str, now: datetime
) -> bool:
    """See ``Store.record``."""
    check_text(key, "idempotency key")
    check_text(kind, "kind", longest=40)
    check_text(item, "item")
    found = select(showings.c.seq, showings.c.item_ids).where(
        showings.c.exposure_id == check_text(exposure_id, "exposure id"), showings.c.expires > now
    )
    shown = connection.execute(found.with_for_update()).first()
    if shown is None:
        raise ExposureNotFound("no such exposure", hint="it may have expired, or been erased")
    if item not in shown.item_ids:
        raise StoreError("the item is not in the list that was shown", hint="send one that is")
    same = select(reactions.c.kind, reactions.c.item).where(
        reactions.c.showing == shown.seq, reactions.c.key == key
    )
    if (first := connection.execute(same).first()) is not None:
        if tuple(first) != (kind, item):
            raise KeyReused(
                "the idempotency key was used for another outcome",
                hint="use a new key for a new outcome",
            )
        return True
    values = {"showing": shown.seq, "key": key, "kind": kind, "item": item, "at": now}
    connection.execute(insert(reactions), values)
    return False


def export(connection: Connection, pseudonym: str) -> list[dict[str, Any]]:
    """See ``Store.export_subject``."""
    lists = select(showings).where(shown_to(pseudonym)).order_by(showings.c.seq)
    shown = connection.execute(lists.with_for_update()).mappings().all()
    outcomes_of: dict[int, list[dict[str, Any]]] = {}
    query = select(reactions).join(showings).where(shown_to(pseudonym)).order_by(reactions.c.seq)
    for row in connection.execute(query).mappings():
        outcome = {n: row[n] for n in ("key", "kind", "item")} | {"at": row["at"].isoformat()}
        outcomes_of.setdefault(row["showing"], []).append(outcome)
    return [
        {n: row[n] for n in ("exposure_id", "experiment", "arm", "artifact", "item_ids")}
        | {n: row[n].isoformat() for n in ("at", "expires")}
        | {"outcomes": outcomes_of.get(row["seq"], [])}
        for row in shown
    ]


def remove(connection: Connection, which: ColumnElement[bool], most: int) -> Deleted:
    """Delete at most ``most`` exposures with their outcomes.

    Waits for concurrent transactions that add outcomes to them.
    """
    query = select(showings.c.seq).where(which).order_by(showings.c.seq).limit(most)
    seqs = connection.scalars(query.with_for_update()).all()
    gone = [
        connection.execute(delete(table).where(column.in_(seqs))).rowcount
        for table, column in ((reactions, reactions.c.showing), (showings, showings.c.seq))
    ]
    return Deleted(outcomes=gone[0], lists=gone[1])


def shown_to(pseudonym: str) -> ColumnElement[bool]:
    """Condition: exposures of a subject."""
    return showings.c.subject == pseudonym


def expired(before: datetime) -> ColumnElement[bool]:
    """Condition: exposures that expired at or before ``before``."""
    return showings.c.expires <= before


def outcomes(connection: Connection, experiment: str, kind: str) -> list[SubjectOutcome]:
    """See ``Store.subject_outcomes``; a single statement, for consistent counts."""
    check_text(experiment, "experiment")
    check_text(kind, "kind", longest=40)
    shown = (
        select(showings.c.subject, func.min(showings.c.seq).label("first"), func.count().label("n"))
        .where(showings.c.experiment == experiment)
        .group_by(showings.c.subject)
        .cte()
    )
    done = (
        select(showings.c.subject, func.count(distinct(reactions.c.item)).label("n"))
        .join(reactions, reactions.c.showing == showings.c.seq)
        .where(showings.c.experiment == experiment, reactions.c.kind == kind)
        .group_by(showings.c.subject)
        .cte()
    )
    query = (
        select(
            showings.c.arm,
            func.count(),
            func.sum(shown.c.n),
            func.coalesce(func.sum(done.c.n), 0),
            func.count(done.c.subject),
        )
        .join(shown, shown.c.first == showings.c.seq)
        .outerjoin(done, done.c.subject == shown.c.subject)
        .group_by(showings.c.arm)
    )
    rows = connection.execute(query).all()
    return sorted((SubjectOutcome(r[0], *map(int, r[1:])) for r in rows), key=lambda a: a.arm)
