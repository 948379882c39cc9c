"""Catalogs in languages without a reader: their names, and what is rejected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item
from coldstart.understanding.named_values import rejection_language
from coldstart.understanding.reader import RequestReader
from coldstart.understanding.rejection_scope import words_of

SHOPS = {
    "de": (
        ("Riesling Kabinett", "Weißwein", "Deutschland", "Leichter, fruchtiger Wein mit Säure."),
        ("Barolo", "Rotwein", "Italien", "Kräftiger Wein, im Holzfass gereift, passt zu Wild."),
        ("Rioja Reserva", "Rotwein", "Spanien", "Ein würziger Rotwein, der zu Fleisch passt."),
        ("Portwein", "Süßwein", "Portugal", "Ein süßer Wein mit Nuss und viel Alkohol."),
        ("Alkoholfreier Sekt", "Schaumwein", "Deutschland", "Frisch und ohne Zucker."),
    ),
    "fr": (
        ("Camembert", "Fromage", "Normandie", "Un fromage au lait cru, affiné dans une cave."),
        ("Chèvre frais", "Fromage", "Loire", "Un fromage de chèvre avec des herbes."),
        ("Cidre brut", "Boisson", "Bretagne", "Une boisson avec un peu d'alcool."),
        ("Tablette noire", "Chocolat", "Paris", "Un chocolat sans lait et sans noisettes."),
        ("Tablette au lait", "Chocolat", "Paris", "Un chocolat au lait avec des noisettes."),
    ),
    "es": (
        ("Manchego", "Queso", "La Mancha", "Un queso de oveja con un sabor fuerte."),
        ("Tinto joven", "Vino tinto", "Rioja", "Un vino para la carne, con aroma de cereza."),
        ("Blanco seco", "Vino blanco", "Galicia", "Un vino para el pescado y los mariscos."),
    ),
    "ru": (
        ("Чёрный чай", "Чай", "Индия", "Крепкий чай с сахаром"),
        ("Горький шоколад", "Сладости", "Россия", "Шоколад без сахара и без молока"),
        ("Шоколад с орехами", "Сладости", "Россия", "Молочный шоколад с орехами"),
        ("Кофе в зёрнах", "Кофе", "Бразилия", "Кофе средней обжарки"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def readers():
    out = {}
    for language, rows in SHOPS.items():
        catalog = Catalog(
            Item(
                item_id=str(n),
                title=title,
                categories=(category,),
                description=text,
                price=10.0 * n + 5,
                attributes={"origin": origin},
            )
            for n, (title, category, origin, text) in enumerate(rows)
        )
        assert rejection_language(catalog) == language
        out[language] = RequestReader(catalog, Counts.fit(catalog.ids, {}, {}))
    return out


@pytest.mark.parametrize(
    ("language", "text", "wanted", "rejected"),
    [
        ("de", "ein Rotwein, nicht aus Spanien", {"Rotwein"}, {"Spanien"}),
        ("de", "Rotweine aus Italien oder Spanien", {"Rotwein", "Italien", "Spanien"}, set()),
        ("de", "Süßwein mag ich nicht, lieber Schaumwein", {"Schaumwein"}, {"Süßwein"}),
        ("de", "etwas ohne Alkohol", {"alkoholfreier"}, {"alkohol"}),
        ("de", "ohne Nuss, Fleisch und Zucker", {"zucker-free"}, {"nuss", "fleisch", "zucker"}),
        ("de", "keinen Rotwein aus Spanien", set(), {"Spanien"}),
        ("de", "kein süßer Rotwein", set(), {"süßer"}),
        ("de", "ich mag keinen Rotwein und suche Schaumwein", {"Schaumwein"}, {"Rotwein"}),
        ("de", "kein Rotwein und dann Schaumwein", {"Schaumwein"}, {"Rotwein"}),
        ("de", "ich kann nicht ohne Rotwein leben", {"Rotwein"}, set()),
        ("de", "keine Ahnung, vielleicht Weißwein", {"Weißwein"}, set()),
        ("de", "nicht nur Rotwein", {"Rotwein"}, set()),
        ("de", "red wine, anything but Rotwein from Italien", set(), {"Italien"}),
        ("fr", "un fromage, mais pas de chèvre", {"Fromage"}, {"chèvre"}),
        ("fr", "du chocolat sans noisettes", {"Chocolat", "noisettes-free"}, {"noisettes"}),
        ("fr", "une boisson, pas d'alcool", {"Boisson"}, {"d'alcool"}),
        ("fr", "n'importe quel fromage sauf le camembert", {"Fromage"}, {"camembert"}),
        ("es", "un vino blanco, no me gusta el vino tinto", {"Vino blanco"}, {"Vino tinto"}),
        ("es", "quesos sin oveja", {"Queso"}, {"oveja"}),
        ("ru", "сладости без сахара", {"Сладости", "сахара-free"}, {"сахаром", "сахара"}),
        ("ru", "не люблю кофе, дайте чай", {"Чай"}, {"Кофе"}),
    ],
)  # fmt: skip
def test_names_and_rejections(readers, language, text, wanted, rejected):
    read = readers[language].read(text)
    values = {p.value for p in read.pieces if p.wanted}
    assert values == wanted
    found = {p.value.casefold() for p in read.pieces if not p.wanted}
    assert found == {value.casefold() for value in rejected}
    assert read.language == language


@pytest.mark.parametrize(
    ("language", "text", "strict"),
    [
        ("de", "ohne Alkohol", True),
        ("de", "nicht so süß", False),
        ("de", "nicht aus Spanien", True),
        ("de", "keinen Rotwein aus Spanien", False),
        ("fr", "pas d'alcool", True),
        ("fr", "je n'aime pas la chèvre", False),
    ],
)
def test_what_is_rejected_outright_excludes(readers, language, text, strict):
    assert {p.strict for p in readers[language].read(text).pieces if not p.wanted} == {strict}


@pytest.mark.parametrize(
    ("language", "text", "low", "high"),
    [
        ("de", "unter 10 Euro", None, 10), ("de", "über 20 Euro", 20, None),
        ("de", "nicht mehr als 12 €, kein Rotwein", None, 12), ("de", "bis zu 15 Euro", None, 15),
        ("de", "zwischen 10 und 20 Euro", 10, 20), ("fr", "moins de 12 €", None, 12),
        ("fr", "plus de 20 euros", 20, None), ("fr", "entre 5 et 9 euros", 5, 9),
        ("es", "no más de 15 euros", None, 15), ("es", "al menos 15 euros", 15, None),
        ("ru", "не дороже 300 рублей", None, 300), ("ru", "от 200 до 300 рублей", 200, 300),
    ],
)  # fmt: skip
def test_limits_of_prices(readers, language, text, low, high):
    (price,) = (p for p in readers[language].read(text).pieces if p.kind == "price")
    assert (price.low, price.high) == (low, high)


def test_what_is_rejected_is_not_compared(readers):
    read = readers["fr"].read("un fromage doux, mais pas de chèvre, moins de 9 euros")
    assert read.wanted_text == "un fromage doux"


@given(st.lists(st.sampled_from("Wein kein ohne nicht aber , . d'alcool 5 Euro ß 不".split())))
def test_every_text_is_read(readers, words):
    text = " ".join(words)
    for reader in readers.values():
        for piece in reader.read(text).pieces:
            assert piece.words == text[piece.start : piece.end]


def test_catalogs_of_other_languages_have_none():
    items = [Item(item_id="1", title="Tea pot", description="A pot for the tea of the house")]
    assert rejection_language(Catalog(items)) is None
    assert rejection_language(Catalog([Item(item_id="1", title="電気ケトル")])) is None


def test_elided_articles_are_no_part_of_words():
    forms = [t.form for t in words_of("L'eau de l’été, qu'un «n'importe» O'Brien aujourd'hui")]
    assert forms == ["eau", "de", "ete", "un", "importe", "obrien", "aujourdhui"]
