"""What a quiz is: something that says what to ask next, from counts and content alone."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from urllib.parse import quote

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.schema import Item
from coldstart.session.state import Choice, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

UNKNOWN = "unknown"
"""The answer "I don't know it"."""
UNMET = -1.0
"""Value of asking about an item that nobody met: below all others, which are at least 0."""
T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """What is known when the next question is chosen; items are catalog rows.

    Args:
        item_store: synced with the catalog.
        liked: rows of the liked items, oldest first.
        disliked: rows of the disliked items.
        unfamiliar: rows of the items the person does not know.
        askable: whether each item may be asked about, shape (N,).
        asked: ids of the questions put so far.
        seed: of whatever a quiz draws.
    """

    item_store: ItemStore
    liked: tuple[int, ...]
    disliked: tuple[int, ...]
    unfamiliar: tuple[int, ...]
    askable: Bools
    asked: frozenset[str] = frozenset()
    seed: int = 0

    @property
    def rng(self) -> np.random.Generator:
        """The same for the same seed and number of questions put."""
        return np.random.default_rng([self.seed, len(self.asked)])


class Quiz(Protocol):
    """Chooses questions. The same for the same ``known``; asks no language model."""

    name: str

    def question(self, known: Known) -> Question | None:
        """Choose what to ask next; ``None`` when nothing is left to ask."""
        ...

    def value(self, known: Known) -> Floats:
        """How much the opinion about each item would tell, shape (N,); higher is more."""
        ...


class ItemQuiz(ABC):
    """Asks "Do you like X?" about the item whose answer is worth most."""

    name = ""
    why = ""

    @abstractmethod
    def value(self, known: Known) -> Floats:
        """How much the opinion about each item would tell, shape (N,); ≥ 0, or ``UNMET``."""

    def question(self, known: Known) -> Question | None:
        """Ask about the best item that may be asked about; of equal ones the first."""
        row = best(self.value(known), known.askable)
        return None if row is None else item_question(known.item_store.catalog.items[row], self.why)


def best(values: Floats, allowed: Bools) -> int | None:
    """The allowed row of the highest value, the first of equal ones; ``None`` if none is."""
    if not allowed.any():
        return None
    return int(np.where(allowed, values, -np.inf).argmax())


def to_rows(item_store: ItemStore, values: Floats) -> Floats:
    """Values of the counted items, shape (I,), as those of rows, shape (N,); others ``UNMET``."""
    out = np.full(len(item_store.ids), UNMET)
    met = item_store.columns >= 0
    out[met] = values[item_store.columns[met]]
    return out


def to_columns(item_store: ItemStore, rows: tuple[int, ...]) -> list[int]:
    """Columns in the counts of some rows, less those without."""
    return [int(c) for c in item_store.columns[list(rows)] if c >= 0]


class Tables(Generic[T]):
    """What is computed once for each ``ItemStore`` and kept as long as that lives.

    Args:
        make: computes it.
    """

    def __init__(self, make: Callable[[ItemStore], T]) -> None:
        self._make = make
        self._kept: weakref.WeakKeyDictionary[ItemStore, tuple[object, T]] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, item_store: ItemStore) -> T:
        """The tables, made anew after the catalog or the counts have changed."""
        state = (item_store.catalog.version, id(item_store.counts))
        kept = self._kept.get(item_store)
        if kept is None or kept[0] != state:
            kept = self._kept[item_store] = state, self._make(item_store)
        return kept[1]


def item_question(item: Item, why: str = "") -> Question:
    """Ask "Do you like X?"."""
    return Question(
        question_id=f"item:{quote(item.item_id, safe='')}",
        kind="item",
        text=f"Do you like {named(item)}?",
        items=(item.item_id,),
        choices=(
            Choice(value="like", label="Yes"),
            Choice(value="dislike", label="No"),
            Choice(value=UNKNOWN, label="I don't know it"),
        ),
        why=why,
    )


def pair_question(a: Item, b: Item, why: str = "") -> Question:
    """Ask "A or B?"."""
    return Question(
        question_id=f"pair:{quote(a.item_id, safe='')}:{quote(b.item_id, safe='')}",
        kind="pair",
        text=f"Which do you like better: {named(a)} or {named(b)}?",
        items=(a.item_id, b.item_id),
        choices=(
            Choice(value="a", label=named(a)),
            Choice(value="b", label=named(b)),
            Choice(value="neither", label="I like neither"),
            Choice(value=UNKNOWN, label="I don't know them"),
        ),
        why=why,
    )


def named(item: Item) -> str:
    """Title and year."""
    return item.title if item.year is None else f"{item.title} ({item.year})"
