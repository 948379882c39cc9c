"""Title of each item as it appears in prompts and in the title trie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item


def prompt_titles(catalog: Catalog) -> dict[str, str]:
    """Map each item id to its title as the language model reads and generates it.

    The bare title; the year is added only to tell items of the same title apart, since small
    tokenizers spend as many tokens on " (1995)" as on the title.
    """
    repeated = Counter(item.title for item in catalog)
    return {item.item_id: _prompt_title(item, repeated) for item in catalog}


class PromptTitles:
    """``prompt_titles`` of a changing catalog, updated at the cost of the change alone.

    Args:
        known: whether the language model was trained on an item. Such an item's title follows from
            the other known titles, so that no added item changes it. Of the others those have a
            year that have the title of a known one. ``None``, or as long as there are no known
            items: all items are alike.
    """

    def __init__(self, known: Callable[[str], bool] | None = None) -> None:
        #: Title of each item id.
        self.of: dict[str, str] = {}
        self.version = -1
        self._known = known
        self._split = False  # whether known items are told from others
        self._counted: dict[str, str] = {}  # title of each id that counts
        self._repeated: Counter[str] = Counter()

    def follow(self, catalog: Catalog) -> set[str]:
        """Update to a catalog; return the ids of added, changed and removed titles."""
        changed, gone = catalog.changes_since(max(0, self.version))
        if self._known is not None and not self._split and any(map(self._known, changed)):
            changed, self._split, self._counted = frozenset(catalog.ids), True, {}
            self._repeated.clear()
        touched = self._count(catalog, changed, gone)
        ids = set(changed)
        if self.version >= 0:  # an item of the same title was added or removed
            ids.update(i for t in touched for i in catalog.find_title(t) if catalog[i].title == t)
        other = {i for i in gone if self.of.pop(i, None) is not None}
        for item_id in ids:
            text = _prompt_title(
                catalog[item_id], self._repeated, 2 if self._counts(item_id) else 1
            )
            if self.of.get(item_id) != text:
                self.of[item_id] = text
                other.add(item_id)
        self.version = catalog.version
        return other

    def _counts(self, item_id: str) -> bool:
        return self._known is None or not self._split or self._known(item_id)

    def _count(
        self, catalog: Catalog, changed: AbstractSet[str], gone: AbstractSet[str]
    ) -> set[str]:
        """Count the titles of changed and removed items again; return what they were and are."""
        touched = set()
        for item_id in changed | gone:
            if (before := self._counted.pop(item_id, None)) is not None:
                touched.add(before)
                self._repeated[before] -= 1
                if not self._repeated[before]:
                    del self._repeated[before]
            if item_id in catalog and self._counts(item_id):
                title = self._counted[item_id] = catalog[item_id].title
                touched.add(title)
                self._repeated[title] += 1
        return touched


def _prompt_title(item: Item, repeated: Mapping[str, int], least: int = 2) -> str:
    is_ambiguous = repeated.get(item.title, 0) >= least and item.year is not None
    return f"{item.title} ({item.year})" if is_ambiguous else item.title
