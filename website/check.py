"""What the built site promises: ``python website/check.py build/site``, after MkDocs.

Every public name has an anchor, every link within the site leads somewhere, and no page asks
another host for a script, a style, a font or a picture.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import api

# Attributes that make a browser fetch something by itself.
_FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_NOT_FETCHED = {"canonical", "prev", "next", "edit", "alternate"}


class Seen(HTMLParser):
    """Anchors, links and fetched files of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element says."""
        has = {name: value or "" for name, value in attrs}
        self.anchors |= {has[name] for name in ("id", "name") if name in has}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        address = has.get(_FETCHED.get(tag, ""), "")
        if address and not _NOT_FETCHED & set(has.get("rel", "").split()):
            self.fetched.append(address)


def problems(site: Path) -> Iterator[str]:
    """What is wrong with a built site, one line each."""
    pages = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    seen = {name: Seen() for name in pages}
    for name, path in pages.items():
        seen[name].feed(path.read_text(encoding="utf-8"))
    anchors = {anchor for page in seen.values() for anchor in page.anchors}
    for name in wanted_names():
        if name not in anchors:
            yield f"no entry for {name}"
    for name, page in seen.items():
        for address in page.fetched:
            if urlsplit(address).netloc:
                yield f"{name} fetches {address}"
        if name != "404.html":  # its links are absolute
            yield from _broken(name, page, seen, site)


def wanted_names() -> Iterator[str]:
    """Dotted names that the reference must have."""
    yield from (f"coldstart.{name}" for name in api.public_names())
    for room in api.rooms():
        for module, names in api.documented(room).items():
            yield from (f"{module}.{name}" for name in names)


def _broken(name: str, page: Seen, seen: dict[str, Seen], site: Path) -> Iterator[str]:
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        place = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        target = name if not parts.path else place
        if (site / target).is_dir():
            target = posixpath.normpath(posixpath.join(target, "index.html"))
        if not (site / target).is_file():
            yield f"{name} links to {link}: no such file"
        elif parts.fragment and target in seen:
            if unquote(parts.fragment) not in seen[target].anchors:
                yield f"{name} links to {link}: no such anchor"


def main() -> None:
    """Print every problem; exit with 1 if there is one."""
    site = Path(sys.argv[1])
    found = list(problems(site))
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201
    pages = sum(1 for _ in site.rglob("*.html"))
    names = sum(1 for _ in wanted_names())
    print(f"{site}: {pages} pages, {names} names, {len(found)} problems")  # noqa: T201
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
