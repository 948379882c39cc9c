"""The datasets that coldstart can fetch, by name: how each is loaded, and under which terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.data.dataset import Dataset

Name = Literal["ml-100k", "ml-small"]
"""Keys of ``NAMED``, as a type that a command line can offer."""


class Loader(Protocol):
    """What the module of a dataset holds."""

    @property
    def LIKE_AT(self) -> float:  # noqa: N802
        """Ratings from here on are likes."""

    @property
    def DISLIKE_AT(self) -> float:  # noqa: N802
        """Ratings up to here are dislikes."""

    def load(self, folder: Path | None = None) -> Dataset:
        """Everything."""

    def load_catalog(self, folder: Path | None = None) -> Catalog:
        """The items alone."""


@dataclass(frozen=True)
class Named:
    """One dataset; nothing is imported or fetched before it is asked for.

    Args:
        name: its key in ``NAMED``.
        terms: what the model card of an artifact trained on it says about its licence.
        module: gives the module that loads it.
    """

    name: Name
    terms: str
    module: Callable[[], Loader]

    @property
    def thresholds(self) -> tuple[float, float]:
        """Ratings from the first on are likes, up to the second dislikes."""
        return self.module().LIKE_AT, self.module().DISLIKE_AT

    def load(self) -> Dataset:
        """The whole dataset, fetched at first use.

        Raises:
            FetchError: it is not in the cache and could not be fetched.
        """
        return self.module().load()

    def load_catalog(self) -> Catalog:
        """Its items, fetched at first use; their fingerprint is that of the dataset's catalog.

        Raises:
            FetchError: it is not in the cache and could not be fetched.
        """
        return self.module().load_catalog()


def _ml_100k() -> Loader:
    from coldstart.data import ml_100k

    return ml_100k


def _ml_small() -> Loader:
    from coldstart.data import ml_small

    return ml_small


_SHARED = (
    "is for research use (F. M. Harper and J. A. Konstan, 2015). Its films and ratings are not "
    "part of this folder: the manifest names the catalog and its fingerprint, and loading fetches "
    "it into the user's cache. What is here are weights, counts over training users and user ids."
)
_ALL = (
    Named("ml-100k", f"MovieLens 100K {_SHARED}", _ml_100k),
    Named("ml-small", f"MovieLens latest-small (2016) {_SHARED}", _ml_small),
)
NAMED: Mapping[str, Named] = MappingProxyType({d.name: d for d in _ALL})
