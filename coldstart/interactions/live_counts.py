"""Counts that follow feedback one like at a time, equal to counting everything again."""

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

_LOG_ROWS = 1 << 16  # changes noted before they are merged, for small matrices


@dataclass
class _Person:
    groups: list[str]
    likes: list[int] = field(default_factory=list)  # columns, oldest first, each once


class LiveCounts:
    """``Counts`` that learn from single likes, without counting anything again.

    ``counts()`` always equals ``Counts.fit`` on the same users and likes, to the last bit: all
    entries are whole numbers. A like costs O(n + g) for a user with n likes and g attribute groups,
    whatever the size of the catalog; a snapshot costs one sparse sum of the entries and is kept
    until something changes. Item-to-item counts are a matrix and a log of changes (the two parts of
    a log-structured merge tree, O'Neil et al., 1996); the log is merged when it is as long as the
    matrix, so that memory stays bounded and the merging costs O(1) per change on average.

    Not safe for several threads without a lock.

    Args:
        base: what is known already. Its users are counted, but not known by name: they cannot like
            anything more, nor be removed. ``fit`` makes counts whose users can.
        first: how many first likes count as early ones; as in ``Counts.fit`` of the base.
    """

    def __init__(self, base: Counts, *, first: int = EARLY) -> None:
        self._first = first
        self._column = {item: n for n, item in enumerate(base.item_ids)}
        self._n_users = base.n_users
        self._likes, self._early = base.likes.copy(), base.early.copy()
        self._group_sizes = dict(base.group_sizes)
        self._group_likes = {g: likes.copy() for g, likes in base.group_likes.items()}
        self._together, self._later = _Pairs(base.together), _Pairs(base.later)
        self._people: dict[str, _Person] = {}
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
        """Count the likes of users who may like more, or leave, later; see ``Counts.fit``.

        >>> live = LiveCounts.fit(["a", "b"], {"u": UserProfile(age=24)}, {"u": ["a"]})
        >>> live.observe("u", "b")
        True
        >>> live.counts().likes.tolist()
        [1.0, 1.0]
        """
        out = cls(Counts.fit(item_ids, users, likes, first=first), first=first)
        for user, profile in users.items():
            known = out._known(likes.get(user, ()))
            out._people[user] = _Person(attribute_groups(profile), known)
        return out

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._people

    @property
    def n_users(self) -> int:
        """Number of users counted, those of the base among them."""
        return self._n_users

    def add_user(self, user_id: str, profile: UserProfile, likes: Sequence[str] = ()) -> None:
        """Count one more person.

        Args:
            user_id: a name not known yet.
            profile: whose attributes say which groups the likes go to; its picks are not counted.
            likes: item ids, oldest first; repeats and items without a column are ignored.

        Raises:
            DataError: the user is known.
        """
        if user_id in self._people:
            raise DataError(
                f"user {user_id!r} is counted already",
                hint="use observe for another like, or remove_user first",
            )
        person = self._people[user_id] = _Person(attribute_groups(profile))
        self._count_person(person, +1)
        for column in self._known(likes):
            self._count_like(person, column, +1)
            person.likes.append(column)

    def observe(self, user_id: str, item_id: str) -> bool:
        """Count that a user now likes an item.

        Returns:
            Whether anything changed: a second like of an item counts nothing, nor does an item
            without a column (``add_items`` gives it one).

        Raises:
            DataError: the user is not known.
        """
        person = self._person(user_id)
        column = self._column.get(item_id)
        if column is None or column in person.likes:
            return False
        self._count_like(person, column, +1)
        person.likes.append(column)
        return True

    def retract(self, user_id: str, item_id: str) -> bool:
        """Count a user as if the item had never been liked; costs O(n²) for n likes.

        Returns:
            Whether it was liked.

        Raises:
            DataError: the user is not known.
        """
        person = self._person(user_id)
        column = self._column.get(item_id)
        if column is None or column not in person.likes:
            return False
        kept = [c for c in person.likes if c != column]
        self._uncount_likes(person)
        for other in kept:
            self._count_like(person, other, +1)
            person.likes.append(other)
        return True

    def remove_user(self, user_id: str) -> None:
        """Forget a person and all their likes; costs O(n²) for n likes.

        Raises:
            DataError: the user is not known.
        """
        person = self._person(user_id)
        self._uncount_likes(person)
        self._count_person(person, -1)
        del self._people[user_id]

    def add_items(self, item_ids: Sequence[str]) -> None:
        """Give new items a column, behind the others; likes count from now on.

        Raises:
            DataError: an item has a column.
        """
        if known := [i for i in item_ids if i in self._column]:
            raise DataError(f"item {known[0]!r} is counted already", hint="add new items only")
        if len(set(item_ids)) < len(item_ids):
            raise DataError("an item is named twice", hint="give each new item once")
        self._column |= {item: len(self._column) + n for n, item in enumerate(item_ids)}
        zeros = np.zeros(len(item_ids))
        self._likes = np.concatenate([self._likes, zeros])
        self._early = np.concatenate([self._early, zeros])
        self._group_likes = {g: np.concatenate([x, zeros]) for g, x in self._group_likes.items()}
        self._together.resize(len(self._column))
        self._later.resize(len(self._column))
        self._snapshot = None

    def counts(self) -> Counts:
        """Everything counted so far; later likes do not change what is returned."""
        if self._snapshot is None:
            self._snapshot = Counts(
                item_ids=tuple(self._column),
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

    def _person(self, user_id: str) -> _Person:
        if user_id not in self._people:
            raise DataError(
                f"user {user_id!r} is not known by name",
                hint="call add_user first; users of the base counts cannot be told apart",
            )
        return self._people[user_id]

    def _count_person(self, person: _Person, sign: int) -> None:
        self._snapshot = None
        self._n_users += sign
        for group in person.groups:
            size = self._group_sizes.get(group, 0) + sign
            if size:
                self._group_sizes[group] = size
                self._group_likes.setdefault(group, np.zeros(len(self._column)))
            else:  # counting again would not know the group
                self._group_sizes.pop(group)
                self._group_likes.pop(group)

    def _count_like(self, person: _Person, column: int, sign: int) -> None:
        """Count a like that comes after ``person.likes``, or take it back."""
        self._snapshot = None
        before = person.likes
        self._likes[column] += sign
        for group in person.groups:
            self._group_likes[group][column] += sign
        if len(before) < self._first:
            self._early[column] += sign
        self._together.add(
            [*before, *[column] * len(before)], [*[column] * len(before), *before], sign
        )
        early = before[: self._first]
        self._later.add(early, [column] * len(early), sign)

    def _uncount_likes(self, person: _Person) -> None:
        while person.likes:
            self._count_like(person, person.likes.pop(), -1)


class _Pairs:
    """A sparse matrix of whole numbers, and changes that are not merged into it yet."""

    def __init__(self, base: sparse.csr_array) -> None:
        self._matrix = sparse.csr_array(base, dtype=np.float64, copy=True)
        self._matrix.sort_indices()
        self._clear()

    def add(self, rows: Sequence[int], columns: Sequence[int], by: int) -> None:
        """Add ``by`` to some entries."""
        self._rows.extend(rows)
        self._columns.extend(columns)
        self._by.extend([by] * len(rows))
        if len(self._by) > max(_LOG_ROWS, self._matrix.nnz):
            self._merge()

    def matrix(self) -> sparse.csr_array:
        """All entries; no zero is stored and columns are in order."""
        self._merge()
        return self._matrix.copy()

    def resize(self, n: int) -> None:
        """Make it n × n; new entries are 0."""
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
