"""The narrow seams between stages. Anything that fits one of these can take a stage's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from coldstart.schema import Context, Item, RecommendationList, UserProfile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]


@runtime_checkable
class Encoder(Protocol):
    """Text → unit vectors."""

    @property
    def name(self) -> str:
        """Identifies weights and settings; a change invalidates cached vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        ...


@runtime_checkable
class Index(Protocol):
    """Nearest neighbours by cosine over rows that can come and go."""

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """Add rows, or replace those whose id is known."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Forget rows; unknown ids are ignored."""
        ...

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Per query, up to ``k`` (id, cosine) pairs, best first, only from ``allowed`` if given."""
        ...


class Filter(Protocol):
    """Says which items may not be shown to this user."""

    name: str

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Return why ``item`` may not be shown, or ``None`` if it may."""
        ...


@runtime_checkable
class Recommends(Protocol):
    """All that evaluation needs of a recommender."""

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Return the ``k`` best items for one user; none that the profile likes or has seen.

        Evaluation looks at the ``item_ids`` of the answer only.
        """
        ...
