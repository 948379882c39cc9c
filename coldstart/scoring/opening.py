"""Opening list: a spread of the catalog for a person of whom nothing is known."""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.runtime import untrusted
from coldstart.scoring.resources import UsesResources
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

PLACES = 100
"""Items of the opening list."""
_CANDIDATES, _COVERED = 1000, 2000  # items
SCREEN = 8
"""Likes after which an eighth of its weight is left: as many as a first screen shows."""
_FADES = 3  # power of the share of a screen among it and the observed likes
_KNOWN = 0.5  # power of an item's prior share in its gain
_FILE = "opening.json"
_MOST = 10_000


class OpeningScorer(UsesResources, ColumnScorer):
    """Places of a list that covers the catalog; off until an artifact turns it on.

    The list is the greedy maximum of facility location (Nemhauser et al., 1978, within 1 − 1/e of
    the best): each place goes to the item that adds most to the similarity of the catalog's items
    to the nearest one shown, times the square root of its prior share. Large groups of alike items
    come first, each by an item that stands for it, well-known ones rather than others.
    """

    name = "opening"
    signals = (
        Signal(
            "opening",
            "Log of the number of places behind the item in a list that covers the catalog, for a "
            "request that states nothing.",
            "nats",
            low=0.0,
            in_trees=False,
            group="other",
            reason="opening",
        ),
    )

    def __init__(self, places: int = 0) -> None:
        self._places = places
        self._kept: tuple[weakref.ref[ItemStore], int, Floats] | None = None

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Zero for requests that state anything but attributes; fades as likes are observed."""
        if not self._places or _states_anything(user) or not len(items.ids):
            return {"opening": np.zeros(len(items.ids))}
        likes = self.resources.observed_likes if self._resources is not None else 0
        rest = (SCREEN / (SCREEN + likes)) ** _FADES
        return {"opening": rest * self._values(self._whole(items))[items.where]}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The places, where nothing is stated."""
        if not self._places or _states_anything(user) or not len(items.ids):
            return []
        return [np.flatnonzero(self._values(items))]

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """The part of the catalog that the item stands for: its first category."""
        return {"category": next(iter(items.items[row].categories), None)}

    def save(self) -> Mapping[str, bytes]:
        """The number of places, where it is on."""
        return {_FILE: json.dumps({"places": self._places}).encode()} if self._places else {}

    def load(self, files: Mapping[str, bytes]) -> None:
        """Turn it on.

        Raises:
            ArtifactError: the file is missing or damaged.
        """
        with untrusted.within("the state of the scorer 'opening' is damaged"):
            about = untrusted.mapping(
                untrusted.read_json(files.get(_FILE, b""), _FILE), _FILE, ("places",)
            )
            self._places = untrusted.whole(about["places"], "places", 0, _MOST)
        self._kept = None

    def _whole(self, items: ItemStore) -> ItemStore:
        return items if len(items.ids) == len(items.catalog) else self.resources.items

    def _values(self, items: ItemStore) -> Floats:
        kept = self._kept
        if kept is None or kept[0]() is not items or kept[1] != items.version:
            order = cover(items, self._places)
            values = np.zeros(len(items.ids))
            values[order] = np.log((self._places + 1) / np.arange(1, len(order) + 1))
            kept = self._kept = weakref.ref(items), items.version, values
        return kept[2]


def cover(items: ItemStore, places: int) -> list[int]:
    """Rows of available items that cover the catalog, the greatest gain first.

    Args:
        items: a whole store.
        places: number of rows; fewer if fewer are available.
    """
    rows = np.flatnonzero([item.available for item in items.items])
    lift, rng = items.prior_lift, np.random.default_rng(0)
    shuffled = rng.permutation(rows)
    covered = np.sort(shuffled[:_COVERED])
    # Candidates: those of the greatest prior share; of equal ones a random sample.
    candidates = shuffled[np.argsort(-lift[shuffled], kind="stable")][:_CANDIDATES]
    candidates = np.sort(candidates)
    near = _similarity(items.content[covered], items.content[candidates])
    weight = np.exp(_KNOWN * lift[candidates])
    reached = np.zeros(len(covered))
    chosen: list[int] = []
    free = np.ones(len(candidates), dtype=bool)
    for _ in range(min(places, len(candidates))):
        gain = np.maximum(near - reached[:, None], 0.0).sum(axis=0) * weight
        # Rounded, so that the order does not hang on the last bits of a sum.
        at = int(np.where(free, np.round(gain, 6), -1.0).argmax())
        free[at] = False
        chosen.append(int(candidates[at]))
        reached = np.maximum(reached, near[:, at])
    return chosen


def _similarity(a: Float, b: Float) -> Floats:
    return np.maximum((a @ b.T).astype(np.float64), 0.0)


def _states_anything(user: ResolvedProfile) -> bool:
    profile = user.profile
    return bool(user.liked or user.disliked or profile.interests or request_text(user))
