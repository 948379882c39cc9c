"""Record types of the store. Times are timezone-aware, in UTC."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

Row = TypeVar("Row")
ChangeKind = Literal["add", "update", "remove"]


def shorten(session_id: str) -> str:
    """Prefix of a session id that is safe to print: 36 of its 192 bits."""
    return f"{session_id[:6]}…"


@dataclass(frozen=True, slots=True)
class Session:
    """An onboarding session. ``repr`` omits the id and the state.

    Args:
        id: 192 random bits as 32 URL-safe characters; authenticates the user.
        state: JSON text, opaque to the store.
        artifact: name of the artifact that serves the session.
        experiment: A/B test of the session, fixed at creation.
        arm: arm of the session in it, likewise.
        version: 1 at creation, incremented by every save.
        created: time of creation.
        updated: time of the last save.
        expires: time from which it is not found, and ``purge`` may delete it.
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
class NewEvent:
    """An event to be appended to a session: feedback on an item, an answer, or a text.

    Args:
        key: idempotency key, unique within the session; 1 to 200 characters.
        kind: ``"like"``, ``"dislike"``, ``"click"``, …; 1 to 40 characters. ``Store.outcomes``
            counts ``"like"``.
        item: item id, up to 200 characters; ``None`` for events without an item.
        detail: further content as text; encrypted like the state.
    """

    key: str = field(repr=False)
    kind: str
    item: str | None = None
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event; see ``NewEvent`` for the first fields.

    Args:
        seq: sequence number, increasing within a session.
        at: time of storage.
    """

    key: str = field(repr=False)
    kind: str
    item: str | None
    detail: str = field(repr=False)
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """Result of ``Store.append``.

    Args:
        event: the stored event; for a known key, the first one.
        repeated: whether the key was known, so that nothing was written.
        session: the session after the append; pass its ``version`` to the next save.
    """

    event: Event
    repeated: bool
    session: Session


@dataclass(frozen=True, slots=True)
class Exposure:
    """An exposure: one list shown in a session.

    Args:
        request_id: unique within the session.
        item_ids: items shown.
        ranks: rank of each item, from 1; as long as ``item_ids``.
        artifact: artifact that made the list.
        arm: A/B arm of the session.
        at: time of storage.
    """

    request_id: str
    item_ids: tuple[str, ...]
    ranks: tuple[int, ...]
    artifact: str
    arm: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A session with its events, for training.

    Args:
        session: the session as stored.
        events: its events, oldest first.
    """

    session: Session
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SubjectOutcomes:
    """Outcomes of one subject, for training. ``repr`` omits the pseudonym.

    Args:
        subject: keyed hash of the subject.
        outcomes: (kind, item id, time) of each outcome, oldest first.
    """

    subject: str = field(repr=False)
    outcomes: tuple[tuple[str, str, datetime], ...]


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list that was shown to somebody, for reports. ``repr`` omits the person.

    Args:
        person: session id, or pseudonym of a subject; equal for lists of one person.
        item_ids: items shown, best first.
        artifact: artifact that made the list.
        experiment: A/B test of the person, if any.
        arm: arm of the person in it.
        at: time of storage.
    """

    person: str = field(repr=False)
    item_ids: tuple[str, ...]
    artifact: str
    experiment: str | None
    arm: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ItemReaction:
    """What somebody did with an item, for reports. ``repr`` omits the person.

    Args:
        person: as in ``ShownList``.
        kind: ``"like"``, ``"dislike"``, ``"click"``, ….
        item: item id.
        at: time of storage.
    """

    person: str = field(repr=False)
    kind: str
    item: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewestRows(Generic[Row]):
    """The newest rows of a time.

    Args:
        rows: the newest first.
        complete: whether these are all; otherwise there were more than were asked for.
    """

    rows: tuple[Row, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change to be logged; see ``CatalogChange`` for the fields."""

    kind: ChangeKind
    item_id: str
    item: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """An entry of the catalog change log.

    Args:
        seq: sequence number, increasing in the order of commits over all processes.
        kind: kind of change; ``"damaged"``: the row cannot be read.
        item_id: id of the item.
        item: the item as JSON text; ``None`` for ``"remove"``.
        at: time of storage.
        batch: ``seq`` of the first change of its transaction; all of them are applied, or none.
    """

    seq: int
    kind: ChangeKind | Literal["damaged"]
    item_id: str
    item: str | None
    at: datetime
    batch: int


@dataclass(frozen=True, slots=True)
class ReleaseArm:
    """One artifact of a release.

    Args:
        name: name of the arm.
        artifact: folder; ``None``: what the service was started with.
        weight: share of the traffic, relative to that of other arms.
    """

    name: str
    artifact: str | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Release:
    """What the services of a store serve.

    Args:
        seq: 1 for the first release, incremented by each one, roll-backs too.
        arms: one artifact, or those of an A/B test, the control first; empty: what each service
            was started with.
        before: arms of earlier releases to roll back to, the latest last.
        at: time of the release.
    """

    seq: int
    arms: tuple[ReleaseArm, ...]
    before: tuple[tuple[ReleaseArm, ...], ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Metadata of an API key, without its secret.

    Args:
        id: public part of the key, 16 hexadecimal characters.
        name: name of the client.
        rate_limit: requests per minute, enforced by the service; ``None`` for no limit.
        admin: whether it may change the catalog, reload artifacts and access subjects' data.
        created: time of creation.
        revoked: time of revocation, if revoked.
    """

    id: str
    name: str
    rate_limit: int | None
    admin: bool
    created: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new API key; ``secret`` cannot be retrieved later."""

    secret: str = field(repr=False)
    key: ApiKey


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """Outcome counts of one A/B arm over sessions.

    Args:
        arm: name of the arm.
        sessions: sessions that have not been erased or purged.
        exposures: lists shown to them.
        likes: distinct (session, item) pairs with a ``"like"``.
        likers: sessions with at least one like.
    """

    arm: str
    sessions: int
    exposures: int
    likes: int
    likers: int

    @property
    def units(self) -> int:
        """Number of units of assignment in the arm."""
        return self.sessions

    @property
    def successes(self) -> int:
        """Number of units with a success."""
        return self.likers


@dataclass(frozen=True, slots=True)
class SubjectOutcome:
    """Outcome counts of one A/B arm over subjects.

    Args:
        arm: name of the arm; a subject belongs to the arm of its first exposure.
        subjects: subjects whose lists have not been erased or purged.
        lists: lists shown to them.
        outcomes: distinct (subject, item) pairs with an outcome of the requested kind.
        reached: subjects with at least one such outcome.
    """

    arm: str
    subjects: int
    lists: int
    outcomes: int
    reached: int

    @property
    def units(self) -> int:
        """Number of units of assignment in the arm."""
        return self.subjects

    @property
    def successes(self) -> int:
        """Number of units with a success."""
        return self.reached


@dataclass(frozen=True, slots=True)
class Deleted:
    """Numbers of deleted rows; false if no session and no list was deleted.

    Args:
        sessions: sessions.
        events: events of sessions.
        exposures: exposures of sessions.
        lists: exposures of subjects.
        outcomes: outcomes of subjects.
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
        return Deleted(*(a + b for a, b in both))
