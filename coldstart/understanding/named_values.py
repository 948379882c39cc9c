"""The catalog's own names and what is rejected, in languages without a reader of their own.

Categories and attribute values are found by the stems of their words in the catalog's language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_scripts, item_text, sample_texts
from coldstart.catalog.known_attributes import FOREIGN
from coldstart.catalog.stems import LATIN, latin_language, term
from coldstart.schema import Item, Piece
from coldstart.schema.understood import PieceKind
from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.products.forms import stem
from coldstart.understanding.products.item_words import is_named
from coldstart.understanding.products.vocabulary import ProductVocabulary, sampled
from coldstart.understanding.rejection_scope import (
    MarkedText,
    RejectionScope,
    Unit,
    within,
    words_of,
)
from coldstart.understanding.tokens import PhraseIndex, PhraseMatch, Token
from coldstart.understanding.vocabulary import PEOPLE

Name = tuple[PieceKind, str, str | None]  # kind, value, attribute
Span = tuple[int, int]

_SPLIT = re.compile(r"\s*[|,;>/]\s*")
_LONGEST = 80  # characters of a name
_SHORTEST = 3  # letters of a word that tells something


def rejection_language(catalog: Catalog) -> str | None:
    """Language of a catalog by its script and stop words, if its rejections are known."""
    found = catalog_scripts(catalog)
    script = max(found, key=lambda name: found[name], default="")
    if script == "Cyrillic":
        return "ru"
    language = latin_language(sample_texts(catalog)) if script == "Latin" else ""
    return language if language in LATIN and language in raw_lexicon("rejections") else None


class NamedValueReader:
    """Reader of requests in the names of one catalog.

    Args:
        catalog: whose categories and attribute values are matched.
        language: of its texts; see ``rejection_language``.
    """

    def __init__(self, catalog: Catalog, language: str) -> None:
        self.language = language
        items = sampled(catalog)
        self._names = PhraseIndex(self._named(items), form=str)
        self._forms: dict[str, dict[str, None]] = defaultdict(dict)  # stem → words of the catalog
        for text in map(item_text, items):
            for token in words_of(text):
                self._forms[self._stem(token.form)][text[token.start : token.end].lower()] = None
        self._scope = RejectionScope(language, self._is_content)
        self._absent = ProductVocabulary.of(catalog).absent
        self._free = str(raw_lexicon("rejections")[language].get("free", ""))

    def read(self, text: str, others: Sequence[Piece]) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and the text without what is rejected.

        Args:
            text: the request.
            others: pieces that are read in any language: prices, ages, years, titles. Titles are
                rejected where they are; limits hold everywhere.
        """
        tokens = words_of(text)
        taken = [any(p.start <= t.start < p.end for p in others) for t in tokens]
        marks = self._scope.marks(tokens, taken)
        used = list(taken)
        for mark in marks.values():
            if mark.value != "for":
                used[mark.first : mark.after] = [True] * (mark.after - mark.first)
        found = list(self._names.find([self._stem(t.form) for t in tokens], used))
        read = MarkedText(text, tokens, taken, marks, {m.first: m.after for m in found})

        def known(token: int) -> bool:
            return self._stem(tokens[token].form) in self._forms

        rejected = list(self._scope.stretches(read, known))
        out: list[Piece] = []
        for piece in others:
            at = next((n for n, t in enumerate(tokens) if t.start >= piece.start), len(tokens))
            gone = piece.kind == "title" and within(at, rejected)
            out.append(piece.model_copy(update={"wanted": False}) if gone else piece)
        group = max((p.group for p in others), default=-1)
        wanted = [m for m in found if not within(m.first, rejected)]
        for before, name in zip([None, *wanted], wanted, strict=False):
            joined = before is not None and read.is_mark(before.after, "or")
            group += not (joined and before and marks[before.after].after == name.first)
            span = _span(tokens, name.first, name.after)
            out += (_piece(text, span, value, group) for value in name.value)
        values = {m.first: m for m in found}
        for stretch in rejected:
            for unit in self._scope.units(read, stretch, known):
                group += 1
                out += self._of_unit(text, tokens, unit, values.get(unit.first), group)
        limits = [p for p in others if p.kind not in ("title", "person", "attribute")]
        blanked = [(p.start, p.end) for p in limits]
        blanked += [_span(tokens, r.first, r.after) for r in rejected]
        return tuple(sorted(out, key=lambda p: p.start)), _without(text, blanked)

    def _named(self, items: Iterable[Item]) -> Iterator[tuple[str, tuple[Name, ...]]]:
        """Stems of each name, with what it names."""
        named: dict[str, dict[Name, None]] = defaultdict(dict)
        for item in items:
            for category in item.categories:
                for part in (category, *_SPLIT.split(category)):
                    named[self._stems(part)]["category", category, None] = None
            for attribute, value in item.attributes.items():
                kind: PieceKind = "person" if PEOPLE.search(attribute) else "attribute"
                parts = _SPLIT.split(value) if is_named(attribute) and attribute != FOREIGN else ()
                for part in parts:
                    named[self._stems(part)][kind, part, attribute] = None
        for stems, values in named.items():
            if 1 < len(stems) <= _LONGEST and any(c.isalpha() for c in stems):
                yield stems, tuple(values)

    def _of_unit(
        self,
        text: str,
        tokens: Sequence[Token],
        unit: Unit,
        named: PhraseMatch[tuple[Name, ...]] | None,
        group: int,
    ) -> Iterator[Piece]:
        """What has a rejected name or word is rejected; what is free of it is wanted."""
        span = _span(tokens, unit.first, unit.after)
        if named is not None:
            for name in named.value:
                yield _piece(text, span, name, group, wanted=False, strict=unit.alone)
            if unit.after > unit.first + 1 or not unit.outright:
                return  # "ohne Milch" is about more than the category Milch
        form = tokens[unit.first].form
        for word in self._forms.get(self._stem(form), ()):
            yield _piece(
                text, span, ("term", word, None), group, wanted=False, strict=unit.outright
            )
            if stem(word) in self._absent:
                yield _piece(text, span, ("term", f"{word}-free", None), group, strict=False)
        for word in self._forms.get(self._stem(form + self._free), ()) if self._free else ():
            yield _piece(text, span, ("term", word, None), group, strict=False)

    def _stem(self, form: str) -> str:
        return term(form, self.language) or form

    def _stems(self, text: str) -> str:
        return " ".join(self._stem(token.form) for token in words_of(text))

    def _is_content(self, form: str) -> bool:
        return len(form) >= _SHORTEST and bool(term(form, self.language))


def _span(tokens: Sequence[Token], first: int, after: int) -> Span:
    return tokens[first].start, tokens[after - 1].end


def _piece(
    text: str, span: Span, name: Name, group: int, wanted: bool = True, strict: bool = True
) -> Piece:
    start, end = span
    return Piece(
        kind=name[0],
        value=name[1],
        attribute=name[2],
        words=text[start:end],
        start=start,
        end=end,
        wanted=wanted,
        strict=strict,
        group=group if wanted else 0,
    )


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text without some stretches and the punctuation that they leave."""
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    parts = (" ".join(part.split()) for part in re.split(r"[,.!?;:…]", text))
    return ", ".join(part for part in parts if any(c.isalnum() for c in part))
