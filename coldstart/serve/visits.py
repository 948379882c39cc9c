"""Training data from a store: likes as interactions, texts with later likes as requests.

Nothing that identifies a person leaves the store. Users are named by a hash of the session id,
which is 192 random bits, or of the subject's pseudonym; ``user_id`` is dropped, and so is every
attribute of which fewer than ``FEWEST_ALIKE`` users share the value.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from coldstart.data.dataset import Dataset
from coldstart.data.requests.own import part_of
from coldstart.data.requests.recorded import Part, RecordedRequest, RequestLog
from coldstart.interactions.interaction_stats import attribute_groups
from coldstart.schema import Understood, UserProfile
from coldstart.serve.growth import LIKE_KINDS as LIKE_KINDS
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.visit_requests import requests_of, texts_of
from coldstart.session.history import read_history
from coldstart.splitting.user_splits import Split

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.serve.store import Store, SubjectOutcomes, Visit

FEWEST_ALIKE = 5
"""Users who must share an attribute's value for it to be kept."""
_NAMED = ("age", "gender", "occupation", "location", "language")


@dataclass(frozen=True)
class StoreTable:
    """What a store holds to learn from.

    Args:
        data: likes and dislikes by pseudonymous user, with attributes; may have no users.
        split: four fifths of the users to train, the others to validate. A user's part follows from
            the hash, so it is the same in later weeks.
        log: texts, each with the items that were liked after it; users are dealt likewise.
        sessions: number of sessions, with or without likes.
        subjects: number of subjects with outcomes.
        texts: number of texts, with or without a like after them.
        unknown: number of likes of items that the catalog lacks, which are left out.
        unreadable: number of sessions whose state cannot be read, which are left out.
    """

    data: Dataset
    split: Split
    log: RequestLog
    sessions: int
    subjects: int
    texts: int
    unknown: int
    unreadable: int

    @property
    def requests(self) -> int:
        """Number of texts that a like follows."""
        return len(self.log.train) + len(self.log.valid) + len(self.log.test)

    def sentence(self) -> str:
        """What was read, in one sentence."""
        likes = sum(map(len, self.data.likes.values()))
        subjects = f" and {self.subjects:,} subjects" if self.subjects else ""
        lost = f"; {self.unknown:,} likes of items that are gone left out" if self.unknown else ""
        if self.unreadable:
            lost += f"; {self.unreadable:,} sessions that cannot be read left out"
        return (
            f"{self.sessions:,} sessions{subjects}: {len(self.data.likes):,} users with {likes:,} "
            f"likes; {self.texts:,} texts, {self.requests:,} with a like after them{lost}"
        )


def read_store(
    store: Store,
    catalog: Catalog,
    *,
    name: str,
    like_kinds: Collection[str] = LIKE_KINDS,
) -> StoreTable:
    """Read what a store holds to learn from.

    Args:
        store: of a service, which may go on writing.
        catalog: the items, with the logged changes.
        name: of the data.
        like_kinds: kinds of posted outcome that count as a like.

    Raises:
        WrongKey: the store is encrypted with another key than this process has, or with one and it
            has none.
    """
    reading = _StoreReading(catalog)
    for visit in store.visits():
        reading.visit(visit)
    for outcomes in store.all_subject_outcomes():
        reading.subject(outcomes, like_kinds)
    return reading.table(name)


