"""Catalog of recommendable items: loaded from tables, mutable at run time, searchable by title."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from coldstart.catalog.item_table import items_from_frame
from coldstart.catalog.shared_parts import SharedParts
from coldstart.catalog.suggestions import TitleForm, form_of, nearest, suggest
from coldstart.catalog.title_numbers import is_only_a_part
from coldstart.catalog.titles import clean_text, normalise_title, split_year
from coldstart.errors import CatalogError
from coldstart.schema import Item
from coldstart.tabular.reading import read_file

_LATER_FIELDS = {"max_age": None, "popularity": None, "image": "", "image_alt": ""}
"""Fields that items had not when artifacts recorded their catalog's fingerprint, with defaults."""


class Catalog:
    """Versioned collection of items by id, in insertion order.

    Titles are cleaned (entities, control characters, whitespace); they may repeat, ids may not.
    Every change is atomic and increments ``version``. Not thread-safe: change it from one thread.

    >>> catalog = Catalog([Item(item_id="1", title="Usual Suspects, The", year=1995)])
    >>> catalog.find("The Usual Suspects (1995)")
    ('1',)
    """

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: dict[str, Item] = {}
        self._titles, self._shared = _Titles(), SharedParts()
        self._changed: dict[str, int] = {}  # id → version that added or updated it, ascending
        self._removed: dict[str, int] = {}  # likewise
        self._version = 0
        self.add(items)

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> Catalog:
        """Build a catalog from items; same as ``Catalog(items)``."""
        return cls(items)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        columns: Mapping[str, str | None] | None = None,
        *,
        title_ids: bool = False,
    ) -> Catalog:
        """Build a catalog from a polars or pandas frame or a pyarrow table.

        Args:
            frame: needs a column of ids and one of titles; see ``coldstart.catalog.frames``.
            columns: field → column, for columns not recognised by name.
            title_ids: whether titles are the ids where no column holds ids; of several items of
                one title the second is "title (2)".

        Raises:
            CatalogError: invalid rows; the message names each.
        """
        return cls(items_from_frame(frame, columns, title_ids=title_ids))

    @classmethod
    def from_csv(cls, path: str | Path, columns: Mapping[str, str | None] | None = None) -> Catalog:
        """Read a UTF-8 CSV (or, by its suffix, TSV) file with a header; see ``from_frame``."""
        return cls.load(path, columns)

    @classmethod
    def from_parquet(
        cls, path: str | Path, columns: Mapping[str, str | None] | None = None
    ) -> Catalog:
        """Read a Parquet file; see ``from_frame``."""
        return cls.load(path, columns)

    @classmethod
    def from_jsonl(
        cls, path: str | Path, columns: Mapping[str, str | None] | None = None
    ) -> Catalog:
        """Read a file with one JSON object per line; see ``from_frame``."""
        return cls.load(path, columns)

    @classmethod
    def load(
        cls,
        path: str | Path,
        columns: Mapping[str, str | None] | None = None,
        *,
        title_ids: bool = False,
    ) -> Catalog:
        """Read a ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl`` or ``.ndjson`` file, by its suffix.

        Args:
            path: of the file.
            columns: see ``from_frame``.
            title_ids: likewise.

        Raises:
            CatalogError: an unreadable file, or invalid rows.
        """
        file = read_file(path, error=CatalogError)
        return cls(
            items_from_frame(file.frame, columns, first_row=file.first_row, title_ids=title_ids)
        )

    @property
    def version(self) -> int:
        """Number of changes so far; 0 for an empty new catalog."""
        return self._version

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All ids, in row order."""
        return tuple(self._items)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items, in row order."""
        return tuple(self._items.values())

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row (position in ``ids``) of each id."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __getitem__(self, item_id: str) -> Item:
        if item_id not in self._items:
            raise CatalogError(f"no item {item_id!r} in the catalog", self._hint(item_id))
        return self._items[item_id]

    def __repr__(self) -> str:
        return f"Catalog({len(self)} items, version {self.version})"

    def find(self, text: str) -> tuple[str, ...]:
        """Look up items by id, else by title; for what people type, see ``lookup.look_up``.

        Titles are compared after ``normalise_title``, with or without a trailing year; the parts
        outside and inside parentheses, as in "The Seven Samurai (Shichinin no samurai)", match as
        well.

        Returns:
            Ids in row order; empty if nothing matches.
        """
        return (text,) if text in self._items else self.find_title(text)

    def find_title(self, text: str) -> tuple[str, ...]:
        """Look up items by title alone; see ``find``."""
        found = self._titles.find(text)
        return tuple(sorted(found, key=self.rows.__getitem__)) if len(found) > 1 else tuple(found)

    def title_keys(self, item_id: str) -> frozenset[str]:
        """The normalised forms of an item's title, without its year."""
        return frozenset(_title_names(self[item_id]))

    def suggest(self, text: str, n: int = 3) -> list[str]:
        """Suggest up to ``n`` titles that a text may mean, best first.

        By spelling, initials ("LOTR"), sequel numbers ("Rocky 2" for "Rocky II"), and the first
        words without punctuation ("Dr Strangelove").
        """
        near = self._titles.near(text, 4 * n)  # one title may be near in several of its forms
        ids = (min(ids, key=self.rows.__getitem__) for ids in near)
        return list(dict.fromkeys(self._items[item_id].title for item_id in ids))[:n]

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of all items, independent of their order."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for item_id in sorted(self._items):
            plain = self._items[item_id].model_dump(mode="json")
            for name, default in _LATER_FIELDS.items():
                if plain[name] == default:
                    del plain[name]
            digest.update(json.dumps(plain, sort_keys=True).encode() + b"\n")
        return digest.hexdigest()

    def add(self, items: Item | Iterable[Item]) -> None:
        """Append items.

        Raises:
            CatalogError: not an item, or an id already in use; the catalog stays unchanged.
        """
        batch = _batch(items)
        _refuse("already in the catalog", [i for i in batch if i in self._items], "use update()")
        self._put(batch)

    def update(self, items: Item | Iterable[Item]) -> None:
        """Replace items, which keep their rows.

        Raises:
            CatalogError: an unknown id; the catalog stays unchanged.
        """
        batch = _batch(items)
        _refuse("not in the catalog", [i for i in batch if i not in self._items], "use add()")
        self._put(batch)

    def remove(self, ids: str | Iterable[str]) -> None:
        """Remove items; later rows move up.

        Raises:
            CatalogError: an unknown id; the catalog stays unchanged.
        """
        batch = dict.fromkeys([ids] if isinstance(ids, str) else ids)
        unknown = [i for i in batch if i not in self._items]
        _refuse("not in the catalog", unknown, self._hint(unknown[0]) if unknown else "")
        for item_id in batch:
            self._titles.discard(self._items.pop(item_id))
            del self._changed[item_id]
            self._removed[item_id] = self._version + 1
        self._touch(bool(batch))

    def changes_since(self, version: int) -> tuple[frozenset[str], frozenset[str]]:
        """Changes since an earlier version, for incremental updates of a trie, an index, ….

        Args:
            version: ``version`` of the last update; 0 if there was none.

        Returns:
            Ids added or updated since, and ids removed since (also ids added in between).
        """
        if not 0 <= version <= self._version:
            raise CatalogError(f"no version {version}: the catalog is at {self._version}")
        return _after(version, self._changed), _after(version, self._removed)

    def _put(self, batch: dict[str, Item]) -> None:
        for item_id, item in batch.items():
            if item_id in self._items:
                self._titles.discard(self._items[item_id])
            self._titles.add(item)
            self._items[item_id] = self._shared.of(item)
            for log in (self._changed, self._removed):
                log.pop(item_id, None)
            self._changed[item_id] = self._version + 1
        self._touch(bool(batch))

    def _touch(self, changed: bool) -> None:
        if changed:
            self._version += 1
            for name in ("ids", "items", "rows", "_fingerprint"):
                self.__dict__.pop(name, None)

    def _hint(self, text: str) -> str:
        named = self.find(text)
        if named:
            return f"that is the title of item {named[0]!r}"
        near = nearest(text, self._items, 1) or self.suggest(text, 1)
        return f"did you mean {near[0]!r}?" if near else ""


