"""Co-mention in recorded requests: what is named and chosen together with the titles named now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from coldstart.errors import ArtifactError
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.scorer_files import (
    MOST_COUNT,
    counted,
    names_of,
    pack,
    sparse_from,
    sparse_tensors,
    unpack,
)
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

_DAMPING = 5.0  # dialogues
_KEPT = 100  # items by item
_SHARPNESS = 20.0  # of the logarithm


@dataclass(frozen=True)
class CoMentions:
    """Dialogues in which two items were named or chosen.

    Args:
        item_ids: every item of at least one dialogue, length I.
        dialogues: those of each item, shape (I,).
        together: those of both items, kept for the items closest to each; sparse, empty diagonal,
            shape (I, I).
    """

    item_ids: tuple[str, ...] = ()
    dialogues: Floats = field(default_factory=lambda: np.zeros(0))
    together: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0)))

    @classmethod
    def fit(cls, requests: Sequence[RecordedRequest], known: Mapping[str, int]) -> CoMentions:
        """Count the known items that a person named with approval, or chose and did not reject.

        Requests of one dialogue count once; requests without one count each.

        Args:
            requests: recorded requests.
            known: items of the catalog.
        """
        by_dialogue: dict[str | int, set[str]] = {}
        for n, request in enumerate(requests):
            names = [m.item_id for m in request.mentioned if m.by_user and m.liked is not False]
            names += [c.item_id for c in request.chosen if c.liked is not False]
            items = by_dialogue.setdefault(request.dialogue or n, set())
            items.update(i for i in names if i in known)
        ids = sorted(set().union(*by_dialogue.values()))
        column = {item: at for at, item in enumerate(ids)}
        cells = [(n, column[i]) for n, named in enumerate(by_dialogue.values()) for i in named]
        rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        shape = (len(by_dialogue), len(ids))
        has = sparse.csr_array((np.ones(len(cells)), (rows, columns)), shape=shape)
        pairs = (has.T @ has).tocsr()
        pairs.setdiag(0)
        pairs.eliminate_zeros()
        pairs.sort_indices()
        dialogues = np.bincount(columns, minlength=len(ids)).astype(np.float64)
        return cls(tuple(ids), dialogues, pairs)._closest()

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each item id."""
        return {item: at for at, item in enumerate(self.item_ids)}

    @cached_property
    def cosines(self) -> Floats:
        """Damped cosine of each kept pair, n_ij / √((n_i + 5)(n_j + 5)); in [0, 1)."""
        root = np.sqrt(self.dialogues + _DAMPING)
        rows = np.repeat(np.arange(len(self.item_ids)), np.diff(self.together.indptr))
        return np.asarray(self.together.data / (root[rows] * root[self.together.indices]))

    def near(self, item_id: str) -> slice:
        """Place of an item's closest items in ``together`` and ``cosines``."""
        at = self.column.get(item_id)
        if at is None:
            return slice(0, 0)
        start, end = self.together.indptr[at : at + 2].tolist()
        return slice(start, end)

    def people(self, item_id: str, other: str) -> int:
        """Dialogues in which both items were named or chosen, 0 if the pair is not kept."""
        here, column = self.near(item_id), self.column.get(other)
        at = np.flatnonzero(self.together.indices[here] == column)
        return int(self.together.data[here][at].sum())

    def _closest(self) -> CoMentions:
        """The same with the 100 closest items of each item, ties in column order."""
        kept: list[NDArray[np.int64]] = []
        for item in self.item_ids:
            here = self.near(item)
            order = np.argsort(-self.cosines[here], kind="stable")[:_KEPT]
            kept.append(here.start + np.sort(order))
        places = np.concatenate([*kept, np.zeros(0, dtype=np.int64)])
        starts = np.cumsum([0, *map(len, kept)])
        cells = self.together.data[places], self.together.indices[places], starts
        shape = self.together.shape
        return CoMentions(self.item_ids, self.dialogues, sparse.csr_array(cells, shape=shape))


