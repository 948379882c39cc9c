"""Title of each item as it appears in prompts and in the title trie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

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
    """``prompt_titles`` of a changing catalog, updated at the cost of the change alone."""

    def __init__(self) -> None:
        #: Title of each item id.
        self.of: dict[str, str] = {}
        self.version = -1
        self._repeated: Counter[str] = Counter()
        self._rows: Mapping[str, int] = {}
        self._items: tuple[Item, ...] = ()

    def follow(self, catalog: Catalog) -> set[str]:
        """Update to a catalog; return the ids of added, changed and removed titles."""
        changed, gone = catalog.changes_since(max(0, self.version))
        before = [self._items[self._rows[i]].title for i in changed | gone if i in self._rows]
        now = [catalog[i].title for i in changed]
        self._repeated.subtract(before)
        self._repeated.update(now)
        touched = {*before, *now}
        ids = set(changed)
        if self.version >= 0:  # an item of the same title was added or removed
            ids.update(i for t in touched for i in catalog.find_title(t) if catalog[i].title == t)
        for title in touched:
            if not self._repeated[title]:
                del self._repeated[title]
        other = {i for i in gone if self.of.pop(i, None) is not None}
        for item_id in ids:
            text = _prompt_title(catalog[item_id], self._repeated)
            if self.of.get(item_id) != text:
                self.of[item_id] = text
                other.add(item_id)
        self.version, self._rows, self._items = catalog.version, catalog.rows, catalog.items
        return other


def _prompt_title(item: Item, repeated: Mapping[str, int]) -> str:
    is_ambiguous = repeated[item.title] > 1 and item.year is not None
    return f"{item.title} ({item.year})" if is_ambiguous else item.title
