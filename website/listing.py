"""Folders in the navigation: an entry that ends with ``/`` stands for all pages of that folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def filled(nav: list[Any], docs: str, made: Iterable[str]) -> list[Any]:
    """Navigation with the pages of its folders, ``index.md`` or ``README.md`` first.

    Args:
        nav: navigation as in ``mkdocs.yml``.
        docs: folder of the written pages.
        made: paths of pages that are made at build time.
    """
    written = {path.relative_to(docs).as_posix() for path in Path(docs).rglob("*.md")}
    return _filled(nav, written | {path for path in made if path.endswith(".md")})


def _filled(entry: Any, pages: set[str]) -> Any:
    if isinstance(entry, list):
        parts = [_filled(one, pages) for one in entry]
        return [one for part in parts for one in (part if isinstance(part, list) else [part])]
    if isinstance(entry, dict):
        return {title: _filled(one, pages) for title, one in entry.items()}
    if not entry.endswith("/"):
        return entry
    inside = [path for path in pages if path.rpartition("/")[0] == entry.rstrip("/")]
    if not inside:
        raise SystemExit(f"mkdocs.yml: no page in {entry}")
    return sorted(inside, key=lambda path: (not path.endswith(("index.md", "README.md")), path))
