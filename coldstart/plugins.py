"""Parts of other installed packages: scorers, signals, baselines, indexes and filters.

A package names them in its ``pyproject.toml``, in the entry-point group of their kind:

    [project.entry-points."coldstart.scorers"]
    recency = "my_package:RecencyScorer"

``docs/extending.md`` has a recipe for each kind.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from importlib import import_module, metadata
from typing import Any, Literal, get_args

from coldstart.errors import ColdstartError, ConfigError

Kind = Literal["scorers", "signals", "baselines", "indexes", "filters"]


@lru_cache
def plugins(kind: Kind) -> dict[str, Any]:
    """Load everything that installed packages offer of one kind, by name.

    The result is cached; after a package was installed, call ``plugins.cache_clear()``.

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


class Factories:
    """Constructors of one kind by name: built-in ones first, then those of other packages.

    Built-in ones are imported when they are used, and need no plug-in to load.

    Args:
        kind: entry-point group of the plug-ins.
        noun: of error messages, such as ``filter``.
        built_in: ``module:attribute`` of each built-in class or function, by name.
    """

    def __init__(self, kind: Kind, noun: str, built_in: Mapping[str, str]) -> None:
        self._kind, self._noun, self._built_in = kind, noun, dict(built_in)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, built-in ones first.

        Raises:
            ConfigError: a plug-in cannot be loaded, or has the name of a built-in one.
        """
        return (*self._built_in, *self._plugged_in())

    def make(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Construct by name.

        Args:
            name: of a built-in one or a plug-in.
            arguments: keyword arguments of the constructor.

        Raises:
            ConfigError: an unknown name, or arguments that the constructor does not take.
        """
        factory = self._find(name)
        what = f"{self._noun} {name!r}"
        _check_arguments(factory, what, arguments)
        try:
            return factory(**arguments)
        except ColdstartError:
            raise
        except (TypeError, ValueError) as e:
            raise ConfigError(
                f"{what} does not take {dict(arguments)!r}: {type(e).__name__}: {e}",
                hint=_told(factory),
            ) from e

    def _find(self, name: str) -> Callable[..., Any]:
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            found: Any = getattr(import_module(module), attribute)
        elif name in self._plugged_in():
            found = self._plugged_in()[name]
        else:
            raise ConfigError(
                f"no {self._noun} {name!r}",
                hint=_nearest(name, self.names)
                or f"there are: {', '.join(self.names)}; others come with the package that "
                f"provides them",
            )
        if not callable(found):
            raise ConfigError(
                f"{self._noun} {name!r} is a {type(found).__name__}",
                hint=f"an entry point of coldstart.{self._kind} names a class or a function",
            )
        return found  # type: ignore[no-any-return]

    def _plugged_in(self) -> Mapping[str, Any]:
        found = plugins(self._kind)
        for name in found.keys() & self._built_in.keys():
            raise ConfigError(
                f"an installed package offers coldstart.{self._kind} named {name!r}, which is "
                f"built in",
                hint="rename it there, or uninstall that package",
            )
        return found


def _check_arguments(factory: Callable[..., Any], what: str, arguments: Mapping[str, Any]) -> None:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # some built-in types have none; they complain themselves
        return
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    known = [p.name for p in named]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        for name in arguments:
            if name not in known:
                raise ConfigError(
                    f"{what} has no argument {name!r}",
                    hint=_nearest(name, known) or _told(factory),
                )
    for parameter in named:
        if parameter.default is parameter.empty and parameter.name not in arguments:
            raise ConfigError(f"{what} needs {parameter.name}", hint=_told(factory))


def _told(factory: Callable[..., Any]) -> str:
    """The arguments of a constructor, for a hint."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:
        return ""
    shown = [
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return f"its arguments: {', '.join(shown)}" if shown else "it takes no arguments"


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""
