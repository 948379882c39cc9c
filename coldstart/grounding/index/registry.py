"""Indexes by name: ``exact``, ``approximate``, ``faiss``, ``pgvector``, ``qdrant`` and plug-ins."""

from __future__ import annotations

from typing import Any

from coldstart.errors import ConfigError
from coldstart.plugins import Factories
from coldstart.protocols import Index

_HERE = "coldstart.grounding.index"
INDEXES = Factories(
    "indexes",
    "index",
    {
        "exact": f"{_HERE}.exact:ExactIndex",
        "approximate": f"{_HERE}.approximate:ApproximateIndex",
        "faiss": f"{_HERE}.faiss:FaissIndex",
        "pgvector": f"{_HERE}.pgvector:PgVectorIndex",
        "qdrant": f"{_HERE}.qdrant:QdrantIndex",
    },
)


def make_index(name: str, /, **options: Any) -> Index:
    """A new index by name.

    >>> make_index("qdrant", where=":memory:", name="films")  # doctest: +SKIP

    Args:
        name: a built-in one, or that of an entry point ``coldstart.indexes``.
        options: keyword arguments of its constructor.

    Raises:
        ConfigError: an unknown name, options that it does not take or that are out of range, or a
            plug-in that is no index.
        MissingExtraError: the library that it needs is not installed.
        IndexUnavailable: its server cannot be reached.
    """
    made = INDEXES.make(name, options)
    if not isinstance(made, Index):
        raise ConfigError(
            f"index {name!r} is a {type(made).__name__} without set, remove and search",
            hint="update the package that provides it; see coldstart.testing.contracts.index",
        )
    return made


def as_index(given: Index | str | None) -> Index | None:
    """An index as it is, or a new one of a name with default options."""
    return make_index(given) if isinstance(given, str) else given
