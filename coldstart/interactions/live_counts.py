"""Incremental interaction statistics: one like at a time, identical to a full recount."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from coldstart.errors import DataError
from coldstart.interactions.interaction_stats import EARLY, Counts, attribute_groups
from coldstart.schema import UserProfile

_LOG_ROWS = 1 << 16  # minimum length of the change log before it is merged


@dataclass
class _User:
    groups: list[str]
    likes: list[int] = field(default_factory=list)  # columns, oldest first, each once


class LiveCounts:
    """Incrementally updated ``Counts``.

    ``counts()`` always equals ``Counts.fit`` on the same users and likes, to the last bit: all
    entries are whole numbers. A like costs O(n + g) for a user with n likes and g demographic
    groups, independent of the catalog's size; a snapshot costs one sparse sum of the entries and is
    cached until the next change. Item-to-item counts are a matrix and a log of changes (the two
    parts of a log-structured merge tree, O'Neil et al., 1996); the log is merged when it is as long
    as the matrix, so that memory stays bounded and merging costs amortised O(1) per change.

    Not thread-safe.

    Args:
        base: initial counts. Their users are anonymous: they cannot be updated or removed. ``fit``
            makes counts of identified users.
        first: number of first likes that count as early; as in ``Counts.fit`` of the base.
    """

    def __init__(self, base: Counts, *, first: int = EARLY) -> None:
        self._first = first
        self._ids = list(base.item_ids)
        self._column = {item: n for n, item in enumerate(base.item_ids)}
        self._n_users = base.n_users
        self._likes, self._early = base.likes.copy(), base.early.copy()
        self._group_sizes = dict(base.group_sizes)
        self._group_likes = {g: likes.copy() for g, likes in base.group_likes.items()}
        self._together, self._later = _Pairs(base.together), _Pairs(base.later)
        self._users: dict[str, _User] = {}
        self._snapshot: Counts | None = None

    @classmethod
    def fit(
        cls,
        item_ids: Sequence[str],
        users: Mapping[str, UserProfile],
        likes: Mapping[str, Sequence[str]],
        *,
        first: int = EARLY,
    ) -> LiveCounts:
        """Count the likes of identified users, for later updates; see ``Counts.fit``.

        >>> live = LiveCounts.fit(["a", "b"], {"u": UserProfile(age=24)}, {"u": ["a"]})
        >>> live.observe("u", "b")
        True
        >>> live.counts().likes.tolist()
        [1.0, 1.0]
        """
        out = cls(Counts.fit(item_ids, users, likes, first=first), first=first)
        for user, profile in users.items():
            known = out._known(likes.get(user, ()))
            out._users[user] = _User(attribute_groups(profile), known)
        return out

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._users

    @property
    def n_users(self) -> int:
        """Number of users, including those of the base."""
        return self._n_users

    def has_item(self, item_id: str) -> bool:
        """Whether likes of an item are counted."""
        return item_id in self._column

    def likes_of(self, user_id: str) -> tuple[str, ...]:
        """Likes of a user, oldest first. Raises ``DataError`` for an unknown one."""
        return tuple(self._ids[column] for column in self._user(user_id).likes)

    def add_user(self, user_id: str, profile: UserProfile, likes: Sequence[str] = ()) -> None:
        """Add a user.

        Args:
            user_id: a new id.
            profile: its attributes determine the demographic groups; its picks are not counted.
            likes: item ids, oldest first; repeats and items without a column are ignored.

        Raises:
            DataError: the id is already in use.
        """
        if user_id in self._users:
            raise DataError(
                f"user {user_id!r} is counted already",
                hint="use observe for another like, or remove_user first",
            )
        user = self._users[user_id] = _User(attribute_groups(profile))
        self._count_user(user, +1)
        for column in self._known(likes):
            self._count_like(user, column, +1)
            user.likes.append(column)

    def observe(self, user_id: str, item_id: str) -> bool:
        """Add a like.

        Returns:
            Whether the counts changed: repeated likes, and items without a column (see
            ``add_items``), are ignored.

        Raises:
            DataError: an unknown user.
        """
        user = self._user(user_id)
        column = self._column.get(item_id)
        if column is None or column in user.likes:
            return False
        self._count_like(user, column, +1)
        user.likes.append(column)
        return True

    def retract(self, user_id: str, item_id: str) -> bool:
        """Remove a like; costs O(n²) for a user with n likes.

        Returns:
            Whether there was such a like.

        Raises:
            DataError: an unknown user.
        """
        user = self._user(user_id)
        column = self._column.get(item_id)
        if column is None or column not in user.likes:
            return False
        kept = [c for c in user.likes if c != column]
        self._uncount_likes(user)
        for other in kept:
            self._count_like(user, other, +1)
            user.likes.append(other)
        return True

    def remove_user(self, user_id: str) -> None:
        """Remove a user and all their likes; costs O(n²) for n likes.

        Raises:
            DataError: an unknown user.
        """
        user = self._user(user_id)
        self._uncount_likes(user)
        self._count_user(user, -1)
        del self._users[user_id]

    def add_items(self, item_ids: Sequence[str]) -> None:
        """Append columns for new items, without likes.

        Raises:
            DataError: an item has a column, or is named twice.
        """
        if known := [i for i in item_ids if i in self._column]:
            raise DataError(f"item {known[0]!r} is counted already", hint="add new items only")
        if len(set(item_ids)) < len(item_ids):
            raise DataError("an item is named twice", hint="give each new item once")
        if not item_ids:
            return
        self._column |= {item: len(self._column) + n for n, item in enumerate(item_ids)}
        self._ids += item_ids
        zeros = np.zeros(len(item_ids))
        self._likes = np.concatenate([self._likes, zeros])
        self._early = np.concatenate([self._early, zeros])
        self._group_likes = {g: np.concatenate([x, zeros]) for g, x in self._group_likes.items()}
        self._together.resize(len(self._column))
        self._later.resize(len(self._column))
        self._snapshot = None

    def counts(self) -> Counts:
        """Snapshot of the counts; not affected by later changes."""
        if self._snapshot is None:
            self._snapshot = Counts(
                item_ids=tuple(self._ids),
                n_users=self._n_users,
                likes=self._likes.copy(),
                group_sizes=dict(self._group_sizes),
                group_likes={g: likes.copy() for g, likes in self._group_likes.items()},
                together=self._together.matrix(),
                early=self._early.copy(),
                later=self._later.matrix(),
            )
        return self._snapshot

    def _known(self, items: Sequence[str]) -> list[int]:
        return [self._column[i] for i in dict.fromkeys(items) if i in self._column]

    def _user(self, user_id: str) -> _User:
        if user_id not in self._users:
            raise DataError(
                f"user {user_id!r} is not known by name",
                hint="call add_user first; users of the base counts cannot be told apart",
            )
        return self._users[user_id]

    def _count_user(self, user: _User, sign: int) -> None:
        self._snapshot = None
        self._n_users += sign
        for group in user.groups:
            size = self._group_sizes.get(group, 0) + sign
            if size:
                self._group_sizes[group] = size
                self._group_likes.setdefault(group, np.zeros(len(self._column)))
            else:  # a recount would not contain the group
                self._group_sizes.pop(group)
                self._group_likes.pop(group)

    def _count_like(self, user: _User, column: int, sign: int) -> None:
        """Add (``sign`` +1) or subtract (−1) a like that follows ``user.likes``."""
        self._snapshot = None
        before = user.likes
        self._likes[column] += sign
        for group in user.groups:
            self._group_likes[group][column] += sign
        if len(before) < self._first:
            self._early[column] += sign
        self._together.add(
            [*before, *[column] * len(before)], [*[column] * len(before), *before], sign
        )
        early = before[: self._first]
        self._later.add(early, [column] * len(early), sign)

    def _uncount_likes(self, user: _User) -> None:
        while user.likes:
            self._count_like(user, user.likes.pop(), -1)


class _Pairs:
    """Sparse matrix of whole numbers with a log of unmerged changes."""

    def __init__(self, base: sparse.csr_array) -> None:
        self._matrix = sparse.csr_array(base, dtype=np.float64, copy=True)
        self._matrix.sort_indices()
        self._clear()

    def add(self, rows: Sequence[int], columns: Sequence[int], by: int) -> None:
        """Log the addition of ``by`` to entries."""
        self._rows.extend(rows)
        self._columns.extend(columns)
        self._by.extend([by] * len(rows))
        if len(self._by) > max(_LOG_ROWS, self._matrix.nnz):
            self._merge()

    def matrix(self) -> sparse.csr_array:
        """Merged matrix, without explicit zeros, columns sorted."""
        self._merge()
        return self._matrix.copy()

    def resize(self, n: int) -> None:
        """Grow to n × n; new entries are 0."""
        self._merge()
        self._matrix.resize((n, n))

    def _merge(self) -> None:
        if not len(self._by):
            return
        index = (_numbers(self._rows), _numbers(self._columns))
        values = _numbers(self._by).astype(np.float64)
        change = sparse.csr_array((values, index), shape=self._matrix.shape)
        self._matrix = sparse.csr_array(self._matrix + change)
        self._matrix.eliminate_zeros()
        self._matrix.sort_indices()
        self._clear()

    def _clear(self) -> None:
        self._rows, self._columns, self._by = array("q"), array("q"), array("q")


def _numbers(log: array[int]) -> NDArray[np.int64]:
    return np.array(log, dtype=np.int64)
