"""Requests of the pipeline: user, list options, decoding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, TypedDict, get_args

import numpy as np

from coldstart.errors import ConfigError
from coldstart.protocols import Filter
from coldstart.ranking.request_blend import EVEN
from coldstart.schema import MAX_K, Reason, Strategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import DecodingConfig, Understood

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreAdjustment:
    """A boost or penalty on the final scores of some items, beside the ranker.

    Args:
        name: under which its part is in ``Provenance.contributions``.
        reason: why; its argument ``points`` is the amount.
        items: ids of the items it is about.
        amount: added to their scores; 1 makes an item rank as if e times as popular.
        note: its wording in the notes of the response, if any.
        group: explanation group it is summed under; its own name if empty.
    """

    name: str
    reason: Reason
    items: Set[str]
    amount: float
    note: str = ""
    group: str = ""


def adjustments_of(items: ItemStore, adjustments: Sequence[ScoreAdjustment]) -> Floats:
    """Sum of the adjustments of each item's score, shape (N,)."""
    out = np.zeros(len(items.ids))
    for one in adjustments:
        out[items.rows_of(one.items)] += one.amount
    return out


class RecommendKeywords(TypedDict, total=False):
    """Options of ``Recommender.recommend``, which explains and checks them."""

    k: int
    strategy: Strategy
    filters: Iterable[Filter] | None
    diversity: float
    popularity_penalty: float
    words: float
    near_duplicates: bool
    unknown_picks: str
    decoding: DecodingConfig | None
    seed: int
    strict: bool
    understood: Understood | Mapping[str, Any] | None


@dataclass(frozen=True)
class RecommendOptions:
    """Options of one list; see ``Recommender.recommend``.

    Args:
        k: number of items, 1 to 1000.
        strategy: which scorers take part, and whose weights the ranker uses.
        filters: items must pass all.
        diversity: 0 to 1.
        popularity_penalty: 0 to 10, per nat of log popularity, among what ranks well without it.
        only: no other item ids may be shown, if given.
        near_duplicates: keep items whose title is nearly that of another one or of a pick.
        adjustments: added to scores, with provenance and reasons.
        strict: whether what the text demands excludes and orders items; otherwise it is only a
            signal among others.
        words: 0 to 1, what the text counts beside the taste (picks, profile, popularity). 0.5: both
            as they were learned. Below, the text counts less, its wishes order no more but add to
            scores, down to none at 0; above, the taste counts less, down to nothing at 1. What the
            text rejects, and what does not suit its audience, is never shown.
    """

    k: int = 10
    strategy: Strategy = "catalog"
    filters: tuple[Filter, ...] = ()
    diversity: float = 0.0
    popularity_penalty: float = 0.0
    only: frozenset[str] | None = None
    near_duplicates: bool = False
    adjustments: tuple[ScoreAdjustment, ...] = ()
    strict: bool = True
    words: float = EVEN

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= MAX_K:
            raise ConfigError(f"k is {self.k!r}, expected a whole number from 1 to {MAX_K}")
        known = get_args(Strategy)
        if self.strategy not in known:
            raise ConfigError(f"strategy is {self.strategy!r}", hint=f"one of {', '.join(known)}")
        if not isinstance(self.strict, bool):
            raise ConfigError(
                f"strict is {self.strict!r}", hint="True: the text decides; False: it is a signal"
            )
        for name, most in (("diversity", 1), ("popularity_penalty", 10), ("words", 1)):
            value = getattr(self, name)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not is_number or not 0 <= float(value) <= most:
                raise ConfigError(f"{name} is {value!r}, expected a number from 0 to {most}")


@dataclass(frozen=True)
class RecommendRequest:
    """One request of a batch.

    Args:
        user: the resolved profile and context.
        options: which list.
        decoding: how the language model writes.
        seed: of free writing.
        reported: the reading that the response tells, where another one is ranked by.
    """

    user: ResolvedProfile
    options: RecommendOptions
    decoding: DecodingConfig | None = None
    seed: int = 0
    reported: Understood | None = None
