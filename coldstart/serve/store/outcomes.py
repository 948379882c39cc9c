"""What the arms of an experiment have brought."""

from __future__ import annotations

from sqlalchemy import Connection, distinct, func, select

from coldstart.serve.store.checks import check_text
from coldstart.serve.store.records import ArmOutcome
from coldstart.serve.store.tables import events, exposures, sessions


def outcomes(connection: Connection, experiment: str) -> list[ArmOutcome]:
    """See ``Store.outcomes``; one statement, so that the numbers fit each other."""
    check_text(experiment, "experiment")
    people = select(sessions.c.id, sessions.c.arm).where(sessions.c.experiment == experiment).cte()
    shown = (
        select(exposures.c.session_id, func.count().label("n"))
        .join(people, people.c.id == exposures.c.session_id)
        .group_by(exposures.c.session_id)
        .cte()
    )
    liked = (
        select(events.c.session_id, func.count(distinct(events.c.item)).label("n"))
        .join(people, people.c.id == events.c.session_id)
        .where(events.c.kind == "like", events.c.item.is_not(None))
        .group_by(events.c.session_id)
        .cte()
    )
    query = (
        select(
            people.c.arm,
            func.count(),
            func.coalesce(func.sum(shown.c.n), 0),
            func.coalesce(func.sum(liked.c.n), 0),
            func.count(liked.c.session_id),
        )
        .outerjoin(shown, shown.c.session_id == people.c.id)
        .outerjoin(liked, liked.c.session_id == people.c.id)
        .group_by(people.c.arm)
    )
    rows = connection.execute(query).all()
    return sorted((ArmOutcome(r[0], *map(int, r[1:])) for r in rows), key=lambda a: a.arm)
