import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError
from coldstart.schema import Item


def movie(item_id, title, year=None, **more):
    return Item(item_id=item_id, title=title, year=year, **more)


@pytest.fixture
def catalog():
    return Catalog(
        [
            movie("1", "Toy Story", 1995),
            movie("2", "Usual Suspects, The", 1995),
            movie("3", "Sabrina", 1954),
            movie("4", "Sabrina", 1995),
            movie("5", "The Seven Samurai (Shichinin no samurai)", 1954),
            movie("6", "Acrylic Nails (100 pack)"),
            movie("7", "霸王别姬", 1993),
        ]
    )


ids = st.sampled_from("abcdef")
titles = st.sampled_from(["Alien", "Aliens", "The Alien", "Alien (Director's Cut)", "!!!", "电影"])
items = st.builds(Item, item_id=ids, title=titles, year=st.sampled_from([None, 1979, 1986]))
batches = st.lists(items, max_size=4, unique_by=lambda item: item.item_id)


def state(catalog):
    names = ["Alien", "aliens", "The Alien (1979)", "Director's Cut", "!!!", "电影 (1986)"]
    found = {name: catalog.find(name) for name in names}
    return catalog.fingerprint(), catalog.ids, catalog.items, catalog.rows, found


def test_reading(catalog):
    assert len(catalog) == 7
    assert catalog.ids == tuple("1234567")
    assert [item.item_id for item in catalog] == list(catalog.ids)
    assert catalog.rows["3"] == 2
    assert "1" in catalog
    assert "Toy Story" not in catalog
    assert catalog["1"].title == "Toy Story"
    assert repr(catalog) == "Catalog(7 items, version 1)"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", "1"),
        ("toy story", "1"),
        (" Toy Story (1995) ", "1"),
        ("Toy Story 1995", "1"),
        ("Toy Story (1996)", ""),
        ("The Usual Suspects", "2"),
        ("Suspects", ""),
        ("Sabrina", "34"),
        ("Sabrina (1995)", "4"),
        ("Seven Samurai, The", "5"),
        ("The Seven Samurai (1954)", "5"),
        ("Shichinin no Samurai", "5"),
        ("Seven Samurai, The (Shichinin no samurai) (1954)", "5"),
        ("acrylic nails", "6"),
        ("100 pack", ""),
        ("霸王别姬", "7"),
        ("", ""),
    ],
)
def test_find(catalog, text, found):
    assert catalog.find(text) == tuple(found)


def test_an_id_goes_before_a_title():
    catalog = Catalog([movie("1", "1984"), movie("1984", "Brazil")])
    assert catalog.find("1984") == ("1984",)


def test_suggestions_are_titles(catalog):
    assert catalog.suggest("toy stroy") == ["Toy Story"]
    assert catalog.suggest("usual suspect", n=1) == ["Usual Suspects, The"]
    assert catalog.suggest("zzz") == []
    assert catalog.suggest("toy story", n=0) == []
    assert Catalog().suggest("toy story") == []


@pytest.mark.parametrize(
    ("item_id", "hint"),
    [
        ("Toy Story", "that is the title of item '1'"),
        ("Toy Storry", "did you mean 'Toy Story'"),
        ("11", "did you mean '1'"),
    ],
)
def test_an_unknown_id_is_answered_with_a_hint(catalog, item_id, hint):
    with pytest.raises(CatalogError, match=f"no item '{item_id}' in the catalog .{hint}"):
        catalog[item_id]


def test_titles_are_cleaned():
    catalog = Catalog([movie("1", "Tom &amp; Jerry\n in Paris")])
    assert catalog["1"].title == "Tom & Jerry in Paris"
    with pytest.raises(CatalogError, match="item '2' has an empty title"):
        catalog.add(movie("2", "\x00"))