class MentionScorer(ColumnScorer):
    """Signals from the people who named a title of the request, or a liked pick, and the item."""

    name = "mentions"
    signals = (
        Signal(
            "mentions",
            "Damped cosine of co-mention in recorded requests with the titles that the request "
            "names and the liked picks; sum over them.",
            "cosine",
            low=0.0,
            in_trees=False,
            of_words=True,
            group="liked",
            reason="mentioned",
        ),
        Signal(
            "mentions_log",
            "log(1 + 20 · ``mentions``).",
            "nats",
            low=0.0,
            in_trees=False,
            of_words=True,
            group="liked",
            reason="mentioned",
        ),
    )

    def __init__(self) -> None:
        self._learned = CoMentions()

    def fit_requests(self, requests: Sequence[RecordedRequest], items: ItemStore) -> None:
        """Count co-mentions."""
        self._learned = CoMentions.fit(requests, items.rows)

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Both; zero where no title is named or picked."""
        values = np.zeros(len(items.ids))
        rows, cosines = self._found(user, items)
        np.add.at(values, rows, cosines)
        return {"mentions": values, "mentions_log": np.log1p(_SHARPNESS * values)}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items of the largest sums."""
        rows, cosines = self._found(user, items)
        known, place = np.unique(rows, return_inverse=True)
        sums = np.bincount(place, cosines, len(known)).astype(np.float64)
        return [known[best(sums)]] if len(known) else []

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """The named title closest to the item, and how many people named or chose both."""
        item = items.ids[row]
        by_title = {name: self._learned.people(name, item) for name in _named(user)}
        known = {n: people for n, people in by_title.items() if people and n in items.catalog}
        if not known:
            return None
        usual = self._learned.dialogues + _DAMPING
        closest = max(
            known, key=lambda n: (known[n] / np.sqrt(usual[self._learned.column[n]]), known[n], n)
        )
        return {"pick": items.catalog[closest].title, "people": known[closest]}

    def save(self) -> Mapping[str, bytes]:
        """Item ids and counts; none without state."""
        learned = self._learned
        if not learned.item_ids:
            return {}
        tensors = {
            "dialogues": learned.dialogues.astype(np.uint32),
            **sparse_tensors(learned.together, "together"),
        }
        return pack(tensors, {"item_ids": learned.item_ids})

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore the counts.

        Raises:
            ArtifactError: the files are damaged.
        """
        tensors, about = unpack(files, self.name, {"dialogues": 1})
        ids = names_of(about, "item_ids", self.name)
        n = len(ids)
        if len(tensors["dialogues"]) != n:
            raise ArtifactError(
                f"state of the scorer {self.name!r} has {n} items and counts of "
                f"{len(tensors['dialogues'])}",
                hint="save the artifact again",
            )
        dialogues = counted(tensors, "dialogues", self.name, (n,), "u", MOST_COUNT).astype(
            np.float64
        )
        together = sparse_from(tensors, "together", (n, n), self.name)
        rows = np.repeat(np.arange(n), np.diff(together.indptr))
        most = np.minimum(dialogues[rows], dialogues[together.indices])
        if (together.data > most).any() or (together.indices == rows).any():
            raise ArtifactError(
                f"state of the scorer {self.name!r}: pairs are in more dialogues than their items",
                hint="save the artifact again",
            )
        self._learned = CoMentions(ids, dialogues, together)

    def _found(self, user: ResolvedProfile, items: ItemStore) -> tuple[Ints, Floats]:
        """Rows that were mentioned with a named title, with repeats, and their cosines."""
        learned = self._learned
        places = [learned.near(item) for item in _named(user)]
        columns = [column for at in places for column in learned.together.indices[at].tolist()]
        cosines = np.concatenate([np.zeros(0), *(learned.cosines[at] for at in places)])
        rows = np.array([items.rows.get(learned.item_ids[c], -1) for c in columns], dtype=np.int64)
        return rows[rows >= 0], cosines[rows >= 0]


def _named(user: ResolvedProfile) -> list[str]:
    """Titles that the text names as good examples, and the liked picks; none that is disliked."""
    named = dict.fromkeys([*user.understood.liked, *user.liked])
    return [item for item in named if item not in user.disliked]
