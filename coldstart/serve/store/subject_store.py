"""Subject part of the store: A/B tests of requests without a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from coldstart.serve.store import subjects
from coldstart.serve.store.base import TTL, StoreBase
from coldstart.serve.store.records import Deleted, SubjectOutcome


class SubjectStore(StoreBase):
    """Exposures and outcomes of pseudonymous subjects."""

    def show(
        self,
        subject: str,
        item_ids: Sequence[str],
        *,
        experiment: str,
        arm: str,
        artifact: str,
        ttl: timedelta = TTL,
    ) -> str:
        """Record an exposure: a list shown to a subject, outside of any session.

        Args:
            subject: user id of the caller's, 1 to 128 characters; only a keyed hash is stored.
            item_ids: items, best first.
            experiment: name of the A/B test.
            arm: arm of the subject.
            artifact: artifact that made the list.
            ttl: how long the record is kept, and accepts outcomes.

        Returns:
            Id of the exposure: 128 random bits as 32 hexadecimal characters.

        Raises:
            StoreError: a text is empty or too long.
        """
        pseudonym, now = subjects.pseudonym(self._secret, subject), self._clock()
        with self._write() as connection:
            return subjects.show(
                connection,
                pseudonym,
                item_ids,
                experiment,
                arm,
                artifact,
                now=now,
                expires=now + ttl,
            )

    def record(self, exposure_id: str, key: str, kind: str, item_id: str) -> bool:
        """Record an outcome of an exposure.

        Args:
            exposure_id: id returned by ``show``.
            key: idempotency key, unique within the exposure; 1 to 200 characters.
            kind: ``"like"``, ``"click"``, …; 1 to 40 characters.
            item_id: an item of the exposure.

        Returns:
            Whether the key had been recorded before; nothing is written then.

        Raises:
            ExposureNotFound: no exposure has this id, or it has expired.
            KeyReused: the key was used for another outcome.
            StoreError: the item was not in the list, or a text is empty or too long.
        """
        with self._write() as connection:
            return subjects.record(connection, exposure_id, key, kind, item_id, self._clock())

    def subject_outcomes(self, experiment: str, kind: str = "like") -> list[SubjectOutcome]:
        """Outcome counts of an A/B test over subjects, by arm; ``outcomes`` is over sessions."""
        with self._read() as connection:
            return subjects.outcomes(connection, experiment, kind)

    def export_subject(self, subject: str) -> list[dict[str, Any]]:
        """Export a subject's exposures, oldest first, with outcomes, as JSON-serializable data."""
        pseudonym = subjects.pseudonym(self._secret, subject)
        with self._write() as connection:  # a write transaction, for a consistent snapshot
            return subjects.export(connection, pseudonym)

    def erase_subject(self, subject: str) -> Deleted:
        """Erase all data of a subject, as ``erase`` does, but in several transactions."""
        pseudonym = subjects.pseudonym(self._secret, subject)
        rows = subjects.shown_to(pseudonym)
        return self._delete_all([lambda connection: subjects.remove(connection, rows, 500)])
