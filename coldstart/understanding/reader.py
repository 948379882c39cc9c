"""Reader of a request in words: the one place where text becomes a structured wish."""

from __future__ import annotations

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_language, sample_texts
from coldstart.catalog.han import simplified
from coldstart.catalog.known_attributes import STOCK
from coldstart.catalog.stems import latin_language
from coldstart.catalog.titles import clean_text
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Piece, Understood
from coldstart.understanding.chinese import ChineseReader, is_chinese
from coldstart.understanding.corrections import corrected, corrected_parts
from coldstart.understanding.english import EnglishReader
from coldstart.understanding.named_values import NamedValueReader, rejection_language
from coldstart.understanding.products.chinese import ChineseProductReader
from coldstart.understanding.products.english import EnglishProductReader
from coldstart.understanding.products.vocabulary import ProductVocabulary, is_of_products
from coldstart.understanding.traditional import as_written, simplified_catalog

MOST_CHARACTERS = 4000
"""Characters of a text that are read; ``Understood.unread`` counts the others."""


class RequestReader:
    """Rule-based reader of requests in the vocabulary of one catalog, English and Chinese.

    The language is chosen by script. In a catalog of another language the words of items are not
    read as wishes; named categories and attribute values are, and what "ohne" or "без" does to
    them, in the languages of ``lexicon/rejections.toml``. The reader is built for one state of the
    catalog; build another one after a change.

    Args:
        catalog: whose categories, titles and attribute values are matched.
        counts: of several items of one title, the most liked is meant (``most_liked``).

    >>> from coldstart.schema import Item
    >>> catalog = Catalog([Item(item_id="1", title="Duck Soup", categories=("Comedy",))])
    >>> RequestReader(catalog, Counts.fit(["1"], {}, {})).read("comedies").values("category")
    ('Comedy',)
    """

    def __init__(self, catalog: Catalog, counts: Counts) -> None:
        self._catalog = catalog
        self._english: EnglishReader | EnglishProductReader
        self._chinese: ChineseReader | ChineseProductReader
        in_simplified, self._names = simplified_catalog(catalog)
        if is_of_products(catalog):
            vocabulary = ProductVocabulary.of(catalog)
            self._english = EnglishProductReader(catalog, counts, vocabulary)
            self._chinese = ChineseProductReader(in_simplified, counts)
        else:
            self._english = EnglishReader(catalog, counts)
            self._chinese = ChineseReader(in_simplified, counts)
        self._unreadable = frozenset() if _has_rules(catalog) else frozenset({"term", "type"})
        self._named: NamedValueReader | None = None
        if self._unreadable and (language := rejection_language(catalog)):
            self._named = NamedValueReader(catalog, language)
            self._unreadable |= {"category", "attribute", "person", "tone", "phrase"}

    def read(self, text: str) -> Understood:
        """Read a text; every string is accepted, and none is kept.

        Returns:
            The reading; without pieces if no rule matched.
        """
        raw, text = text, clean_text(text[:MOST_CHARACTERS])
        chinese = is_chinese(text)
        parts = corrected_parts(text)
        if parts == [(0, len(text))]:
            read = self._read_part(text, chinese)
        else:
            readings = [(start, self._read_part(text[start:end], chinese)) for start, end in parts]
            read = corrected(text, readings)
        return read.model_copy(update={"unread": max(0, len(raw) - MOST_CHARACTERS)})

    def _read_part(self, text: str, chinese: bool) -> Understood:
        """A text, or what stands between two of its self-corrections."""
        spelled: dict[str, str] = {}
        language = "zh" if chinese else self._named.language if self._named else "en"
        if chinese:
            pieces, wanted_text = self._chinese.read(simplified(text))
            pieces = tuple(as_written(piece, text, self._names) for piece in pieces)
        else:
            if isinstance(self._english, EnglishProductReader):
                pieces, wanted_text, spelled = self._english.read(text)
            else:
                pieces, wanted_text = self._english.read(text)
            pieces = tuple(p for p in pieces if p.kind not in self._unreadable or _is_limit(p))
            if self._named is not None:
                pieces, wanted_text = self._named.read(text, pieces)
        titles = {p.value: self._catalog[p.value].title for p in pieces if p.kind == "title"}
        return Understood(
            text=text,
            language=language if pieces else "",
            pieces=pieces,
            wanted_text=wanted_text,
            titles=titles,
            spelled=spelled,
        )


def _is_limit(piece: Piece) -> bool:
    """Whether it limits a number, or asks for what is in stock, in whatever language."""
    return piece.attribute is not None and (
        piece.low is not None or piece.high is not None or piece.attribute == STOCK
    )


def _has_rules(catalog: Catalog) -> bool:
    """Whether a catalog is in English or Chinese, by its script and stop words."""
    language = catalog_language(catalog)
    if language == "en":
        return latin_language(sample_texts(catalog)) == "en"
    return language == "zh"
