"""Folders in the navigation: an entry that ends with ``/`` stands for all pages of that folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def filled(nav: list[Any], docs: str, made: Iterable[str]) -> list[Any]:
    """Navigation with the pages of its folders, ``index.md`` or ``README.md`` first.

    Pages of one folder whose titles are equal are named by their files.

    Args:
        nav: navigation as in ``mkdocs.yml``.
        docs: folder of the written pages.
        made: paths of pages that are made at build time.
    """
    written = {path.relative_to(docs).as_posix(): _title(path) for path in Path(docs).rglob("*.md")}
    titles = dict.fromkeys((path for path in made if path.endswith(".md")), "") | written
    return [one for entry in nav for one in _entries(entry, titles)]


def _title(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _entries(entry: Any, titles: dict[str, str]) -> list[Any]:
    """What an entry becomes: itself, or one entry for each page of its folder."""
    if isinstance(entry, dict):
        ((title, inside),) = entry.items()
        if isinstance(inside, str) and not inside.endswith("/"):
            return [entry]
        inside = inside if isinstance(inside, list) else [inside]
        return [{title: [one for part in inside for one in _entries(part, titles)]}]
    if not entry.endswith("/"):
        return [entry]
    folder = "" if entry == "./" else entry.rstrip("/")
    pages = [path for path in titles if path.rpartition("/")[0] == folder]
    if not pages:
        raise SystemExit(f"mkdocs.yml: no page in {entry}")
    shown = Counter(titles[path] for path in pages if titles[path])
    pages.sort(key=lambda path: (Path(path).name not in ("index.md", "README.md"), path))
    return [{Path(path).stem: path} if shown[titles[path]] > 1 else path for path in pages]
