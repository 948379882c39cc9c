"""The parts of a recommender that the pipeline works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, overload

from coldstart.errors import ConfigError
from coldstart.scoring.evidence import EvidenceScorer

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.catalog.item_store import ItemStore
    from coldstart.generation.models.causal import CausalLM
    from coldstart.grounding.grounder import Grounder
    from coldstart.prompts import PromptTemplate
    from coldstart.protocols import Encoder, Index, TextGenerator
    from coldstart.ranking.ranker import BlendRanker
    from coldstart.scoring.catalog_model import CatalogLanguageModel
    from coldstart.scoring.scorers import Scorers
    from coldstart.settings import Settings


T = TypeVar("T")


@dataclass(eq=False)
class Parts:
    """Finished parts, read at every request, so that they may be replaced between requests.

    The recommender and its pipeline share one such object rather than refer to each other: a
    recommender that nothing refers to any more is freed at once, with its model.
    """

    catalog: Catalog
    item_store: ItemStore
    lm: CausalLM | None
    generator: TextGenerator | None
    template: PromptTemplate
    encoder: Encoder
    index: Index | None
    content_index: Index | None
    scorers: Scorers
    ranker: BlendRanker
    settings: Settings


class HasParts(Protocol):
    """An owner of parts."""

    parts: Parts


class Part(Generic[T]):
    """Attribute of an owner that has ``parts``: reads and writes the part of the same name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> Part[T]: ...
    @overload
    def __get__(self, owner: HasParts, kind: type) -> T: ...
    def __get__(self, owner: HasParts | None, kind: type) -> Part[T] | T:
        if owner is None:
            return self
        value: T = getattr(owner.parts, self._name)
        return value

    def __set__(self, owner: HasParts, value: T) -> None:
        setattr(owner.parts, self._name, value)


class PartsResources:
    """``Resources`` of the scorers, made from the parts when first used.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._model: CatalogLanguageModel | None = None
        self._model_of: tuple[object, ...] = ()
        self._grounder: Grounder | None = None
        self._grounder_of: tuple[object, ...] = ()

    @property
    def items(self) -> ItemStore:
        """The whole catalog, synchronised."""
        self._parts.item_store.sync()
        return self._parts.item_store

    @property
    def observed_likes(self) -> int:
        """Number of observed likes; 0 where none are counted."""
        counting = (s for s in self._parts.scorers if isinstance(s, EvidenceScorer))
        return sum(scorer.n_likes for scorer in counting)

    @property
    def model(self) -> CatalogLanguageModel:
        """The language model at work on this catalog.

        Raises:
            ConfigError: there is no language model.
        """
        from coldstart.scoring.catalog_model import CatalogLanguageModel

        parts = self._parts
        if parts.lm is None:
            raise ConfigError(
                "this recommender has no language model", hint="use strategy='prior', or load one"
            )
        made_of = parts.lm, parts.generator, parts.item_store
        if self._model is None or _changed(self._model_of, made_of):
            self._model = CatalogLanguageModel(
                parts.lm, parts.template, parts.item_store, parts.settings, parts.generator
            )
            self._model_of = made_of
        return self._model

    @property
    def grounder(self) -> Grounder:
        """Finds catalog items by title; synchronised."""
        from coldstart.grounding.grounder import Grounder
        from coldstart.grounding.index.approximate import ApproximateIndex

        parts = self._parts
        made_of = parts.encoder, parts.index
        if self._grounder is None or _changed(self._grounder_of, made_of):
            index = ApproximateIndex() if parts.index is None else parts.index
            self._grounder, self._grounder_of = Grounder(parts.encoder, index), made_of
        self._grounder.sync(parts.catalog)
        return self._grounder


def _changed(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    return any(a is not b for a, b in zip(before, now, strict=True))
