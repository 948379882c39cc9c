"""Releases: which artifacts the services of a store serve, and which ones they served before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.errors import Conflict, StoreError
from coldstart.serve.store.records import Release, ReleaseArm
from coldstart.serve.store.tables import meta
from coldstart.serve.store.validation import check_text

_NAME = "release"
MOST_BEFORE = 20
"""Earlier releases that are kept to roll back to."""
_LONGEST = 4096  # characters of a folder


class ReleaseStore(StoreBase):
    """The release of a store; all services that share the store follow it."""

    def release(self) -> Release | None:
        """The latest release; ``None``: each service serves what it was started with."""
        with self._read() as connection:
            return self._found(connection)

    def new_release(self, arms: Sequence[ReleaseArm], *, after: int | None = None) -> Release:
        """Serve these artifacts from now on; the present ones can be rolled back to.

        Args:
            arms: one, or several for an A/B test, the control first.
            after: number of the release that the caller knows, 0 for none; ``None``: any.

        Raises:
            StoreError: no arm, two arms of one name, or an invalid field.
            Conflict: another release was made meanwhile.
        """
        _check(arms)

        def step(found: Release | None) -> tuple[Sequence[ReleaseArm], list[list[ReleaseArm]]]:
            before = [list(arms) for arms in found.before] if found else []
            before.append(list(found.arms) if found else [])
            return arms, before[-MOST_BEFORE:]

        return self._change(step, after)

    def roll_back(self, *, after: int | None = None) -> Release:
        """Serve again what was served before the latest release.

        Args:
            after: as for ``new_release``.

        Raises:
            Conflict: nothing was served before, or another release was made meanwhile.
        """

        def step(found: Release | None) -> tuple[Sequence[ReleaseArm], list[list[ReleaseArm]]]:
            if found is None or not found.before:
                raise Conflict(
                    "nothing was served before", hint="a release comes first: serve use ARTIFACT"
                )
            return found.before[-1], [list(arms) for arms in found.before[:-1]]

        return self._change(step, after)

    def _change(
        self,
        step: Callable[[Release | None], tuple[Sequence[ReleaseArm], list[list[ReleaseArm]]]],
        after: int | None,
    ) -> Release:
        with self._write() as connection:
            if connection.dialect.name == "postgresql":  # a row that is not there cannot be locked
                connection.execute(text(f"LOCK TABLE {meta.name} IN SHARE ROW EXCLUSIVE MODE"))
            found = self._found(connection)
            newest = found.seq if found else 0
            if after is not None and after != newest:
                raise Conflict(
                    f"release {newest} was made meanwhile, after {after}", hint="look, then repeat"
                )
            arms, before = step(found)
            value = {
                "seq": newest + 1,
                "arms": [asdict(arm) for arm in arms],
                "before": [[asdict(arm) for arm in arms] for arms in before],
                "at": self._clock().isoformat(),
            }
            sealed = self._encryptor.encrypt(json.dumps(value))
            if found is None:
                connection.execute(insert(meta).values(name=_NAME, value=sealed))
            else:
                connection.execute(update(meta).where(meta.c.name == _NAME).values(value=sealed))
        return _release(value)

    def _found(self, connection: Connection) -> Release | None:
        stored = connection.scalar(select(meta.c.value).where(meta.c.name == _NAME))
        return None if stored is None else _release(json.loads(self._encryptor.decrypt(stored)))


def _release(data: dict[str, Any]) -> Release:
    arms, before = (
        tuple(tuple(ReleaseArm(**arm) for arm in arms) for arms in lists)
        for lists in ([data["arms"]], data["before"])
    )
    return Release(data["seq"], arms[0], before, datetime.fromisoformat(data["at"]))


def _check(arms: Sequence[ReleaseArm]) -> None:
    if not arms or len({arm.name for arm in arms}) < len(arms):
        raise StoreError("arms: expected one or more, of different names")
    for arm in arms:
        check_text(arm.name, "arm", longest=100)
        if arm.artifact is not None:
            check_text(arm.artifact, "artifact", longest=_LONGEST)
        if not 0 < arm.weight < float("inf"):
            raise StoreError(f"weight: expected more than 0, got {arm.weight:g}")
