"""Registry of baselines: each is one module-level ``Baseline``, here or in another distribution.

The modules of this package are searched for ``Baseline`` objects. Other distributions name theirs
as entry points of the group ``coldstart.baselines``::

    [project.entry-points."coldstart.baselines"]
    my_baseline = "my_package.my_module:BASELINE"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Literal

from coldstart.errors import ConfigError, MissingExtraError
from coldstart.plugins import plugins
from coldstart.protocols import Recommends

OWN = "coldstart-rec"

Uses = Literal["picks", "attributes", "text"]


@dataclass(frozen=True)
class Baseline:
    """Declaration of a recommender that ``benchmark``, ``evaluate`` and ``replay`` can run by name.

    A trained recommender that also satisfies ``FollowsCounts`` is replayed with live counts.

    Args:
        name: unique among the baselines of its ``input``.
        description: one line for a table's legend.
        build: (its ``input``, settings as keyword arguments) → a trained recommender. The defaults
            of keyword-only parameters are the default settings: those that validated best on
            MovieLens-100K. ``seed`` and ``order`` are set from the command line if present.
        uses: what of a profile its lists depend on: picks, attributes, text (interests and about).
        grid: values to try on validation users, by setting; empty where nothing is tuned.
        tuning: whether the grid is searched only ``on demand``, one setting after the other, or
            ``always``, in all combinations.
        input: what ``build`` is given: the ``training`` data; the ``fold``, as (training data,
            split, dataset); or a trained ``artifact`` (``LoadedArtifact``).
        requires: library that has to be installed, by the name it is imported by, or ``None``.
        install: what to ``pip install`` for it; ``None``: the same name.
        ours: whether it is the subject of the benchmark, rather than a baseline.
        slow: whether a list takes seconds; then it is measured only by name, not among ``all``.
        position: in the list of all systems, lowest first; ties by name.
        headline: position in the table of ``coldstart evaluate``; ``None``: not shown there.
        label: row title in that table; the name if empty.
        describe: tuned settings → text appended to the label in parentheses.
    """

    name: str
    description: str
    build: Callable[..., Recommends]
    uses: frozenset[Uses] = frozenset()
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tuning: Literal["on demand", "always"] = "on demand"
    input: Literal["training", "fold", "artifact"] = "training"
    requires: str | None = None
    install: str | None = None
    ours: bool = False
    slow: bool = False
    position: int = 500
    headline: int | None = None
    label: str = ""
    describe: Callable[[Mapping[str, Any]], str] | None = None

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.grid) - set(self.defaults)):
            raise ConfigError(
                f"baseline {self.name!r} tunes {unknown[0]!r}, which its build function lacks",
                hint="name a keyword-only parameter with a default value",
            )

    @property
    def defaults(self) -> dict[str, Any]:
        """Default settings, by name."""
        parameters = inspect.signature(self.build).parameters.values()
        keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        return {p.name: p.default for p in keywords if p.default is not p.empty}

    @property
    def installed(self) -> bool:
        """Whether the required library can be imported; true if none is required."""
        return self.requires is None or find_spec(self.requires) is not None

    @property
    def pip(self) -> str:
        """Argument of ``pip install`` that brings the required library."""
        return self.install or self.requires or ""


def baselines(*, artifact: bool = False) -> dict[str, Baseline]:
    """All baselines by name, in the order of tables.

    Args:
        artifact: also those that need a trained artifact; of two with one name the artifact's is
            taken.

    Raises:
        ConfigError: an entry point of another distribution cannot be loaded, is no ``Baseline``, or
            has the name of another one.
    """
    found: dict[tuple[bool, str], Baseline] = {}
    origin: dict[tuple[bool, str], str] = {}
    for distribution, one in (*_packaged(), *_plugged_in()):
        key = (one.input == "artifact", one.name)
        if key in found:
            raise ConfigError(
                f"the distributions {origin[key]} and {distribution} both have a baseline "
                f"{one.name!r}",
                hint=f"rename it in {distribution}, or uninstall that",
            )
        found[key], origin[key] = one, distribution
    chosen = {name: one for (needs, name), one in found.items() if not needs}
    if artifact:
        chosen |= {name: one for (needs, name), one in found.items() if needs}
    return {b.name: b for b in sorted(chosen.values(), key=lambda b: (b.position, b.name))}


def needed(module: str, baseline: str, install: str) -> Any:
    """Module of an optional library.

    Args:
        module: dotted name.
        baseline: name of the baseline that needs it, for the message.
        install: what to ``pip install``.

    Raises:
        MissingExtraError: it cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as e:
        library = module.partition(".")[0]
        raise MissingExtraError(
            f"{baseline} needs the library {library}, which cannot be imported",
            hint=f"pip install {install}",
        ) from e


@cache
def _packaged() -> tuple[tuple[str, Baseline], ...]:
    """The baselines in the modules of this package."""
    name = __name__.rpartition(".")[0]
    out: dict[int, Baseline] = {}
    for module in iter_modules(import_module(name).__path__, f"{name}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Baseline):
                out[id(value)] = value
    return tuple((OWN, one) for one in out.values())


def _plugged_in() -> Iterator[tuple[str, Baseline]]:
    """The baselines of other installed distributions."""
    for name, one in plugins("baselines").items():
        distribution = _distribution(name)
        if not isinstance(one, Baseline):
            raise ConfigError(
                f"the entry point {name!r} of the distribution {distribution} is a "
                f"{type(one).__name__}",
                hint="an entry point of coldstart.baselines names a Baseline object",
            )
        yield distribution, one


def _distribution(name: str) -> str:
    """The distribution that has an entry point."""
    points = entry_points(group="coldstart.baselines", name=name)
    return next((p.dist.name for p in points if p.dist), "an unknown distribution")