def test_adding_updating_and_removing(catalog):
    catalog.add(movie("8", "Alien", 1979))
    assert catalog.find("alien") == ("8",)
    catalog.update(movie("1", "Alien", 2003))
    assert catalog.find("alien") == ("1", "8")
    assert catalog.find("Toy Story") == ()
    assert catalog.ids == tuple("12345678")
    catalog.remove(["1", "3"])
    assert catalog.find("alien") == ("8",)
    assert catalog.ids == tuple("245678")
    assert catalog.rows["8"] == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.add([movie("9", "New"), movie("1", "Old")]), "already in the catalog: '1'"),
        (lambda c: c.add([movie("9", "New"), movie("9", "Too")]), "twice in one batch: '9'"),
        (lambda c: c.add([movie("9", "New"), {"item_id": "10"}]), "expected an Item, got dict"),
        (lambda c: c.update([movie("1", "New"), movie("9", "?")]), "not in the catalog: '9'"),
        (lambda c: c.remove(["1", "9"]), "not in the catalog: '9'"),
        (lambda c: c.remove("Toy Story"), "that is the title of item '1'"),
        (lambda c: c.remove(map(str, range(1, 30))), "'17' and 12 more"),
    ],
)
def test_a_batch_with_one_bad_entry_changes_nothing(catalog, change, message):
    before = state(catalog), catalog.version
    with pytest.raises(CatalogError, match=message):
        change(catalog)
    assert (state(catalog), catalog.version) == before


def test_every_change_counts_up_and_nothing_else_does(catalog):
    assert Catalog().version == 0
    assert catalog.version == 1
    catalog.add([])
    catalog.remove([])
    assert catalog.version == 1
    catalog.add([movie("8", "a"), movie("9", "b")])
    catalog.update(movie("8", "c"))
    catalog.remove("9")
    assert catalog.version == 4
    assert catalog.changes_since(4) == (frozenset(), frozenset())
    assert catalog.changes_since(1) == ({"8"}, {"9"})
    assert catalog.changes_since(0) == (set(catalog.ids), {"9"})
    for version in (-1, 5):
        with pytest.raises(CatalogError, match=f"no version {version}: the catalog is at 4"):
            catalog.changes_since(version)


def test_the_fingerprint_ignores_order_and_nothing_else(catalog):
    turned = Catalog(reversed(catalog.items))
    assert turned.fingerprint() == catalog.fingerprint()
    turned.update(turned["1"].model_copy(update={"available": False}))
    assert turned.fingerprint() != catalog.fingerprint()


@settings(deadline=None)
@given(batches, batches)
def test_add_then_remove_is_a_no_op(first, second):
    catalog = Catalog(first)
    new = [item for item in second if item.item_id not in catalog]
    before = state(catalog)
    catalog.add(new)
    catalog.remove(item.item_id for item in new)
    assert state(catalog) == before


steps = st.lists(st.tuples(st.sampled_from(["put", "remove", "follow"]), items), max_size=20)


@settings(deadline=None)
@given(steps)
def test_a_changed_catalog_equals_a_new_one_and_can_be_followed(steps):
    catalog, copy, followed = Catalog(), {}, 0
    for kind, item in steps:
        if kind == "follow":
            changed, removed = catalog.changes_since(followed)
            copy = {i: x for i, x in copy.items() if i not in removed}
            copy |= {i: catalog[i] for i in changed}
            followed = catalog.version
            assert copy == {x.item_id: x for x in catalog}
        elif kind == "remove":
            catalog.remove(item.item_id if item.item_id in catalog else [])
        elif item.item_id in catalog:
            catalog.update(item)
        else:
            catalog.add(item)
    assert state(catalog) == state(Catalog(catalog.items))


def test_a_part_in_parentheses_is_not_the_title_without_it():
    catalog = Catalog([Item(item_id="2", title="Rocky (Part II)", year=1979)])
    assert catalog.find("Rocky") == catalog.find("Part II") == ()
    assert catalog.find("Rocky (Part II)") == catalog.find("Rocky Part II (1979)") == ("2",)


def test_an_article_of_another_language_is_only_left_out_in_a_guess():
    catalog = Catalog([Item(item_id="1", title="Die Hard"), Item(item_id="2", title="Postino, Il")])
    assert catalog.find("Hard") == catalog.find("Postino") == ()
    assert catalog.find("Il Postino") == ("2",)
    assert catalog.suggest("Hard") == ["Die Hard"]
    assert catalog.suggest("Postino") == ["Postino, Il"]
