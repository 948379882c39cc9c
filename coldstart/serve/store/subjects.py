"""Rows about subjects: people whom a caller knows by a name of its own, which is never stored.

A subject is kept as an HMAC-SHA256 under a secret of the database, so that names that can be
guessed, such as numbers of customers, cannot be found by trying them on a copy of the tables alone.
The secret is made at the first opening, and sealed where there is a key to seal with.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, distinct, func, insert, select

from coldstart.serve.store.checks import check_text
from coldstart.serve.store.errors import ExposureNotFound, KeyReused, StoreError
from coldstart.serve.store.records import Deleted, SubjectOutcome
from coldstart.serve.store.sealing import Sealer
from coldstart.serve.store.tables import meta, reactions, showings

MOST_SUBJECT = 128
"""Characters of a subject, at most."""
_SECRET = "subject_secret"


def secret_of(connection: Connection, sealer: Sealer) -> bytes:
    """The database's secret; one is made if there is none yet."""
    stored = connection.scalar(select(meta.c.value).where(meta.c.name == _SECRET))
    if stored is not None:
        return bytes.fromhex(sealer.unseal(stored))
    made = secrets.token_bytes(32)
    connection.execute(insert(meta).values(name=_SECRET, value=sealer.seal(made.hex())))
    return made


def pseudonym(secret: bytes, subject: str) -> str:
    """What is stored in the place of a subject, 64 hexadecimal characters.

    Raises:
        StoreError: it is empty or too long.
    """
    check_text(subject, "subject", longest=MOST_SUBJECT)
    return hmac.digest(secret, subject.encode(), hashlib.sha256).hex()


def show(
    connection: Connection,
    who: str,
    item_ids: Sequence[str],
    experiment: str,
    arm: str,
    artifact: str,
    *,
    now: datetime,
    expires: datetime,
) -> str:
    """See ``Store.show``; ``who`` is a pseudonym."""
    if isinstance(item_ids, str):
        raise StoreError("item ids: expected several texts, got one")
    exposure_id = secrets.token_hex(16)
    connection.execute(
        insert(showings).values(
            exposure_id=exposure_id,
            subject=who,
            experiment=check_text(experiment, "experiment"),
            arm=check_text(arm, "arm"),
            artifact=check_text(artifact, "artifact"),
            item_ids=[check_text(i, "item id") for i in item_ids],
            at=now,
            expires=expires,
        )
    )
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
    connection.execute(
        insert(reactions).values(showing=shown.seq, key=key, kind=kind, item=item, at=now)
    )
    return False


def export(connection: Connection, who: str) -> list[dict[str, Any]]:
    """See ``Store.export_subject``."""
    lists = select(showings).where(of(who)).order_by(showings.c.seq)
    shown = connection.execute(lists.with_for_update()).mappings().all()
    said: dict[int, list[dict[str, Any]]] = {}
    query = select(reactions).join(showings).where(of(who)).order_by(reactions.c.seq)
    for row in connection.execute(query).mappings():
        told = {n: row[n] for n in ("key", "kind", "item")} | {"at": row["at"].isoformat()}
        said.setdefault(row["showing"], []).append(told)
    return [
        {n: row[n] for n in ("exposure_id", "experiment", "arm", "artifact", "item_ids")}
        | {n: row[n].isoformat() for n in ("at", "expires")}
        | {"outcomes": said.get(row["seq"], [])}
        for row in shown
    ]


def remove(connection: Connection, which: ColumnElement[bool], most: int) -> Deleted:
    """Delete at most so many lists and what came of them.

    Lists that somebody is adding an outcome to are waited for.
    """
    query = select(showings.c.seq).where(which).order_by(showings.c.seq).limit(most)
    seqs = connection.scalars(query.with_for_update()).all()
    gone = [
        connection.execute(delete(table).where(column.in_(seqs))).rowcount
        for table, column in ((reactions, reactions.c.showing), (showings, showings.c.seq))
    ]
    return Deleted(outcomes=gone[0], lists=gone[1])


def of(who: str) -> ColumnElement[bool]:
    """Lists shown to a subject."""
    return showings.c.subject == who


def expired(before: datetime) -> ColumnElement[bool]:
    """Lists that had expired by then."""
    return showings.c.expires <= before


def outcomes(connection: Connection, experiment: str, kind: str) -> list[SubjectOutcome]:
    """See ``Store.subject_outcomes``; one statement, so that the numbers fit each other."""
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
