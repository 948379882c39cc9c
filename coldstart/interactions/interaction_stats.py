"""Interaction statistics: popularity, demographic lift, co-occurrence, sequence, EASE.

All are derived from counts over the training users; none uses the language model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from coldstart.errors import ArtifactError, ConfigError
from coldstart.schema import UserProfile

Floats = NDArray[np.float64]

FLOOR = 1e-4
"""Additive smoothing of shares, so that the log of an item without likes is finite."""
EARLY = 10
"""Number of first likes of a training user that count as early."""
UNORDERED = 0
"""The same for likes whose order says nothing: none is early, none is later."""
_EASE_ITEMS = 6000  # beyond, inverting the item-to-item matrix takes minutes and gigabytes


def attribute_groups(profile: UserProfile) -> list[str]:
    """Demographic groups of a profile, such as ``age=20s`` and ``occupation=student``."""
    out = []
    for name, value in profile.demographics().items():
        if name == "age" and value.isdecimal() and len(value) <= 3:  # not attributes={"age": "old"}
            out.append(f"age={min(int(value) // 10, 6)}0s")
        else:
            out.append(f"{name}={value.strip().casefold()}")
    return out


@dataclass(frozen=True)
class Counts:
    """Sufficient statistics of the training users' likes.

    Args:
        item_ids: the counted items, in column order; length I.
        n_users: number of users.
        likes: likes per item, shape (I,).
        group_sizes: users per demographic group.
        group_likes: likes per item within each group, shape (I,) each.
        together: co-occurrence: users with both likes; sparse, symmetric, empty diagonal, (I, I).
        early: users with the item among their first likes (``EARLY`` by default), shape (I,).
        later: transitions: of the users with item j (row) among their first likes, the number with
            a later like of item i (column); sparse, shape (I, I).
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
        """Count the likes of ``users``; items outside ``item_ids`` are ignored.

        Args:
            item_ids: the items, without repeats.
            users: attributes by user id; only these users are counted.
            likes: by user id, oldest first.
            first: number of first likes that count as early; ``UNORDERED`` counts no order, so that
                the signals of order are neutral.
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
        """Popularity among later likes: baseline rate of a like after an early one, shape (I,).

        ``b_i = Σ_j A_ji / Σ_j n_j`` with A = ``later`` and n = ``early``. Differs from popularity
        through exposure: first likes are concentrated on the items that are shown first. Without
        early likes it is popularity.
        """
        if not self.early.any():
            return popularity(self)
        return np.asarray(self.later.sum(axis=0)).ravel() / max(float(self.early.sum()), 1.0)

    @cached_property
    def ease(self) -> Floats | None:
        """``ease_weights`` at λ = 500; ``None`` for catalogs of more than 6,000 items."""
        if len(self.item_ids) > _EASE_ITEMS:
            return None
        return ease_weights(self, 500.0)

    def part(self, columns: NDArray[np.int64], picks: Sequence[str]) -> Counts:
        """Restrict the counts to some items; pair counts are kept for the picks only.

        Args:
            columns: columns of the items, ascending, shape (C,).
            picks: item ids; those among ``columns`` keep their co-occurrence and transitions.
                EASE needs all pairs and becomes ``None``.
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
    """Restrict a pair matrix to some rows and columns; ``both`` mirrors it."""
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
        counts: contain ``XᵀX``.
        l2: λ, > 0.

    Returns:
        B, shape (I, I); row j holds the score contributions of a like of item j.

    Raises:
        ConfigError: λ is not positive.
        ArtifactError: the counts are not those of any users.
    """
    if not l2 > 0:
        raise ConfigError(f"l2 is {l2}, expected more than 0")
    gram = counts.together.toarray()
    gram[np.diag_indices(len(gram))] = counts.likes + l2
    try:
        inverse = np.linalg.inv(gram)
    except np.linalg.LinAlgError as e:
        raise ArtifactError(
            "no users can have these counts: their matrix has no inverse",
            hint="copy the artifact again",
        ) from e
    weights: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def popularity(counts: Counts) -> Floats:
    """Share of training users with a like of each item, shape (I,), in [0, 1]."""
    return counts.likes / max(counts.n_users, 1)


def log_popularity(counts: Counts) -> Floats:
    """Natural log of popularity, smoothed by ``FLOOR``, shape (I,)."""
    return np.log(popularity(counts) + FLOOR)


def group_lift(counts: Counts, group: str, *, shrink: float = 100.0) -> Floats:
    """Log lift of each item within one demographic group, nats, shape (I,).

    ``log((c_g + β·p) / (n_g + β)) − log p``: the group's likes c_g among its n_g users, shrunk by
    β = ``shrink`` pseudo-users towards the global share p. Zero for groups absent from training.
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
    """Item-kNN score of every item given the picks, shape (I,), in [0, 1].

    ``Σ_j∈picks C_ij / √((n_i + d)(n_j + d))``, the damped cosine of item-kNN (Deshpande and
    Karypis, 2004), divided by its maximum over the items that are not picks. All zero without a
    counted pick or any co-occurrence.

    Args:
        counts: interaction statistics of the training users.
        picks: item ids; ids without counts are ignored.
        damping: d, in likes.
        weights: weight of each pick in the sum, in the order of the counted picks without repeats;
            ``None``: 1 for all.
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
    """EASE score of every item given k picks, divided by √k, shape (I,).

    All zero without a counted pick, and for catalogs too large for EASE.
    """
    columns = known_columns(counts, picks)
    if not columns or not counts.together.nnz or counts.ease is None:
        return np.zeros(len(counts.item_ids))
    return np.asarray(counts.ease[columns].sum(axis=0) / np.sqrt(len(columns)))


def pick_lift(counts: Counts, picks: Sequence[str], *, shrink: float = 50.0) -> Floats:
    """Log lift of each item among the users with a like of a pick, mean over picks, nats, (I,).

    ``group_lift`` with "likes item j" as the group: ``log((C_ij + β·p_i) / (n_j + β)) − log p_i``.
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
    """Log ratio of later popularity to popularity, nats, shape (I,), centred on zero."""
    lift = np.log(counts.later_share + FLOOR) - log_popularity(counts)
    return np.asarray(lift - lift.mean()) if len(lift) else lift


def later_lift(counts: Counts, picks: Sequence[str], *, shrink: float = 20.0) -> Floats:
    """Log lift of each item after an early like of a pick, mean over the picks, nats, shape (I,).

    ``log((A_ji + β·b_i) / (n_j + β)) − log b_i``, in the notation of ``Counts.later_share``; β is
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
    """Damped cosine of every item to its nearest pick, shape (I,), in [0, 1]."""
    columns = known_columns(counts, picks)
    if not columns:
        return np.zeros(len(counts.item_ids))
    size = counts.likes + damping
    both = counts.together[columns].toarray() / np.sqrt(size[columns][:, None] * size)
    return np.asarray(both.max(axis=0))


def known_columns(counts: Counts, picks: Sequence[str]) -> list[int]:
    """Columns of the counted picks, without repeats."""
    return [counts.column[i] for i in dict.fromkeys(picks) if i in counts.column]