@dataclass
class _StoreReading:
    """State of reading one store."""

    catalog: Catalog
    users: dict[str, UserProfile] = field(default_factory=dict)
    likes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dislikes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    times: dict[str, tuple[float, ...]] = field(default_factory=dict)
    requests: list[RecordedRequest] = field(default_factory=list)
    sessions: int = 0
    subjects: int = 0
    texts: int = 0
    unknown: int = 0
    unreadable: int = 0

    def visit(self, visit: Visit) -> None:
        """Read one session."""
        try:
            state = SessionRecord.from_json(visit.session.state).state
        except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
            self.unreadable += 1
            return
        self.sessions += 1
        # Titles that a text names are wishes more often than likes: they are left to the text.
        user, profile = _name(visit.session.id), read_history(state, _unread).profile
        times = {e.item: e.at for e in visit.events if e.kind == "like" and e.item is not None}
        likes = {pick.item: times.get(pick.item) for pick in profile.liked}
        self._opinions(user, likes, [pick.item for pick in profile.disliked], visit.session.created)
        kept = {n: getattr(profile, n) for n in _NAMED}
        self.users[user] = UserProfile(**kept, attributes=profile.attributes)
        self.texts += len(texts_of(state))
        liked = frozenset(self.likes.get(user, ()))
        self.requests += requests_of(state, user, liked, self.users[user])

    def subject(self, outcomes: SubjectOutcomes, like_kinds: Collection[str]) -> None:
        """Read the outcomes of one subject; the last opinion of an item counts."""
        self.subjects += 1
        user = _name(outcomes.subject)
        likes: dict[str, datetime | None] = {}
        dislikes: dict[str, None] = {}
        for kind, item, at in outcomes.outcomes:
            if kind in like_kinds:
                dislikes.pop(item, None)
                likes.setdefault(item, at)
            elif kind == "dislike":
                likes.pop(item, None)
                dislikes[item] = None
        self._opinions(user, likes, dislikes, outcomes.outcomes[0][2])
        self.users[user] = UserProfile()

    def table(self, name: str) -> StoreTable:
        """What was read, with the attributes that enough users share."""
        shared = shared_attributes(self.users)
        data = Dataset(
            name,
            self.catalog,
            {user: shared[user] for user in self.likes},
            self.likes,
            self.dislikes,
            self.times,
        )
        parts: dict[Part, list[RecordedRequest]] = {"train": [], "valid": [], "test": []}
        for request in self.requests:
            own = replace(request, profile=shared[request.dialogue])
            parts[part_of(request.dialogue)].append(own)
        train = tuple(u for u in self.likes if part_of(u) == "train")
        valid = tuple(u for u in self.likes if part_of(u) != "train")
        log = RequestLog(name, self.catalog, **parts)
        return StoreTable(
            data,
            Split(train, valid, ()),
            log,
            self.sessions,
            self.subjects,
            self.texts,
            self.unknown,
            self.unreadable,
        )

    def _opinions(
        self,
        user: str,
        likes: Mapping[str, datetime | None],
        dislikes: Collection[str],
        begun: datetime,
    ) -> None:
        """Note the opinions on items that the catalog has; times never go back."""
        known = {item: at for item, at in likes.items() if item in self.catalog}
        self.unknown += len(likes) - len(known)
        if low := tuple(item for item in dislikes if item in self.catalog):
            self.dislikes[user] = low
        if not known:
            return
        last, times = begun.timestamp(), []
        for at in known.values():
            last = last if at is None else max(last, at.timestamp())
            times.append(last)
        self.likes[user], self.times[user] = tuple(known), tuple(times)


def shared_attributes(users: Mapping[str, UserProfile]) -> dict[str, UserProfile]:
    """Profiles without attributes of whose group fewer than ``FEWEST_ALIKE`` users are."""
    sizes = Counter(group for profile in users.values() for group in attribute_groups(profile))
    out = {}
    for user, profile in users.items():
        names = [*profile.demographics()]
        groups = attribute_groups(profile)
        keep = {n for n, g in zip(names, groups, strict=True) if sizes[g] >= FEWEST_ALIKE}
        named: dict[str, Any] = {n: getattr(profile, n) if n in keep else None for n in _NAMED}
        other = {n: value for n, value in profile.attributes.items() if n in keep}
        out[user] = UserProfile(**named, attributes=other)
    return out


def _unread(text: str) -> Understood:
    return Understood()


def _name(key: str) -> str:
    """Name of a user that does not lead back to the key."""
    return "v" + hashlib.sha256(key.encode()).hexdigest()[:24]
