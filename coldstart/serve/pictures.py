"""Pictures of items: a folder of files, and the hosts that pages may load pictures from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.errors import ConfigError
from coldstart.schema.pictures import PICTURE_TYPES, is_picture_file, picture_host

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

IMAGES = "/images/"
"""Path prefix of the files in the folder of pictures."""
MOST_HOSTS = 40
"""Hosts that pages may load pictures from; those of most items, so that the header stays short."""


class Pictures:
    """Where pictures come from, and the hosts that the loaded catalog names.

    Args:
        folder: of files, served under ``/images/``; ``None``: none are.
        remote: whether pages may load pictures from the hosts that items name.

    Raises:
        ConfigError: the folder does not exist.
    """

    def __init__(self, folder: Path | None = None, *, remote: bool = True) -> None:
        if folder is not None and not folder.is_dir():
            raise ConfigError(
                f"no folder of pictures {str(folder)!r}", hint="name an existing one, or none"
            )
        self._folder, self._remote = folder, remote
        self._catalog: Catalog | None = None
        self._version = 0
        self._host: dict[str, str] = {}  # by item id
        self._items: Counter[str] = Counter()  # by host
        #: Hosts that pages may load pictures from, in alphabetical order.
        self.hosts: tuple[str, ...] = ()

    def address(self, image: str) -> str:
        """Address of an item's picture for a page; empty where it cannot be loaded.

        Args:
            image: as ``Item.image``.
        """
        if is_picture_file(image):
            return IMAGES.lstrip("/") + image if self._folder is not None else ""
        host = picture_host(image)
        return image if host and self._remote and host in self.hosts else ""

    def file(self, name: str) -> tuple[Path, str] | None:
        """Path and media type of a file in the folder; ``None`` if there is none of the name."""
        if self._folder is None or not is_picture_file(name):
            return None
        path = self._folder / name
        try:
            if path.is_symlink() or not path.is_file():
                return None
        except OSError:  # too long a name, in bytes
            return None
        return path, PICTURE_TYPES[name.rpartition(".")[2].lower()]

    def follow(self, catalog: Catalog) -> None:
        """Recompute the hosts after a change of the catalog, at the cost of the change."""
        if catalog is not self._catalog:
            self._catalog, self._version = catalog, 0
            self._host, self._items = {}, Counter()
        changed, removed = catalog.changes_since(self._version)
        self._version = catalog.version
        for item_id in (*changed, *removed):
            if old := self._host.pop(item_id, ""):
                self._items[old] -= 1
        for item_id in changed:
            if host := picture_host(catalog[item_id].image):
                self._host[item_id] = host
                self._items[host] += 1
        self._choose()

    def count(self, images: Iterable[str]) -> None:
        """Compute the hosts of a catalog that is not loaded.

        Args:
            images: ``Item.image`` of each of its items.
        """
        self._items = Counter(host for image in images if (host := picture_host(image)))
        self._choose()

    def _choose(self) -> None:
        named = sorted(h for h, n in self._items.items() if n > 0)
        most = sorted(named, key=lambda h: -self._items[h])[:MOST_HOSTS] if self._remote else ()
        self.hosts = tuple(sorted(most))
