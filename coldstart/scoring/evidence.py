"""Observed likes: popularity and co-occurrence that take over from the catalog as they come in.

One model, two conjugate updates. With T likes, n_i of item i, and π the prior shares of the catalog
(∝ the root of its popularity column, else 1 / I each), an item's share of likes is the mean of the
Dirichlet posterior

    p_i = (n_i + s·π_i) / (T + s),

s by empirical Bayes (``dirichlet_concentration``). For k picks, whose likers gave C_i likes to item
i and c to all items beside the picks, content and popularity expect ``E_i = c·g_i`` likes,

    g_i = p_i · exp(λ·(x_i + y_i)),   x_i = log (1/k) Σ_j exp(z_ij) / Z_j,

z_ij the standardised cosine of the contents of i and pick j, Z_j the mean of ``exp(z_ij)`` over the
catalog, y_i the lift by the years of the picks (``year_lift``). The lift beyond these has a prior
``Gamma(α, α)``, and the posterior mean ``(C_i + α) / (E_i + α)``. λ, how far content foretells what
is liked together, and α, how evenly, are estimated from the likes (``interactions.co_likes``).

Of what is liked, ``FOLLOWS`` follows the picks and the rest popularity, so that a lift L changes
the share of an item by ``f(L) = log(1 − FOLLOWS + FOLLOWS·L)``: one unlike the picks loses little.
The signals are ``log(I·p_i)`` and √k times the three steps of f: for the lift by content, that by
years in addition, and that beyond (0 without likes). With equal weights they sum to √k times f of
the whole lift: by content where nothing was observed, by co-occurrence where much was. See
``docs/decisions/0082-growing.md`` and ``0095-reliability-of-content.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from coldstart.errors import ArtifactError
from coldstart.interactions.co_likes import (
    RELIABILITY,
    SHAPE,
    content_reliability,
    gamma_shape,
)
from coldstart.interactions.interaction_stats import UNORDERED, Counts, known_columns
from coldstart.interactions.live_counts import LiveCounts
from coldstart.interactions.shrinkage import dirichlet_concentration
from coldstart.runtime import untrusted
from coldstart.schema import UserProfile
from coldstart.scoring.co_like_sample import co_likes
from coldstart.scoring.content_lift import ContentLift
from coldstart.scoring.retrieval import POPULAR, best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.scorer_files import (
    MOST_COUNT,
    counted,
    names_of,
    pack,
    smallest,
    sparse_from,
    sparse_tensors,
    unpack,
)
from coldstart.scoring.signal import Signal
from coldstart.scoring.year_lift import year_lift

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

SOLD_ELSEWHERE = 0.5
"""Power of the popularity column in π: sales elsewhere are weaker evidence than likes here."""
FOLLOWS = 0.7
"""Share of what is liked that follows the picks; the rest follows popularity."""
_FEWEST = 2  # likes of an item that a reason counts
_DAMPED = 10.0  # likers of a pick that its share of likers is shrunk by, where a reason chooses one
PICKS_WEIGHT = (1.0, -0.2)
"""(Weight without picks, change by ten picks) of the signals of picks, by content, years, likes."""


@dataclass(frozen=True)
class _Shrunk:
    """Posterior of the popularity for one catalog version and one snapshot.

    Args:
        made_of: the snapshot and the item store, compared by identity, and its version.
        columns: column of every catalog row in the counts, −1 where it has no like, shape (N,).
        lift: ``log(I·p_i)``, shape (N,).
        size: I, the number of items of the whole catalog.
    """

    made_of: tuple[Counts, ItemStore, int]
    columns: Ints
    lift: Floats
    size: int


class _Fitted(NamedTuple):
    """λ and α, for one catalog version and one snapshot."""

    reliability: float = RELIABILITY
    shape: float = SHAPE


class EvidenceScorer(ColumnScorer):
    """Signals of likes that are observed while the recommender is used.

    The state is counts by item; who liked what is kept in memory only, so that a user can be
    forgotten, and not saved. Not thread-safe.
    """

    name = "evidence"
    signals = (
        Signal(
            "evidence_popularity",
            "Log ratio of the item's share of the observed likes, shrunk to its prior share, to "
            "the mean share.",
            "nats",
            in_trees=False,
            group="popularity",
            reason="liked_here",
        ),
        Signal(
            "evidence_content",
            "Log ratio of the item's share by the picks' content to that by popularity: mean lift "
            "over the picks, to the power that observed likes bear out, times √k.",
            "nats · √k",
            in_trees=False,
            group="alike",
            reason="alike",
        ),
        Signal(
            "evidence_picks",
            "Log ratio of the item's share by the likes of the k picks' likers to what content and "
            "popularity expect, shrunk, times √k.",
            "nats · √k",
            in_trees=False,
            group="liked",
            reason="of_likers",
        ),
        Signal(
            "evidence_years",
            "What the years of the picks add to the log ratio by content, from the second dated "
            "pick on, times √k.",
            "nats · √k",
            in_trees=False,
            group="years",
        ),
    )

    def __init__(self) -> None:
        self._live = LiveCounts(Counts.fit((), {}, {}, first=UNORDERED), first=UNORDERED)
        self._shrunk: _Shrunk | None = None
        self._fitted: tuple[_Shrunk, _Fitted] | None = None
        self._content = ContentLift()

    # -- observing ------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """Snapshot of what was observed."""
        return self._live.counts()

    def observe(self, user_id: str, item_ids: Sequence[str]) -> bool:
        """Count likes of a user.

        Args:
            user_id: of the user, a new one or one observed before.
            item_ids: repeats change nothing.

        Returns:
            Whether the counts changed.
        """
        if not item_ids:
            return False
        self._live.add_items([i for i in dict.fromkeys(item_ids) if not self._live.has_item(i)])
        if user_id not in self._live:
            self._live.add_user(user_id, UserProfile(), item_ids)
            return True
        return any([self._live.observe(user_id, item) for item in item_ids])

    def replace(self, user_id: str, item_ids: Sequence[str]) -> bool:
        """Count exactly these likes of a user; none forgets the user.

        Returns:
            Whether the counts changed.
        """
        before = self._live.likes_of(user_id) if user_id in self._live else ()
        wanted = dict.fromkeys(item_ids)
        if not wanted:
            return self.forget(user_id)
        gone = [item for item in before if item not in wanted]
        changed = [self._live.retract(user_id, item) for item in gone]
        return self.observe(user_id, tuple(wanted)) or bool(changed)

    def retract(self, user_id: str, item_id: str) -> bool:
        """Take one like back; false if there is no such like."""
        if user_id not in self._live or not self._live.retract(user_id, item_id):
            return False
        if not self._live.likes_of(user_id):
            self._live.remove_user(user_id)
        return True

    def forget(self, user_id: str) -> bool:
        """Remove a user with all likes; false if no such user was observed."""
        if user_id not in self._live:
            return False
        self._live.remove_user(user_id)
        return True

    @property
    def n_likes(self) -> int:
        """Number of observed likes."""
        return int(self.counts.likes.sum())

    def clear(self) -> None:
        """Remove all observed likes, also those that were loaded."""
        self._live = LiveCounts(Counts.fit((), {}, {}, first=UNORDERED), first=UNORDERED)
        self._shrunk = self._fitted = None

    # -- scoring --------------------------------------------------------------------------------

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All four; without observed likes the prior, content, years and zero."""
        rows, shrunk = items.rows_in_order(user.liked), self._posterior(items)
        zero = np.zeros(len(items.ids))
        if not rows:
            return {
                "evidence_popularity": shrunk.lift,
                "evidence_content": zero,
                "evidence_years": zero,
                "evidence_picks": zero,
            }
        fitted = self._fit(items.whole)
        by_content = fitted.reliability * self._content.of(items, rows)
        by_years = by_content + fitted.reliability * year_lift(items, rows)
        content, years = _followed(by_content), _followed(by_years)
        beyond = self._beyond(user.liked, shrunk, by_years, fitted.shape)
        root = np.sqrt(len(rows))
        return {
            "evidence_popularity": shrunk.lift,
            "evidence_content": root * content,
            "evidence_years": root * (years - content),
            "evidence_picks": (
                zero if beyond is None else root * (_followed(by_years + beyond) - years)
            ),
        }

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items with the most observed likes, and those liked most by the likers of each pick."""
        counts = self.counts
        if not counts.likes.any():
            return []
        out = [self._rows(items, best(counts.likes, POPULAR))]
        for column in known_columns(counts, user.liked):
            start, end = counts.together.indptr[column], counts.together.indptr[column + 1]
            near = counts.together.indices[start:end]
            out.append(self._rows(items, near[best(counts.together.data[start:end])]))
        return out

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """How many of the likers of a pick, or of all users with likes, like the item."""
        counts = self.counts
        column = counts.column.get(items.ids[row])
        if column is None or not counts.likes[column]:
            return None
        if reason == "liked_here":
            people = int(counts.likes[column])
            return {"people": people, "of": counts.n_users} if people >= _FEWEST else None
        return self._likers(counts, user, items, column)

    # -- files ----------------------------------------------------------------------------------

    def save(self) -> Mapping[str, bytes]:
        """Counts by item and pair of items; none without likes."""
        counts = self.counts
        if not counts.likes.any():
            return {}
        half = sparse.csr_array(sparse.triu(counts.together, k=1, format="csr"))
        tensors = {"likes": smallest(counts.likes), **sparse_tensors(half, "together")}
        return pack(tensors, {"item_ids": counts.item_ids, "n_users": counts.n_users})

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore counts; their users are anonymous, so they cannot be forgotten one by one.

        Raises:
            ArtifactError: the files are damaged, or no users can have these counts.
        """
        tensors, about = unpack(files, self.name, {"likes": 1})
        ids = names_of(about, "item_ids", self.name)
        what = f"state of the scorer {self.name!r}"
        users = untrusted.whole(about.get("n_users"), f"{what}: n_users", high=int(MOST_COUNT))
        n = len(ids)
        likes = counted(tensors, "likes", self.name, (n,), "u", users).astype(np.float64)
        half = sparse_from(tensors, "together", (n, n), self.name, users).astype(np.float64)
        pairs = sparse.coo_array(half)
        if len(pairs.data) and (
            (pairs.row >= pairs.col).any()
            or (pairs.data > np.minimum(likes[pairs.row], likes[pairs.col])).any()
        ):
            raise ArtifactError(
                f"{what} has a pair of items with more likes than one of them",
                hint="save the artifact again",
            )
        base = Counts(
            ids,
            users,
            likes,
            {},
            {},
            sparse.csr_array(half + half.T),
            np.zeros(n),
            sparse.csr_array((n, n)),
        )
        self._live = LiveCounts(base, first=UNORDERED)
        self._shrunk = self._fitted = None

    # -- the model ------------------------------------------------------------------------------

    def _posterior(self, items: ItemStore) -> _Shrunk:
        counts = self.counts
        if not counts.likes.any():
            none = np.full(len(items.ids), -1, dtype=np.int64)
            lift = _prior(items.whole)
            lift = lift if items is items.whole else lift[items.where]
            return _Shrunk((counts, items, 0), none, lift, len(items.whole.ids))
        whole = items.whole
        made_of = counts, whole, whole.version
        if self._shrunk is None or not _same(self._shrunk.made_of, made_of):
            rows = np.array([whole.rows.get(i, -1) for i in counts.item_ids], dtype=np.int64)
            columns = np.full(len(whole.ids), -1, dtype=np.int64)
            columns[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
            likes = np.where(columns >= 0, counts.likes[columns], 0.0)
            relative = np.exp(_prior(whole))  # I·π_i
            s = dirichlet_concentration(likes, relative / len(relative))
            share = (len(likes) * likes + s * relative) / (likes.sum() + s)
            self._shrunk = _Shrunk(made_of, columns, np.log(share), len(likes))
        shrunk = self._shrunk
        if items is whole:
            return shrunk
        columns, lift = shrunk.columns[items.where], shrunk.lift[items.where]
        return _Shrunk(made_of, columns, lift, shrunk.size)

    def _fit(self, whole: ItemStore) -> _Fitted:
        """λ and α for the likes as they are now."""
        if not self.counts.together.nnz:
            return _Fitted()
        shrunk = self._posterior(whole)
        if self._fitted is None or self._fitted[0] is not shrunk:
            share = np.exp(shrunk.lift)
            pairs = co_likes(self.counts, whole, shrunk.columns, share / share.sum(), self._content)
            power = content_reliability(pairs)
            self._fitted = shrunk, _Fitted(power, gamma_shape(pairs, power))
        return self._fitted[1]

    def _beyond(
        self, liked: Sequence[str], shrunk: _Shrunk, content: Floats, shape: float
    ) -> Floats | None:
        """Log lift beyond content, shape (N,); ``None`` where no pick has likes beside it."""
        counts = self.counts
        picks = known_columns(counts, liked)
        given = np.asarray(counts.together[picks].sum(axis=0)).ravel() if picks else np.zeros(0)
        if not given.any():
            return None
        found = np.where(shrunk.columns >= 0, given[shrunk.columns], 0.0)
        expected = given.sum() * np.exp(shrunk.lift + content) / shrunk.size
        return np.asarray(np.log((found + shape) / (expected + shape)))

    def _rows(self, items: ItemStore, columns: Ints) -> Ints:
        ids = self.counts.item_ids
        return items.rows_of([ids[c] for c in columns.tolist()])

    def _likers(
        self, counts: Counts, user: ResolvedProfile, items: ItemStore, column: int
    ) -> dict[str, Any] | None:
        """The pick of which the largest share of likers, shrunk, likes the item."""
        both = counts.together[[column]].toarray().ravel()
        picks = [c for c in known_columns(counts, user.liked) if both[c] > 0]
        if not picks:
            return None
        chosen = max(picks, key=lambda c: (both[c] / (counts.likes[c] + _DAMPED), -c))
        pick = counts.item_ids[chosen]
        if pick not in items.catalog:
            return None
        return {
            "pick": items.catalog[pick].title,
            "people": int(both[chosen]),
            "of": int(counts.likes[chosen]),
        }


def _followed(lift: Floats) -> Floats:
    """Log ratio of shares where a part follows a log lift, and the rest is as without."""
    return np.asarray(np.log(1 - FOLLOWS + FOLLOWS * np.exp(lift)))


def _prior(items: ItemStore) -> Floats:
    """``log(I·π_i)``: the prior lift of a whole catalog, tempered."""
    lift = SOLD_ELSEWHERE * items.prior_lift
    return np.asarray(lift - np.log(np.mean(np.exp(lift)))) if lift.any() else lift


def _same(before: tuple[Counts, ItemStore, int], now: tuple[Counts, ItemStore, int]) -> bool:
    return before[0] is now[0] and before[1] is now[1] and before[2] == now[2]
