"""What is known without the language model: popularity by whom, and what is liked together.

Everything here is counts over training users. ``without=`` leaves one of those users out, so that
a training user can be treated as the stranger that a real new user is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from coldstart.schema import UserProfile

Floats = NDArray[np.float64]

_FLOOR = 1e-4  # share of users; keeps the log of a never-liked item finite


def attribute_groups(profile: UserProfile) -> list[str]:
    """The groups a person's counts go to, such as ``age=20s`` and ``occupation=student``."""
    out = []
    for name, value in profile.demographics().items():
        if name == "age" and value.isdecimal() and len(value) <= 3:  # not attributes={"age": "old"}
            out.append(f"age={min(int(value) // 10, 6)}0s")
        else:
            out.append(f"{name}={value.strip().casefold()}")
    return out


@dataclass(frozen=True)
class Counts:
    """Likes of the training users, as counts.

    Args:
        item_ids: the items the counts are about, in column order; length I.
        n_users: number of users counted.
        likes: likes per item, shape (I,).
        group_sizes: users per attribute group.
        group_likes: likes per item within each group, shape (I,) each.
        together: users who liked both, sparse and symmetric, diagonal empty, shape (I, I).
    """

    item_ids: tuple[str, ...]
    n_users: int
    likes: Floats
    group_sizes: Mapping[str, int]
    group_likes: Mapping[str, Floats]
    together: sparse.csr_array

    @classmethod
    def fit(
        cls,
        item_ids: Sequence[str],
        users: Mapping[str, UserProfile],
        likes: Mapping[str, Sequence[str]],
    ) -> Counts:
        """Count the likes of ``users``; items outside ``item_ids`` are ignored."""
        column = {item: i for i, item in enumerate(item_ids)}
        names = list(users)
        rows, cols = [], []
        for r, user in enumerate(names):
            known = {column[i] for i in likes.get(user, ()) if i in column}
            rows += [r] * len(known)
            cols += sorted(known)
        ones = np.ones(len(rows))
        x = sparse.csr_array((ones, (rows, cols)), shape=(len(names), len(item_ids)))
        together = (x.T @ x).tocsr()
        together.setdiag(0)
        together.eliminate_zeros()
        members: dict[str, list[int]] = {}
        for r, user in enumerate(names):
            for group in attribute_groups(users[user]):
                members.setdefault(group, []).append(r)
        return cls(
            tuple(item_ids),
            len(names),
            np.asarray(x.sum(axis=0)).ravel(),
            {g: len(m) for g, m in members.items()},
            {g: np.asarray(x[m].sum(axis=0)).ravel() for g, m in members.items()},
            together,
        )

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each item id."""
        return {item: i for i, item in enumerate(self.item_ids)}


@dataclass(frozen=True)
class LeftOut:
    """A counted user to be taken out of the counts again.

    Args:
        groups: the user's attribute groups.
        liked: 1 where the user liked the item, else 0; shape (I,).
    """

    groups: frozenset[str]
    liked: Floats


def popularity(counts: Counts, without: LeftOut | None = None) -> Floats:
    """Share of training users who liked each item, shape (I,), in [0, 1]."""
    if without is None:
        return counts.likes / max(counts.n_users, 1)
    shares: Floats = (counts.likes - without.liked) / max(counts.n_users - 1, 1)
    return shares


def log_popularity(counts: Counts, without: LeftOut | None = None) -> Floats:
    """Natural log of popularity, floored so that a never-liked item stays finite."""
    return np.log(popularity(counts, without) + _FLOOR)


def group_lift(
    counts: Counts, group: str, *, shrink: float = 100.0, without: LeftOut | None = None
) -> Floats:
    """How much more one group likes each item than everyone does, in nats, shape (I,).

    ``log((c_g + β·p) / (n_g + β)) − log p``: the group's likes c_g among its n_g users, shrunk by
    β = ``shrink`` users to the global share p. Zero for a group never seen in training.
    """
    p = popularity(counts, without)
    if group not in counts.group_sizes:
        return np.zeros(len(p))
    likes, size = counts.group_likes[group], counts.group_sizes[group]
    if without is not None and group in without.groups:
        likes, size = likes - without.liked, size - 1
        if not size:
            return np.zeros(len(p))
    return np.log((likes + shrink * p) / (size + shrink) + _FLOOR) - np.log(p + _FLOOR)


def demographic_lift(
    counts: Counts, profile: UserProfile, *, shrink: float = 100.0, without: LeftOut | None = None
) -> Floats:
    """Sum of ``group_lift`` over the profile's groups, shape (I,): naive Bayes over attributes.

    Add to ``log_popularity`` for demographic popularity.
    """
    lift = np.zeros(len(counts.item_ids))
    for group in attribute_groups(profile):
        lift += group_lift(counts, group, shrink=shrink, without=without)
    return lift


def co_occurrence(
    counts: Counts,
    picks: Sequence[str],
    *,
    damping: float = 20.0,
    without: LeftOut | None = None,
) -> Floats:
    """Item-to-item closeness of every item to the picks, shape (I,), in [0, 1].

    ``Σ_j∈picks C_ij / √((n_i + d)(n_j + d))``, the damped cosine of item-kNN (Deshpande and
    Karypis, 2004), divided by its maximum over the items that are no picks themselves. All zero if
    no pick is known or nothing was liked together with one.
    """
    columns = [counts.column[i] for i in dict.fromkeys(picks) if i in counts.column]
    out = np.zeros(len(counts.item_ids))
    if not columns:
        return out
    size = counts.likes + damping if without is None else counts.likes - without.liked + damping
    for j in columns:
        both = counts.together[[j]].toarray().ravel()
        if without is not None and without.liked[j]:
            both = np.maximum(both - without.liked, 0)
        out += both / np.sqrt(size[j] * size)
    out[columns] = 0
    top = out.max()
    return out / top if top > 0 else out
