"""Multiple-choice questions: preferred categories, and pairwise comparisons of items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.session.information_gain import InformationGain
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.quiz import Quiz, QuizState, best, pair_question, to_columns
from coldstart.session.state import Choice, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_CATEGORIES = 12
_DAMPING = 20.0  # likes, as in interaction_stats.co_occurrence


class CategoriesFirst:
    """One question about categories, if the catalog has at least two, followed by another quiz.

    Args:
        then: the quiz that follows.
    """

    name = "categories"

    def __init__(self, then: Quiz | None = None) -> None:
        self._then = then or InformationGain()

    def question(self, state: QuizState) -> Question | None:
        """Select the question about categories, once; then defer to the other quiz."""
        found = categories_question(state.item_store)
        if found is None or found.question_id in state.asked:
            return self._then.question(state)
        return found

    def value(self, state: QuizState) -> Floats:
        """Return the values of the other quiz."""
        return self._then.value(state)


class Pairs:
    """Pairwise comparisons "A or B?" between a valuable item and a valuable, dissimilar one.

    A is the item of the highest value; B maximises the value times one minus the damped cosine of
    co-occurrence with A, or of content where there are no users. With two items in one
    question, a user is likelier to know and like one.

    Args:
        worth: the quiz that values items.
    """

    name = "pairs"

    def __init__(self, worth: Quiz | None = None) -> None:
        self._worth = worth or InformationGain()

    def question(self, state: QuizState) -> Question | None:
        """Select two items, or a single one if no second is eligible."""
        values, item_store = self._worth.value(state), state.item_store
        a = best(values, state.askable)
        if a is None:
            return None
        others = state.askable.copy()
        others[a] = False
        apart = np.where(values > 0, values * (1 - _near(item_store, a)), values)
        b = best(apart, others)
        if b is None:
            return self._worth.question(state)
        items = item_store.catalog.items
        return pair_question(items[a], items[b], "different people like them")

    def value(self, state: QuizState) -> Floats:
        """Return the values of the underlying quiz."""
        return self._worth.value(state)


def categories_question(item_store: ItemStore) -> Question | None:
    """Word the question about the 12 most liked categories; ``None`` with fewer than two.

    The likes of a category are those of its items, or, where there are none, their prior shares;
    ties are broken by name. Computed once for each version of the catalog and the counts.
    """
    return _CATEGORIES.of(item_store)


def _categories_question(item_store: ItemStore) -> Question | None:
    spelled = {c.casefold(): c for item in item_store.catalog for c in item.categories}
    likes = item_store.likes if item_store.counts.n_users else np.exp(item_store.prior_lift)
    likes = item_store.by_category(likes)
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


_CATEGORIES = ItemStoreCache(_categories_question)


def _near(item_store: ItemStore, row: int) -> Floats:
    """Damped cosine of the co-occurrence of every row with one row, shape (N,).

    Without users, the cosine of their contents.
    """
    counts, own = item_store.counts, to_columns(item_store, (row,))
    if not counts.n_users:
        content = item_store.content
        return np.asarray(np.maximum(content @ content[row], 0.0), dtype=np.float64)
    if not own:
        return np.zeros(len(item_store.ids))
    size = counts.likes + _DAMPING
    near = counts.together[own].toarray().ravel() / np.sqrt(size[own[0]] * size)
    return item_store.spread(near)
