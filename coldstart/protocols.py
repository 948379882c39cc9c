"""Protocols of the replaceable components: text generator, encoder, index, filter, recommender."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from coldstart.schema import (
    Candidate,
    Context,
    DecodingConfig,
    Item,
    RecommendationList,
    UserProfile,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]


class PromptTokenizer(Protocol):
    """Line-wise tokenizer of the language model that a prompt is rendered for.

    Implemented by ``generation.models.line_tokenizer.LineTokenizer``.
    """

    @property
    def end(self) -> tuple[int, ...]:
        """Tokens of a line break."""
        ...

    @property
    def eos_token_id(self) -> int | None:
        """End-of-sequence token, if known."""
        ...

    @property
    def line(self) -> Callable[[str], tuple[int, ...]]:
        """Encode one line, its line break included."""
        ...

    def encode(self, text: str, /) -> list[int]:
        """Encode a prompt, which ends with a newline."""
        ...

    def titles(self, titles: Iterable[str], /) -> Iterator[tuple[int, ...]]:
        """Encode titles, each with its line break, truncated to the longest that is supported."""
        ...

    def decode(self, ids: Sequence[int], /) -> str:
        """Decode token ids, control tokens left out."""
        ...


@runtime_checkable
class TextGenerator(Protocol):
    """Generator of titles from a prompt."""

    @property
    def concurrency(self) -> int:
        """Largest number of concurrent calls, each on a thread of its own."""
        ...

    def write(
        self,
        prompt: str,
        lines: PromptTokenizer,
        config: DecodingConfig,
        seed: int = 0,
        choices: Sequence[str] | None = None,
    ) -> Sequence[Candidate]:
        """Generate titles, deterministically for the same arguments.

        Args:
            prompt: ends with a newline.
            lines: tokenizer of the model that the prompt was rendered for.
            config: decoding parameters, number of titles included.
            seed: of sampling.
            choices: constrain generation to these titles; at most
                ``generation.decoding.local.MOST_CHOICES``.

        Returns:
            At most ``config.n`` candidates of distinct text, in descending log-probability: that of
            the text and its line break given the prompt; among ``choices`` if given.

        Raises:
            ColdstartError: the prompt is empty or too long, or generation is impossible.
        """
        ...


@runtime_checkable
class Encoder(Protocol):
    """Text encoder with unit vectors."""

    @property
    def name(self) -> str:
        """Identifier of weights and settings; a change invalidates cached vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        ...


@runtime_checkable
class Index(Protocol):
    """Nearest-neighbour index by cosine, with updates and deletions."""

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """Add rows, or replace those of known ids; for an id given twice the last wins.

        Args:
            ids: one per row.
            vectors: shape (len(ids), dim); rows need not have length 1.

        Raises:
            ConfigError: shapes disagree or a number is not finite; nothing is changed.
        """
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""
        ...

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return per query up to ``k`` (id, cosine) pairs, best first, equal cosines by id.

        Args:
            queries: shape (n, dim); rows need not have length 1.
            k: most pairs per query, at least 1.
            allowed: restrict the search to these ids; unknown ones are ignored.

        Raises:
            ConfigError: ``k`` < 1, or ``queries`` do not fit the rows.
        """
        ...


class Filter(Protocol):
    """Rule that excludes items for a user and context."""

    name: str

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Return the reason why ``item`` is excluded, or ``None`` if it is not."""
        ...


@runtime_checkable
class Recommends(Protocol):
    """Recommender as evaluation uses it."""

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Return the top ``k`` items for one user, liked and seen ones excluded.

        Evaluation uses the ``item_ids`` of the list only.
        """
        ...