class _Titles:
    """Inverted index from normalised titles, in all their forms, to ids."""

    def __init__(self) -> None:
        self._ids: dict[str, str | set[str]] = {}  # a single id without a set around it
        self._forms: dict[str, TitleForm] = {}  # made when first needed

    def add(self, item: Item) -> None:
        for key in _title_keys(item):
            known = self._ids.setdefault(key, item.item_id)
            if isinstance(known, set):
                known.add(item.item_id)
            elif known != item.item_id:
                self._ids[key] = {known, item.item_id}

    def discard(self, item: Item) -> None:
        for key in _title_keys(item):
            known = self._ids[key]
            if isinstance(known, set):
                known.discard(item.item_id)
            if not known or known == item.item_id:
                del self._ids[key]
                self._forms.pop(key, None)

    def find(self, text: str) -> set[str]:
        title, year = split_year(text.strip())
        key = normalise_title(title)
        return _several(self._ids.get(key if year is None else f"{key} {year}", set()))

    def near(self, text: str, n: int) -> list[set[str]]:
        return [_several(self._ids[key]) for key in suggest(text, self._ids, self._form, n)]

    def _form(self, key: str) -> TitleForm:
        if key not in self._forms:
            self._forms[key] = form_of(key)
        return self._forms[key]


def _several(ids: str | set[str]) -> set[str]:
    return {ids} if isinstance(ids, str) else ids


def _title_keys(item: Item) -> set[str]:
    keys = _title_names(item)
    year = item.year if item.year is not None else split_year(item.title)[1]
    return keys if year is None else keys | {f"{key} {year}" for key in keys}


def _title_names(item: Item) -> set[str]:
    title, _ = split_year(item.title)
    outside = title.partition("(")[0].strip()
    inside = re.findall(r"\(([^()]+)\)", title)
    if any(map(is_only_a_part, inside)):  # "Rocky (Part II)" is no film of the title "Rocky"
        outside, inside = title, []
    inside = [name for name in inside if not re.search(r"\d", name)]  # "(100 pack)" is no title
    return {normalise_title(name) for name in {title, outside, *inside}} - {""}


def _batch(items: Item | Iterable[Item]) -> dict[str, Item]:
    """Validate items and clean their titles; returns them by id."""
    batch: dict[str, Item] = {}
    for item in [items] if isinstance(items, Item) else items:
        if not isinstance(item, Item):
            raise CatalogError(f"expected an Item, got {type(item).__name__}")
        _refuse("twice in one batch", [item.item_id] if item.item_id in batch else [])
        title = clean_text(item.title)
        if not title:
            raise CatalogError(f"item {item.item_id!r} has an empty title")
        same = title == item.title
        batch[item.item_id] = item if same else item.model_copy(update={"title": title})
    return batch


def _refuse(why: str, ids: list[str], hint: str = "") -> None:
    if ids:
        shown = ", ".join(map(repr, ids[:10])) + (f" and {len(ids) - 10} more" * (len(ids) > 10))
        raise CatalogError(f"{why}: {shown}", hint)


def _after(version: int, log: dict[str, int]) -> frozenset[str]:
    """Ids logged after ``version``; the log is ascending, so the cost is that of the result."""
    return frozenset(takewhile(lambda item_id: log[item_id] > version, reversed(log)))
