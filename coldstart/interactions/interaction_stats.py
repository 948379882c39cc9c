"""What is known without the language model: popularity by whom, and what is liked together.

Everything here is counts over training users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from coldstart.errors import ConfigError
from coldstart.schema import UserProfile

Floats = NDArray[np.float64]

FLOOR = 1e-4
"""Share of users; keeps the log of a never-liked item finite."""
EARLY = 10
"""First likes of a training user that stand for the picks of a new one."""
_EASE_ITEMS = 6000  # beyond, inverting the item-to-item matrix takes minutes and gigabytes


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
        early: users with the item among their first likes (10 if not fitted otherwise), (I,).
        later: of those with item j (row) among their first likes, how many liked item i (column)
            after it; sparse, shape (I, I).
    """

    item_ids: tuple[str, ...]
    n_users: int
    likes: Floats
    group_sizes: Mapping[str, int]
    group_likes: Mapping[str, Floats]
    together: sparse.csr_array
    early: Floats
    later: sparse.csr_array

    @classmethod
    def fit(
        cls,
        item_ids: Sequence[str],
        users: Mapping[str, UserProfile],
        likes: Mapping[str, Sequence[str]],
        *,
        first: int = EARLY,
    ) -> Counts:
        """Count the likes of ``users``, oldest first; items outside ``item_ids`` are ignored.

        Args:
            item_ids: the items, each once.
            users: attributes by user id; only these users are counted.
            likes: by user id, oldest first.
            first: how many first likes count as early ones.
        """
        column = {item: i for i, item in enumerate(item_ids)}
        names = list(users)
        rows: list[int] = []
        cols: list[int] = []
        before: list[int] = []
        after: list[int] = []
        early = np.zeros(len(item_ids))
        for r, user in enumerate(names):
            known = [column[i] for i in dict.fromkeys(likes.get(user, ())) if i in column]
            rows += [r] * len(known)
            cols += known
            early[known[:first]] += 1
            for at, j in enumerate(known[:first], start=1):
                before += [j] * (len(known) - at)
                after += known[at:]
        ones = np.ones(len(rows))
        x = sparse.csr_array((ones, (rows, cols)), shape=(len(names), len(item_ids)))
        shape = (len(item_ids), len(item_ids))
        later = sparse.csr_array((np.ones(len(before)), (before, after)), shape=shape)
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
            early,
            later,
        )

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each item id."""
        return {item: i for i, item in enumerate(self.item_ids)}

    @cached_property
    def later_share(self) -> Floats:
        """Share of likes that follow an early one: popularity among people past their first picks.

        ``b_i = Σ_j A_ji / Σ_j n_j`` with A = ``later`` and n = ``early``, shape (I,). People like
        what they are shown first and then go on, so that this differs from popularity.
        """
        return np.asarray(self.later.sum(axis=0)).ravel() / max(float(self.early.sum()), 1.0)

    @cached_property
    def ease(self) -> Floats | None:
        """``ease_weights`` at λ = 500, or ``None`` for catalogs too large for them."""
        if len(self.item_ids) > _EASE_ITEMS:
            return None
        return ease_weights(self, 500.0)

    def part(self, columns: NDArray[np.int64], picks: Sequence[str]) -> Counts:
        """Counts of some items, which hold of item pairs only those with a pick.

        Args:
            columns: the items, ascending, shape (C,).
            picks: item ids; those among ``columns`` keep what was liked together with and after
                them. EASE needs all pairs and is left out.
        """
        place = np.searchsorted(columns, known := np.array(known_columns(self, picks), dtype=int))
        inside = place < len(columns)
        inside[inside] = columns[place[inside]] == known[inside]
        place, known = place[inside], known[inside]
        out = Counts(
            tuple(self.item_ids[c] for c in columns),
            self.n_users,
            self.likes[columns],
            self.group_sizes,
            {g: likes[columns] for g, likes in self.group_likes.items()},
            _only(self.together, known, place, columns, both=True),
            self.early[columns],
            _only(self.later, known, place, columns),
        )
        out.__dict__.update(later_share=self.later_share[columns], ease=None)
        return out


def _only(
    pairs: sparse.csr_array,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    columns: NDArray[np.int64],
    *,
    both: bool = False,
) -> sparse.csr_array:
    """Some rows of a matrix of item pairs, cut to some columns; ``both``: mirrored as well."""
    cut = sparse.coo_array(pairs[rows])
    column = np.searchsorted(columns, cut.col)
    kept = columns[np.minimum(column, len(columns) - 1)] == cut.col
    row, column, found = place[cut.row[kept]], column[kept], cut.data[kept]
    if both:
        once = ~np.isin(column, place)  # pairs of picks are in both rows already
        row, column = np.concatenate([row, column[once]]), np.concatenate([column, row[once]])
        found = np.concatenate([found, found[once]])
    return sparse.csr_array((found, (row, column)), shape=(len(columns), len(columns)))


def ease_weights(counts: Counts, l2: float) -> Floats:
    """Item-to-item weights of EASE: the ridge regression of every item on all others.

    ``B = −P / diag(P)`` with a zero diagonal and ``P = (XᵀX + λI)⁻¹``: the minimum of
    ``‖X − XB‖² + λ‖B‖²`` under ``diag B = 0`` (Steck, "Embarrassingly Shallow Autoencoders for
    Sparse Data", 2019, equations 4 to 8).

    Args:
        counts: ``XᵀX`` is what they hold.
        l2: λ, > 0.

    Returns:
        B, shape (I, I); row j is what a like of item j says about every item.

    Raises:
        ConfigError: λ is not positive.
    """
    if not l2 > 0:
        raise ConfigError(f"l2 is {l2}, expected more than 0")
    gram = counts.together.toarray()
    gram[np.diag_indices(len(gram))] = counts.likes + l2
    inverse = np.linalg.inv(gram)
    weights: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def popularity(counts: Counts) -> Floats:
    """Share of training users who liked each item, shape (I,), in [0, 1]."""
    return counts.likes / max(counts.n_users, 1)


def log_popularity(counts: Counts) -> Floats:
    """Natural log of popularity, floored so that a never-liked item stays finite."""
    return np.log(popularity(counts) + FLOOR)


def group_lift(counts: Counts, group: str, *, shrink: float = 100.0) -> Floats:
    """How much more one group likes each item than everyone does, in nats, shape (I,).

    ``log((c_g + β·p) / (n_g + β)) − log p``: the group's likes c_g among its n_g users, shrunk by
    β = ``shrink`` users to the global share p. Zero for a group never seen in training.
    """
    p = popularity(counts)
    if group not in counts.group_sizes:
        return np.zeros(len(p))
    likes, size = counts.group_likes[group], counts.group_sizes[group]
    return np.log((likes + shrink * p) / (size + shrink) + FLOOR) - np.log(p + FLOOR)


def demographic_lift(counts: Counts, profile: UserProfile, *, shrink: float = 100.0) -> Floats:
    """Sum of ``group_lift`` over the profile's groups, shape (I,): naive Bayes over attributes.

    Add to ``log_popularity`` for demographic popularity.
    """
    lift = np.zeros(len(counts.item_ids))
    for group in attribute_groups(profile):
        lift += group_lift(counts, group, shrink=shrink)
    return lift


def co_occurrence(
    counts: Counts,
    picks: Sequence[str],
    *,
    damping: float = 20.0,
    weights: Sequence[float] | Floats | None = None,
) -> Floats:
    """Item-to-item closeness of every item to the picks, shape (I,), in [0, 1].

    ``Σ_j∈picks C_ij / √((n_i + d)(n_j + d))``, the damped cosine of item-kNN (Deshpande and
    Karypis, 2004), divided by its maximum over the items that are no picks themselves. All zero if
    no pick is known or nothing was liked together with one.

    Args:
        counts: of the training users.
        picks: item ids; those without a count are left out.
        damping: d, in likes.
        weights: by which each pick's part of the sum is multiplied, in the order of the counted
            picks, each taken once; ``None``: 1 for all.
    """
    columns = known_columns(counts, picks)
    out = np.zeros(len(counts.item_ids))
    if not columns:
        return out
    size = counts.likes + damping
    each = np.ones(len(columns)) if weights is None else weights
    for j, weight in zip(columns, each, strict=True):
        out += weight * counts.together[[j]].toarray().ravel() / np.sqrt(size[j] * size)
    out[columns] = 0
    top = out.max()
    return out / top if top > 0 else out


def fold_in(counts: Counts, picks: Sequence[str]) -> Floats:
    """EASE's score of every item given the picks, over √k for k of them, shape (I,).

    All zero without a known pick, and for catalogs too large for EASE.
    """
    columns = known_columns(counts, picks)
    if not columns or counts.ease is None:
        return np.zeros(len(counts.item_ids))
    return np.asarray(counts.ease[columns].sum(axis=0) / np.sqrt(len(columns)))


def pick_lift(counts: Counts, picks: Sequence[str], *, shrink: float = 50.0) -> Floats:
    """How much more those who liked a pick like each item, mean over the picks, nats, shape (I,).

    ``group_lift`` with "liked item j" as the group: ``log((C_ij + β·p_i) / (n_j + β)) − log p_i``.
    """
    columns = known_columns(counts, picks)
    p = popularity(counts)
    if not columns:
        return np.zeros(len(p))
    both = counts.together[columns].toarray()
    sizes = counts.likes[columns][:, None]
    lifts = np.log((both + shrink * p) / (sizes + shrink) + FLOOR) - np.log(p + FLOOR)
    lift: Floats = lifts.mean(axis=0)
    return lift


def late_lift(counts: Counts) -> Floats:
    """How much likelier each item is liked late than at all, nats, shape (I,), mean about zero."""
    lift = np.log(counts.later_share + FLOOR) - log_popularity(counts)
    return np.asarray(lift - lift.mean()) if len(lift) else lift


def later_lift(counts: Counts, picks: Sequence[str], *, shrink: float = 20.0) -> Floats:
    """How much likelier each item follows the picks than any likes, mean over picks, nats, (I,).

    ``log((A_ji + β·b_i) / (n_j + β)) − log b_i``, named as in ``Counts.later_share``; β is
    ``shrink``.
    """
    columns = known_columns(counts, picks)
    if not columns:
        return np.zeros(len(counts.item_ids))
    usual = counts.later_share
    after = counts.later[columns].toarray()
    sizes = counts.early[columns][:, None]
    lifts = np.log((after + shrink * usual) / (sizes + shrink) + FLOOR) - np.log(usual + FLOOR)
    return np.asarray(lifts.mean(axis=0))


def closest_pick(counts: Counts, picks: Sequence[str], *, damping: float = 20.0) -> Floats:
    """Damped cosine of every item to the pick it is closest to, shape (I,), in [0, 1]."""
    columns = known_columns(counts, picks)
    if not columns:
        return np.zeros(len(counts.item_ids))
    size = counts.likes + damping
    both = counts.together[columns].toarray() / np.sqrt(size[columns][:, None] * size)
    return np.asarray(both.max(axis=0))


def known_columns(counts: Counts, picks: Sequence[str]) -> list[int]:
    """Columns of the picks that were counted, each once."""
    return [counts.column[i] for i in dict.fromkeys(picks) if i in counts.column]
