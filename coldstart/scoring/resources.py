"""What scorers may use besides their own state."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Protocol

from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.grounding.grounder import Grounder
    from coldstart.scoring.catalog_model import CatalogLanguageModel


class Resources(Protocol):
    """Handed to ``Scorer.sync``; heavy parts are made when they are first used."""

    @property
    def items(self) -> ItemStore:
        """The whole catalog, synchronised."""
        ...

    @property
    def observed_likes(self) -> int:
        """Number of likes that were observed while the recommender is used."""
        ...

    @property
    def model(self) -> CatalogLanguageModel:
        """The language model. Raises ``ConfigError`` if there is none."""
        ...

    @property
    def grounder(self) -> Grounder:
        """Finds the catalog items that written titles mean."""
        ...


class ItemResources:
    """Resources without a language model, as in the training of everything else.

    Args:
        items: synchronised with the catalog.
    """

    def __init__(self, items: ItemStore) -> None:
        self.items, self.observed_likes = items, 0

    @property
    def model(self) -> CatalogLanguageModel:
        """Raises ``ConfigError``."""
        raise ConfigError(
            "this recommender has no language model", hint="use strategy='prior', or load one"
        )

    @property
    def grounder(self) -> Grounder:
        """Raises ``ConfigError``."""
        raise ConfigError("nothing is written here, so nothing is grounded", hint="load a model")


class UsesResources:
    """A scorer that uses the resources it was synchronised with, for as long as others keep them.

    The resources know the scorers: a strong reference back would keep a model that nothing uses.
    """

    _resources: weakref.ref[Resources] | None = None

    def sync(self, resources: Resources) -> None:
        """Use these from now on."""
        self._resources = weakref.ref(resources)

    @property
    def resources(self) -> Resources:
        """Those of the latest ``sync``.

        Raises:
            ConfigError: there was none.
        """
        found = None if self._resources is None else self._resources()
        if found is None:
            raise ConfigError(
                f"{type(self).__name__} was not synchronised, or its resources are gone",
                hint="call sync before score, with resources that are kept",
            )
        return found
