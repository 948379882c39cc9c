"""Registry of fetchable datasets: loader and licence terms by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.data.dataset import Dataset

Name = Literal["ml-100k", "ml-small", "movies"]
"""Keys of ``NAMED`` as a type, for command-line choices."""


class Loader(Protocol):
    """Interface of a dataset's module."""

    @property
    def LIKE_AT(self) -> float:  # noqa: N802
        """Minimum rating of a like."""

    @property
    def DISLIKE_AT(self) -> float:  # noqa: N802
        """Maximum rating of a dislike."""

    def load(self, folder: Path | None = None) -> Dataset:
        """Load the dataset."""

    def load_catalog(self, folder: Path | None = None) -> Catalog:
        """Load the items alone."""


@dataclass(frozen=True)
class Named:
    """Registry entry of a dataset; imports and downloads are deferred to its use.

    Args:
        name: key in ``NAMED``.
        terms: licence terms, quoted in the model card of artifacts trained on the dataset.
        module: imports the loader.
    """

    name: Name
    terms: str
    module: Callable[[], Loader]

    @property
    def thresholds(self) -> tuple[float, float]:
        """Minimum rating of a like, maximum rating of a dislike."""
        return self.module().LIKE_AT, self.module().DISLIKE_AT

    def load(self) -> Dataset:
        """Load the dataset, downloaded at first use.

        Raises:
            FetchError: not in the cache, and the download failed.
        """
        return self.module().load()

    def load_catalog(self) -> Catalog:
        """Load the items alone, downloaded at first use; equal to the dataset's catalog.

        Raises:
            FetchError: not in the cache, and the download failed.
        """
        return self.module().load_catalog()


def _ml_100k() -> Loader:
    from coldstart.data import ml_100k

    return ml_100k


def _ml_small() -> Loader:
    from coldstart.data import ml_small

    return ml_small


def _movies() -> Loader:
    from coldstart.data import movies

    return movies


_SHARED = (
    "is for research use (F. M. Harper and J. A. Konstan, 2015). Its films and ratings are not "
    "part of this folder: the manifest names the catalog and its fingerprint, and loading fetches "
    "it into the user's cache. What is here are weights, counts over training users and user ids."
)
_RATED = (
    "Minimum ages come from the MPAA ratings in ggplot2movies (data of the Internet Movie "
    "Database, 2005; package GPL-3), fetched likewise, and are inferred from genre and year where "
    "there is none."
)
_ALL = (
    Named("ml-100k", f"MovieLens 100K {_SHARED}", _ml_100k),
    Named("ml-small", f"MovieLens latest-small (2016) {_SHARED}", _ml_small),
    Named("movies", f"MovieLens latest-small (2016) {_SHARED} {_RATED}", _movies),
)
NAMED: Mapping[str, Named] = MappingProxyType({d.name: d for d in _ALL})
