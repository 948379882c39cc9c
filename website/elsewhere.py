"""Documents outside ``docs/`` that the site shows, and links that lead out of ``docs/``.

Links in Markdown files are written so that they work on GitHub: relative to the file. On the site
a link to a document at the root, a model card or a notebook leads to its page, and a link to any
other file to a copy of it, so that nothing depends on where the repository is hosted.
"""

from __future__ import annotations

import os.path
import posixpath
import re
from functools import cache
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parent.parent
COPIES = "files"
DOCUMENTS = {
    "CONTRIBUTING.md": "project/contributing.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "README.md": "index.md",
    "adapters/movies/README.md": "models/movies.md",
    "adapters/ml-100k/README.md": "models/ml-100k.md",
}
_CODE = re.compile(
    r"(^ *(`{3,}|~{3,}).*?^ *\2 *$|`(?:[^`\n]|\n(?!\n))+`)", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(\]\()([^)\s#]+)")


def notebooks() -> dict[str, str]:
    """Path in the site of each notebook, by its path in the repository."""
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return {f"notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in found}


@cache
def pages() -> dict[str, str | bytes]:
    """Content of the pages and pictures that are made here, by their path in the site."""
    made: dict[str, str | bytes] = {}
    for source, path in DOCUMENTS.items():
        if path != "index.md":
            text = (ROOT / source).read_text(encoding="utf-8")
            made[path] = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    for source, path in notebooks().items():
        notebook = nbformat.read(ROOT / source, as_version=4)
        text, resources = MarkdownExporter().from_notebook_node(notebook)
        folder = posixpath.splitext(path)[0]
        for name, data in resources["outputs"].items():
            made[f"{folder}/{name}"] = data
            text = text.replace(f"]({name})", f"]({posixpath.basename(folder)}/{name})")
        made[path] = text
    return made


def linked(text: str, page: str) -> tuple[str, dict[Path, str]]:
    """Text with its links led to where they are in the site.

    Args:
        text: Markdown.
        page: path of its page in the site.

    Returns:
        The text, and the files that links lead to and that need a copy: path in the site by file.
    """
    sources = {path: source for source, path in {**DOCUMENTS, **notebooks()}.items()}
    source = "docs/index.md" if page == "index.md" else sources.get(page, f"docs/{page}")
    copies: dict[Path, str] = {}

    def led(match: re.Match[str]) -> str:
        target = match[2]
        if ":" in target or (page in pages() and page not in sources):
            return match[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        path = place.removeprefix("docs/")
        if path == place:  # outside docs/
            path = {**DOCUMENTS, **notebooks()}.get(place, f"{COPIES}/{place}")
            if path.startswith(f"{COPIES}/"):
                if not (ROOT / place).is_file():
                    return match[0]  # MkDocs says that there is no such page
                copies[ROOT / place] = path
        return match[1] + os.path.relpath(path, posixpath.dirname(page) or ".")

    parts = _CODE.split(text)
    # Of each match of the pattern, its two groups stand between the parts that are no code.
    out = [
        _LINK.sub(led, part) if i % 3 == 0 else part for i, part in enumerate(parts) if i % 3 < 2
    ]
    return "".join(out), copies
