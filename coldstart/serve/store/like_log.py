"""Likes since a position in the store: whose feedback is new, and whose is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Table, func, select

from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.tables import events, reactions, sessions, showings

_AT_ONCE = 500  # ids in one statement


class LogPosition(NamedTuple):
    """Sequence numbers of the last rows that were read: of sessions' events, of outcomes."""

    events: int = 0
    outcomes: int = 0


START = LogPosition()
"""Before the first row."""


@dataclass(frozen=True, slots=True)
class FeedbackRows:
    """Number of rows by person, in a range of the log.

    Args:
        sessions: events by session id.
        subjects: outcomes by the subject's pseudonym.
        last: end of the range.
    """

    sessions: dict[str, int]
    subjects: dict[str, int]
    last: LogPosition

    @property
    def total(self) -> tuple[int, int]:
        """Number of events, and of outcomes."""
        return sum(self.sessions.values()), sum(self.subjects.values())


class LikeLog(StoreBase):
    """Events of sessions and outcomes of subjects, read by position.

    Rows are only added, with rising numbers, or erased with their person. So whoever has read all
    rows up to a position finds later ones behind it, and erased ones by a smaller total. On
    PostgreSQL a number may be committed after a higher one; the total shows these as well.
    """

    def feedback(self, after: LogPosition = START, upto: LogPosition | None = None) -> FeedbackRows:
        """Rows after a position, by person.

        Args:
            after: exclusive.
            upto: inclusive; ``None``: all.
        """
        most = upto or LogPosition(_MOST, _MOST)
        own = reactions.join(showings, reactions.c.showing == showings.c.seq)
        of_events = events, events.c.session_id, events.c.seq
        of_outcomes = own, showings.c.subject, reactions.c.seq
        with self._read() as connection:
            by_session = _rows_by_person(connection, *of_events, after.events, most.events)
            by_subject = _rows_by_person(connection, *of_outcomes, after.outcomes, most.outcomes)
        last = LogPosition(
            max([after.events, *(row[2] for row in by_session)]),
            max([after.outcomes, *(row[2] for row in by_subject)]),
        )
        return FeedbackRows(
            {row[0]: row[1] for row in by_session},
            {row[0]: row[1] for row in by_subject},
            upto or last,
        )

    def feedback_total(self, upto: LogPosition) -> tuple[int, int]:
        """Number of events and of outcomes up to a position."""
        with self._read() as connection:
            return (
                _count(connection, events, upto.events),
                _count(connection, reactions, upto.outcomes),
            )

    def session_states(self, ids: Sequence[str]) -> dict[str, str]:
        """States of sessions by id, as JSON text; those that are gone are left out.

        Raises:
            WrongKey: a state was encrypted with a key that this process does not have.
        """
        out: dict[str, str] = {}
        for start in range(0, len(ids), _AT_ONCE):
            query = select(sessions.c.id, sessions.c.state).where(
                sessions.c.id.in_(ids[start : start + _AT_ONCE])
            )
            with self._read() as connection:
                rows = connection.execute(query).all()
            out.update((row.id, self._encryptor.decrypt(row.state)) for row in rows)
        return out

    def outcomes_of(self, pseudonyms: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Kind and item of each outcome by the subject's pseudonym, oldest first."""
        out: dict[str, list[tuple[str, str]]] = {}
        for start in range(0, len(pseudonyms), _AT_ONCE):
            query = (
                select(showings.c.subject, reactions.c.kind, reactions.c.item)
                .join(showings, reactions.c.showing == showings.c.seq)
                .where(showings.c.subject.in_(pseudonyms[start : start + _AT_ONCE]))
                .order_by(reactions.c.seq)
            )
            with self._read() as connection:
                for row in connection.execute(query):
                    out.setdefault(row.subject, []).append((row.kind, row.item))
        return out


_MOST = (1 << 63) - 1


def _rows_by_person(
    connection: Connection,
    rows: FromClause,
    person: ColumnElement[str],
    seq: ColumnElement[int],
    after: int,
    upto: int,
) -> list[tuple[str, int, int]]:
    """Person, number of rows and last number, of the rows in a range."""
    query = (
        select(person, func.count(), func.max(seq))
        .select_from(rows)
        .where(seq > after, seq <= upto)
        .group_by(person)
    )
    return [(row[0], int(row[1]), int(row[2])) for row in connection.execute(query)]


def _count(connection: Connection, table: Table, upto: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.seq <= upto)
    return int(connection.scalar(query) or 0)
