"""Parts of other installed packages: scorers, signals, baselines, indexes and filters.

A package names them in its ``pyproject.toml``, in the entry-point group of their kind:

    [project.entry-points."coldstart.scorers"]
    recency = "my_package:RecencyScorer"
"""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from typing import Any, Literal, get_args

from coldstart.errors import ConfigError

Kind = Literal["scorers", "signals", "baselines", "indexes", "filters"]


@lru_cache
def plugins(kind: Kind) -> dict[str, Any]:
    """Load everything that installed packages offer of one kind, by name.

    The result is kept; ``plugins.cache_clear()`` looks again.

    Raises:
        ConfigError: an entry point cannot be imported, or two packages use the same name.
    """
    if kind not in get_args(Kind):
        raise ConfigError(
            f"no plug-ins of kind {kind!r}", hint=f"one of {', '.join(get_args(Kind))}"
        )
    found: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for entry in sorted(metadata.entry_points(group=f"coldstart.{kind}"), key=lambda e: e.name):
        owner = entry.dist.name if entry.dist else "an unknown package"
        if entry.name in found:
            raise ConfigError(
                f"two packages offer coldstart.{kind} named {entry.name!r}: "
                f"{owners[entry.name]} and {owner}",
                hint="uninstall one of them",
            )
        try:
            found[entry.name] = entry.load()
        except Exception as e:
            raise ConfigError(
                f"cannot load {entry.name!r} (coldstart.{kind}) of {owner}: "
                f"{type(e).__name__}: {e}",
                hint=f"update or uninstall {owner}",
            ) from e
        owners[entry.name] = owner
    return found
