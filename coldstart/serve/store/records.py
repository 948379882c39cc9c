"""What goes into the store and what comes out. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Literal

ChangeKind = Literal["add", "update", "remove"]


def shorten(session_id: str) -> str:
    """The part of an id that may be printed: 36 of its 192 bits."""
    return f"{session_id[:6]}…"


@dataclass(frozen=True, slots=True)
class Session:
    """One visitor. ``repr`` shows neither the id nor the state.

    Args:
        id: 192 random bits in 32 URL-safe characters; whoever knows it is the visitor.
        state: JSON text, opaque to the store.
        artifact: name of the artifact that answers.
        experiment: A/B experiment the visitor takes part in; fixed when the session is made.
        arm: the visitor's arm in it; likewise.
        version: 1 at first, one more with every save.
        created: when it was made.
        updated: when it was last saved.
        expires: from then on it is not found, and ``purge`` may delete it.
    """

    id: str = field(repr=False)
    state: str = field(repr=False)
    artifact: str
    experiment: str | None
    arm: str | None
    version: int
    created: datetime
    updated: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a visitor says about an item, as it came in.

    Args:
        key: idempotency key, unique within the session; 1 to 200 characters.
        kind: ``"like"``, ``"dislike"``, ``"click"``, …; 1 to 40 characters. ``Store.outcomes``
            counts ``"like"``.
        item: item id, up to 200 characters, or ``None`` if it is about no item.
        detail: anything more, as text; sealed like the state.
    """

    key: str = field(repr=False)
    kind: str
    item: str | None = None
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One stored feedback; see ``Feedback`` for the first fields.

    Args:
        seq: rises within a session in the order of writing.
        at: when it was stored.
    """

    key: str = field(repr=False)
    kind: str
    item: str | None
    detail: str = field(repr=False)
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to ``Store.append``.

    Args:
        event: the stored event; for a repeated key, the first one.
        repeated: whether the key was known already, so that nothing was written.
        session: the session after the append; its ``version`` is what the next save expects.
    """

    event: Event
    repeated: bool
    session: Session


@dataclass(frozen=True, slots=True)
class Exposure:
    """One list that was shown.

    Args:
        request_id: unique within the session.
        item_ids: what was shown.
        ranks: place of each, from 1; as long as ``item_ids``.
        artifact: what answered.
        arm: the session's arm.
        at: when it was stored.
    """

    request_id: str
    item_ids: tuple[str, ...]
    ranks: tuple[int, ...]
    artifact: str
    arm: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One entry of the catalog's log.

    Args:
        seq: rises in the order of commits, over all processes.
        item: the item as JSON text; ``None`` for ``"remove"``.
    """

    seq: int
    kind: ChangeKind
    item_id: str
    item: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known about an API key; never the key itself.

    Args:
        id: public part of the key, 16 hexadecimal characters.
        name: whom it was given to.
        rate_limit: requests per minute, or ``None`` for no limit; the service enforces it.
        admin: whether it may change the catalog, see outcomes and manage keys.
        revoked: since when it is refused, if it is.
    """

    id: str
    name: str
    rate_limit: int | None
    admin: bool
    created: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh API key; ``secret`` is shown this once and cannot be had again."""

    secret: str = field(repr=False)
    key: ApiKey


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """What one arm of an experiment has brought so far.

    Args:
        arm: its name.
        sessions: sessions in it that have not been erased or purged.
        exposures: lists shown to them.
        likes: different (session, item) pairs with a ``"like"``.
        likers: sessions with at least one like.
    """

    arm: str
    sessions: int
    exposures: int
    likes: int
    likers: int

    @property
    def units(self) -> int:
        """What was dealt to the arm."""
        return self.sessions

    @property
    def successes(self) -> int:
        """Those of them with what is wanted."""
        return self.likers


@dataclass(frozen=True, slots=True)
class SubjectOutcome:
    """What one arm has brought with single requests, by the subjects they were made for.

    Args:
        arm: its name; a subject belongs to the arm of the first list it was shown.
        subjects: those whose lists have not been erased or purged.
        lists: shown to them.
        outcomes: different (subject, item) pairs with an outcome of the kind asked for.
        reached: subjects with at least one.
    """

    arm: str
    subjects: int
    lists: int
    outcomes: int
    reached: int

    @property
    def units(self) -> int:
        """What was dealt to the arm."""
        return self.subjects

    @property
    def successes(self) -> int:
        """Those of them with what is wanted."""
        return self.reached


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many rows were deleted; false if there were none.

    Args:
        sessions: with their events and exposures.
        events: of sessions.
        exposures: of sessions.
        lists: shown to subjects.
        outcomes: of those lists.
    """

    sessions: int = 0
    events: int = 0
    exposures: int = 0
    lists: int = 0
    outcomes: int = 0

    def __bool__(self) -> bool:
        return self.sessions > 0 or self.lists > 0

    def __add__(self, other: Deleted) -> Deleted:
        both = zip(astuple(self), astuple(other), strict=True)
        return Deleted(*(mine + theirs for mine, theirs in both))
