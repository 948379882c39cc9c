"""Outcome counts of A/B tests over sessions."""

from __future__ import annotations

from sqlalchemy import Connection, distinct, func, select

from coldstart.serve.store.records import ArmOutcome
from coldstart.serve.store.tables import events, exposures, sessions
from coldstart.serve.store.validation import check_text


def outcomes(connection: Connection, experiment: str) -> list[ArmOutcome]:
    """See ``Store.outcomes``; a single statement, for consistent counts."""
    check_text(experiment, "experiment")
    members = select(sessions.c.id, sessions.c.arm).where(sessions.c.experiment == experiment).cte()
    shown = (
        select(exposures.c.session_id, func.count().label("n"))
        .join(members, members.c.id == exposures.c.session_id)
        .group_by(exposures.c.session_id)
        .cte()
    )
    liked = (
        select(events.c.session_id, func.count(distinct(events.c.item)).label("n"))
        .join(members, members.c.id == events.c.session_id)
        .where(events.c.kind == "like", events.c.item.is_not(None))
        .group_by(events.c.session_id)
        .cte()
    )
    query = (
        select(
            members.c.arm,
            func.count(),
            func.coalesce(func.sum(shown.c.n), 0),
            func.coalesce(func.sum(liked.c.n), 0),
            func.count(liked.c.session_id),
        )
        .outerjoin(shown, shown.c.session_id == members.c.id)
        .outerjoin(liked, liked.c.session_id == members.c.id)
        .group_by(members.c.arm)
    )
    rows = connection.execute(query).all()
    return sorted((ArmOutcome(r[0], *map(int, r[1:])) for r in rows), key=lambda a: a.arm)
