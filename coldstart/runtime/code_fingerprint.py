"""Fingerprint of the code that a result depends on: a module and its transitive imports."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

_PACKAGE = __name__.partition(".")[0]
_ROOT = Path(__file__).parents[1]


def source_digest(*modules: str) -> str:
    """SHA-256 (hexadecimal) of the sources of modules and of their transitive imports.

    Args:
        modules: full names, such as ``coldstart.schema``; modules outside the package are ignored.
    """
    digest = hashlib.sha256()
    for name in sorted(reached(*modules)):
        path = _path(name)
        if path is not None:
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def outside_source(made_by: Callable[..., object]) -> bytes:
    """Source file of a function or class outside the package; empty for the package's own."""
    thing = inspect.unwrap(getattr(made_by, "func", made_by))
    known = inspect.isroutine(thing) or inspect.isclass(thing)
    try:
        path = Path(inspect.getsourcefile(thing if known else type(thing)) or "")
    except TypeError:  # it has no source file
        return b""
    return path.read_bytes() if path.is_file() and not path.is_relative_to(_ROOT) else b""


@lru_cache(maxsize=64)
def reached(*modules: str) -> frozenset[str]:
    """Modules and their transitive imports, lazy ones included, type-checking ones excluded."""
    found: set[str] = set()
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name not in found and _path(name) is not None:
            found.add(name)
            todo += _imports(name)
    return frozenset(found)


@lru_cache(maxsize=512)
def _imports(name: str) -> tuple[str, ...]:
    path = _path(name)
    tree = ast.parse(path.read_bytes()) if path else ast.Module([], [])
    out: list[str] = []
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            out += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a submodule; its package is executed first.
            out += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(out)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _path(name: str) -> Path | None:
    """Source file of a module of the package."""
    first, *rest = name.split(".")
    if first != _PACKAGE:
        return None
    place = _ROOT.joinpath(*rest)
    paths = (place.with_suffix(".py"), place / "__init__.py") if rest else (place / "__init__.py",)
    return next((path for path in paths if path.is_file()), None)
