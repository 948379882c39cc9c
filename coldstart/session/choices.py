"""Questions with other answers than yes and no: which categories, and this or that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.session.information import InformationGain
from coldstart.session.quiz import Known, Quiz, best, pair_question, to_columns
from coldstart.session.state import Choice, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_CATEGORIES = 12
_DAMPING = 20.0  # likes, as in priors.co_occurrence


class CategoriesFirst:
    """One question about categories, if the catalog has some, then those of another quiz.

    Args:
        then: what is asked afterwards.
    """

    name = "categories"

    def __init__(self, then: Quiz | None = None) -> None:
        self._then = then or InformationGain()

    def question(self, known: Known) -> Question | None:
        """Ask about the most liked categories, once."""
        found = categories_question(known.item_store)
        if found is None or found.question_id in known.asked:
            return self._then.question(known)
        return found

    def value(self, known: Known) -> Floats:
        """That of the other quiz."""
        return self._then.value(known)


class Pairs:
    """Asks "A or B?": the item worth most, and one worth much that other people like.

    B is the item of the highest value times one minus the damped cosine to A. Two items for one
    question: a person is likelier to know and like one of them.

    Args:
        worth: the quiz that values items.
    """

    name = "pairs"

    def __init__(self, worth: Quiz | None = None) -> None:
        self._worth = worth or InformationGain()

    def question(self, known: Known) -> Question | None:
        """Ask about two items, or about the last one alone."""
        values, item_store = self._worth.value(known), known.item_store
        a = best(values, known.askable)
        if a is None:
            return None
        others = known.askable.copy()
        others[a] = False
        apart = np.where(values > 0, values * (1 - _near(item_store, a)), values)
        b = best(apart, others)
        if b is None:
            return self._worth.question(known)
        items = item_store.catalog.items
        return pair_question(items[a], items[b], "different people like them")

    def value(self, known: Known) -> Floats:
        """That of the quiz that values items."""
        return self._worth.value(known)


def categories_question(item_store: ItemStore) -> Question | None:
    """Ask which of the 12 most liked categories are liked; ``None`` with fewer than two.

    A category's likes are those of its items; equal ones come by name.
    """
    spelled = {c.casefold(): c for item in item_store.catalog for c in item.categories}
    likes = item_store.likes @ item_store.has_category
    names = sorted(spelled, key=lambda c: (-likes[item_store.category_column[c]], c))
    if len(names) < 2:
        return None
    return Question(
        question_id="categories",
        kind="categories",
        text="Which of these do you like?",
        choices=tuple(Choice(value=spelled[c], label=spelled[c]) for c in names[:MOST_CATEGORIES]),
        why="it says at once where to look",
    )


def _near(item_store: ItemStore, row: int) -> Floats:
    """Damped cosine of the co-occurrence of every row with one, shape (N,)."""
    counts, own = item_store.counts, to_columns(item_store, (row,))
    if not own:
        return np.zeros(len(item_store.ids))
    size = counts.likes + _DAMPING
    near = counts.together[own].toarray().ravel() / np.sqrt(size[own[0]] * size)
    return item_store.spread(near)
