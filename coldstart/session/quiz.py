"""Question selection: the ``Quiz`` protocol, its input, and the wording of questions.

Quizzes use interaction statistics and item content alone, never the language model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.ranking.filters import default_filters, verdict
from coldstart.schema import Context, Item, Understood
from coldstart.session.fitting import fitting
from coldstart.session.history import History
from coldstart.session.state import Choice, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

UNKNOWN = "unknown"
"""The answer "I don't know it"."""
COLD_VALUE = -1.0
"""Value of asking about a cold item: below that of every counted item, which is at least 0."""


@dataclass(frozen=True)
class QuizState:
    """Input of a quiz: the user's opinions so far and the eligible items, as catalog rows.

    Args:
        item_store: synced with the catalog.
        liked: rows of the liked items, oldest first.
        disliked: rows of the disliked items.
        unfamiliar: rows of the items answered with "I don't know it".
        askable: eligibility of each item as the subject of a question, shape (N,).
        asked: ids of earlier questions.
        seed: random seed of sampling quizzes.
    """

    item_store: ItemStore
    liked: tuple[int, ...]
    disliked: tuple[int, ...]
    unfamiliar: tuple[int, ...]
    askable: Bools
    asked: frozenset[str] = frozenset()
    seed: int = 0

    @classmethod
    def of(
        cls,
        item_store: ItemStore,
        history: History,
        askable: Collection[str] | None = None,
        seed: int = 0,
        understood: Understood | None = None,
    ) -> QuizState:
        """Collect the input of the next question from a session's history.

        Items that a default filter rejects, that an earlier question covered or that are snoozed
        are not eligible; nor are those that profile and texts speak against, if others are enough
        (``fitting``).

        Args:
            item_store: synced with the catalog; ids that it lacks are ignored.
            history: of the session.
            askable: ids of the items that may be asked about; ``None`` for all.
            seed: random seed of sampling quizzes.
            understood: all that was read in the user's texts; ``None``: nothing.
        """
        rows, profile = item_store.rows, history.profile

        def rows_of(ids: Iterable[str]) -> tuple[int, ...]:
            return tuple(rows[i] for i in ids if i in rows)

        filters, context = default_filters(), Context()
        eligible = np.array(
            [verdict(item, filters, profile, context) is None for item in item_store.catalog]
        )
        about = (i for question in history.questions.values() for i in question.items)
        eligible[list(rows_of([*about, *history.snoozed]))] = False
        if askable is not None:
            eligible &= np.array([i in askable for i in item_store.ids])
        if eligible.any():
            eligible = fitting(item_store, profile, understood or Understood(), eligible)
        return cls(
            item_store,
            rows_of(history.liked),
            rows_of(history.disliked),
            rows_of(history.unfamiliar),
            eligible,
            frozenset(history.questions),
            seed,
        )

    @property
    def rng(self) -> np.random.Generator:
        """Random generator, determined by the seed and the number of previous questions."""
        return np.random.default_rng([self.seed, len(self.asked)])


class Quiz(Protocol):
    """Strategy that selects the questions of a session; deterministic given its input."""

    name: str

    def question(self, state: QuizState) -> Question | None:
        """Select the next question; ``None`` at the end of the quiz."""
        ...

    def value(self, state: QuizState) -> Floats:
        """Return the value of an opinion about each item, shape (N,); higher is better."""
        ...


class ItemQuiz(ABC):
    """Quiz of "Do you like X?" questions about the items of the highest value."""

    name = ""
    why = ""

    @abstractmethod
    def value(self, state: QuizState) -> Floats:
        """Return the value of an opinion about each item, shape (N,): ≥ 0, or ``COLD_VALUE``."""

    def question(self, state: QuizState) -> Question | None:
        """Select the eligible item of the highest value; ties go to the first row."""
        row = best(self.value(state), state.askable)
        return None if row is None else item_question(state.item_store.catalog.items[row], self.why)


def best(values: Floats, allowed: Bools) -> int | None:
    """Return the allowed row of the highest value; ties go to the first, ``None`` if none is."""
    if not allowed.any():
        return None
    return int(np.where(allowed, values, -np.inf).argmax())


def to_rows(item_store: ItemStore, values: Floats) -> Floats:
    """Map values of counted items, shape (I,), to rows, shape (N,); cold ones: ``COLD_VALUE``."""
    out = np.full(len(item_store.ids), COLD_VALUE)
    met = item_store.columns >= 0
    out[met] = values[item_store.columns[met]]
    return out


def to_columns(item_store: ItemStore, rows: tuple[int, ...]) -> list[int]:
    """Return the columns of rows in the counts; cold items have none and are left out."""
    return [int(c) for c in item_store.columns[list(rows)] if c >= 0]


def item_question(item: Item, why: str = "") -> Question:
    """Word the question "Do you like X?"."""
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
    """Word the question "A or B?"."""
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
    """Format title and year."""
    return item.title if item.year is None else f"{item.title} ({item.year})"
