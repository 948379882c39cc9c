"""The narrow seams between stages. Anything that fits one of these can take a stage's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from coldstart.schema import Candidate, Context, Item, RecommendationList, UserProfile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.generation.decoding.free import DecodingConfig
    from coldstart.generation.models.lines import LineTokenizer

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]


@runtime_checkable
class TextGenerator(Protocol):
    """Writes titles after a prompt."""

    @property
    def concurrency(self) -> int:
        """How many calls may be under way at a time, each on a thread of its own."""
        ...

    def write(
        self,
        prompt: str,
        lines: LineTokenizer,
        config: DecodingConfig,
        seed: int = 0,
        choices: Sequence[str] | None = None,
    ) -> Sequence[Candidate]:
        """Write titles; the same arguments give the same titles.

        Args:
            prompt: ends with a newline.
            lines: the tokenizer of the model that the prompt is meant for.
            config: how to search, and how many titles.
            seed: of drawing.
            choices: write none but these; at most ``generation.writing.MOST_CHOICES``.

        Returns:
            At most ``config.n`` candidates of distinct text, in descending log-probability: that of
            the text and its line break given the prompt; among ``choices`` where there are any.

        Raises:
            ColdstartError: the prompt is empty or too long, or nothing can be written.
        """
        ...


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
