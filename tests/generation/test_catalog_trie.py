"""The trie that follows a catalog, against one made of the catalog as it is now."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError
from coldstart.generation.trie import catalog_trie
from coldstart.generation.trie.catalog_trie import CatalogTrie
from coldstart.generation.trie.prompt_titles import PromptTitles, prompt_titles
from coldstart.schema import Item
from tests.fakes_lm import tiny_llama

LINES = tiny_llama().lines
IDS = [f"i{n}" for n in range(12)]
TITLES = ["Alien", "Aliens", "Heat", "Heat and Dust", "alien", "The Heat"]
ITEMS = st.builds(
    Item,
    item_id=st.sampled_from(IDS),
    title=st.sampled_from(TITLES),
    year=st.none() | st.integers(1990, 1992),
)
CHANGES = st.lists(
    st.one_of(
        st.lists(ITEMS, max_size=4, unique_by=lambda item: item.item_id),
        st.lists(st.sampled_from(IDS), max_size=3, unique=True),
    ),
    max_size=12,
)


def change(catalog, what):
    """Put items, or take ids out."""
    if what and isinstance(what[0], str):
        catalog.remove([i for i in what if i in catalog])
    else:
        catalog.update([item for item in what if item.item_id in catalog])
        catalog.add([item for item in what if item.item_id not in catalog])


def check(trie, catalog):
    found, titles = trie.follow(catalog), prompt_titles(catalog)
    assert trie.titles(catalog) == titles
    assert {i: found.tokens(found.index(i)) for i in titles} == {
        i: tuple(LINES.title(title)) for i, title in titles.items()
    }
    assert [catalog.ids[row] for row in trie.row] == list(found.item_ids)
    np.testing.assert_array_equal(trie.row[trie.position], np.arange(len(catalog)))


@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, often=st.lists(st.integers(0, 2), min_size=12, max_size=12))
@pytest.mark.parametrize("few", [1, 8])
def test_whatever_happened_it_is_the_trie_of_the_catalog(few, changes, often):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog_trie, "_FEW", few)  # 1: nearly always moved one by one
        catalog, trie = Catalog(), CatalogTrie(LINES)
        for what, how in zip(changes, often, strict=False):
            change(catalog, what)
            if how == 1:
                trie.titles(catalog)  # a prompt was rendered; the trie comes later
            elif how == 2:
                check(trie, catalog)
        check(trie, catalog)


@settings(max_examples=100, deadline=None)
@given(changes=CHANGES)
def test_what_follow_returns_is_what_is_another(changes):
    catalog, titles, before = Catalog(), PromptTitles(), {}
    for what in changes:
        change(catalog, what)
        told, now = titles.follow(catalog), prompt_titles(catalog)
        assert told == {i for i in before.keys() | now.keys() if before.get(i) != now.get(i)}
        before = now


def test_one_new_title_among_many_looks_up_no_other(monkeypatch):
    catalog = Catalog(Item(item_id=f"i{n}", title=f"Film {n}") for n in range(300))
    trie = CatalogTrie(LINES)
    trie.follow(catalog)
    tokenized = []

    class Counting:
        def titles(self, texts):
            tokenized.extend(texts)
            return [LINES.title(text) for text in texts]

    trie._lines = Counting()
    catalog.remove("i7")
    catalog.add(Item(item_id="new", title="Brand New"))
    monkeypatch.setattr(catalog_trie.TitleTrie, "item_ids", property(lambda _: pytest.fail("all")))
    trie.follow(catalog)
    assert tokenized == ["Brand New"]
    assert trie.row[trie.trie.index("new")] == catalog.rows["new"] == 299
    assert trie.row[trie.trie.index("i8")] == 7


def test_after_a_title_that_no_trie_takes_it_goes_on():
    catalog = Catalog([Item(item_id=f"i{n}", title=f"Film {n}") for n in range(100)])
    trie = CatalogTrie(LINES)
    trie.follow(catalog)
    begun = tuple(LINES.title("Film 3"))[:2]

    class Cutting:
        """A tokenizer by which one title begins others."""

        def titles(self, texts):
            return [begun if text == "Bad" else LINES.title(text) for text in texts]

    trie._lines = Cutting()
    catalog.remove("i5")
    catalog.add(Item(item_id="bad", title="Bad"))
    with pytest.raises(CatalogError):
        trie.follow(catalog)
    catalog.remove("bad")
    check(trie, catalog)
