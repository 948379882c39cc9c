"""Reading of Chinese requests for products by rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.han import simplified
from coldstart.catalog.known_attributes import STOCK
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import most_liked
from coldstart.schema import Piece
from coldstart.understanding.chinese import ChineseReader, ChineseSpan, characters, chinese_years
from coldstart.understanding.draft import ReadingDraft, Value
from coldstart.understanding.groups import Link, Term
from coldstart.understanding.lexicon import Lexicon
from coldstart.understanding.polarity import Clause
from coldstart.understanding.products.chinese_people import find_chinese_asides, find_chinese_people
from coldstart.understanding.products.chinese_prices import find_chinese_prices
from coldstart.understanding.products.chinese_roles import (
    BREAK,
    PETS,
    ChineseWordFinder,
    FoundWord,
)
from coldstart.understanding.products.chinese_words import ChineseVocabulary
from coldstart.understanding.products.lexicon import covered, kinds, phrases
from coldstart.understanding.products.people import ADULT
from coldstart.understanding.products.prices import price_text
from coldstart.understanding.products.sizes import find_sizes, fitting, size_values
from coldstart.understanding.products.vocabulary import sampled

_QUOTED = re.compile(r"[《「『“\"]([^《》「」『』“”\"]{1,100})[》」』”\"]")
_STOCK = re.compile(
    r"(?:有|要)?现货(?:的)?|有库存(?:的)?|能马上发货(?:的)?|不缺货(?:的)?|在售(?:的)?"
)
_ALL_REJECTED = re.compile(
    r"(?:(?<![没不])[看吃玩用穿听喝戴读][腻够烦厌]了?"
    r"|(?:都|全都|统统|一律)(?:不要|不行|不想要|不需要|不考虑|免了)"
    r"|(?<=的)(?:就|可|也)?(?:不要|不行|不想要|不需要|不考虑|免了)(?=[了啊吧哦哈，,。.！!；;\s]|$))"
)
_ALLERGIC = re.compile(
    r"对(?P<what>[^，,。；;！!？?\s对]{1,12}?)"
    r"(?<!不)(?<!不会)(?:过敏|不耐受)"
)
_BARE_NOT = re.compile(r"不(?![要想喜爱带含能可需用是买吃喝看穿加添])")
"""不 before a verb that rejects nothing: 不进水, 不伤手."""
_NOT_FOR = re.compile(r"(?:不要|别|不是|不想要|不需要|除了|非)(?:给|买|是|那种)?$")
_OTHERS = {"female": "男士", "male": "女士"}  # whose things are not for them


class ChineseProductReader:
    """Reader of Chinese text in the vocabulary of one catalog of products.

    Args:
        catalog: whose types, words, brands and titles are matched.
        counts: of several items of one title, the most liked is meant.
    """

    def __init__(self, catalog: Catalog, counts: Counts) -> None:
        self._catalog, self._counts = catalog, counts
        self._vocabulary = ChineseVocabulary.of(sampled(catalog))
        self._highest = max((i.price for i in catalog if i.price is not None), default=None)
        self._sizes = size_values(sampled(catalog))
        names = {name: None for item in catalog for name in item.categories}
        self._of_pets = [n for n in names if "宠物" in n]
        self._for_pets = [n for n in names if "宠物" in n and "母婴" not in n]
        self._dated = any(item.year is not None for item in catalog)
        self._rules = ChineseReader(Catalog([]), counts)
        self._none = Lexicon("zh", (), None)
        self._costs = {p: side for side in ("high", "low") for p in phrases(side, "prices", "zh")}
        self._cost = re.compile("|".join(sorted(self._costs, key=len, reverse=True)))
        self._finder = ChineseWordFinder(self._vocabulary)

    def read(self, text: str) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and its wanted text without prices and recipients."""
        plain = simplified(text).casefold()
        folded = plain if len(plain) == len(text) else text
        draft = ReadingDraft(text, self._none)
        taken = [False] * len(text)
        asides: list[tuple[int, int]] = []
        spans: list[ChineseSpan] = []
        self._titles(text, draft, taken)
        self._prices(folded, draft, taken, asides)
        for person in find_chinese_people(_hidden(folded, taken)):
            span = person.start, person.end
            if _take(taken, span):
                if _NOT_FOR.search(folded[: person.start]):
                    if not person.adult:  # what is made for children is not wanted
                        draft.adult(ADULT, span)
                    continue
                asides.append(span)
                spans.append(ChineseSpan(*span, "audience", age=person.age))
                if person.adult:
                    draft.adult(person.age, span)
                    if other := _OTHERS.get(person.gender):
                        draft.fact(("term", other, None), span, wanted=False, strict=False)
                else:
                    draft.audience(person.age, span, wanted=True, stated=person.stated)
        for m in _STOCK.finditer(folded):
            if _take(taken, m.span()):
                asides.append(m.span())
                draft.fact(("attribute", "in stock", STOCK), m.span(), wanted=True, strict=True)
        for size in find_sizes(_hidden(folded, taken)):
            span = size.start, size.end
            values: list[Value] = [("attribute", v, n) for n, v in fitting(size.size, self._sizes)]
            if values and _take(taken, span):
                draft.wish(values, span, span, strict=True, noun=False)
        for span in find_chinese_asides(_hidden(folded, taken)):
            if _take(taken, span):
                asides.append(span)
        if self._dated:
            for years in chinese_years(_hidden(text, taken)):
                if _take(taken, (years.start, years.end)):
                    draft.years(years.first, years.last, (years.start, years.end), wanted=True)
        words, covering = self._finder.words(folded, taken)
        for m in _BARE_NOT.finditer(folded):
            covering[m.start()] = True  # 不进水的鞋: shoes are wanted
        clauses = _with_rejected(
            text, self._rules.clauses(text, characters(text), covering, [*spans])
        )
        starts = [clause.start for clause in clauses]

        def polarity(word: FoundWord) -> int:
            return clauses[max(0, bisect_right(starts, word.start) - 1)].polarity

        words = sorted(
            [*words, *self._finder.unknown(folded, clauses, words, taken)], key=lambda w: w.start
        )
        self._add(draft, self._finder.with_roles(folded, words, taken), polarity)
        kept = _blanked(text, asides)
        parts = (kept[c.start : c.end].strip(" ，,。.；;、") for c in clauses if c.polarity >= 0)
        wanted_text = "，".join("".join(p.split()) for p in parts if any(c.isalnum() for c in p))
        return draft.pieces(lambda a, b: _link(text, a, b)), wanted_text

    def _titles(self, text: str, draft: ReadingDraft, taken: list[bool]) -> None:
        for m in _QUOTED.finditer(text):
            found = self._catalog.find_title(m[1])
            if found and _take(taken, m.span(1)):
                draft.title(most_liked(found, self._counts), m.span(1), wanted=True)

    def _prices(
        self, text: str, draft: ReadingDraft, taken: list[bool], asides: list[tuple[int, int]]
    ) -> None:
        for price in find_chinese_prices(_hidden(text, taken), self._highest):
            span = price.start, price.end
            if _take(taken, span):
                asides.append(span)
                if price.usable:
                    draft.price(price.low, price.high, price_text(price.low, price.high), span)
        for m in self._cost.finditer(_hidden(text, taken)):
            if _take(taken, m.span()):
                asides.append(m.span())
                if self._highest is not None:
                    draft.price(None, None, self._costs[m[0]], m.span())

    def _add(
        self, draft: ReadingDraft, words: Sequence[FoundWord], sign: Callable[[FoundWord], int]
    ) -> None:
        for n, word in enumerate(words):
            span, term = (word.start, word.end), tuple(word.text)
            values = self._values(word)
            if sign(word) > 0:
                if word.role == "none":
                    continue  # compared by its letters
                lone = len(word.text) == 1 and word.text not in PETS
                if lone and not word.is_type and len(values) < 2:
                    continue  # a part of an unknown word
                if word.role == "asked":
                    draft.wish((("type", word.text, None),), span, span, strict=True, noun=True)
                else:
                    draft.wish(values, span, span, strict=True, noun=False)
                    for kind in ("category", "attribute"):
                        draft.prefer([v for v in values if v[0] == kind], span)
                    if word.text[0] in PETS and not any(w.role == "asked" for w in words):
                        draft.prefer([("category", name, None) for name in self._of_pets], span)
                continue
            if sign(word) == 0:
                continue
            before = words[n - 1] if n else None
            owner = word.role == "asked" and self._owned(word, words, sign)
            if owner:  # 不要皮的鞋子: shoes are wanted, leather is not
                draft.wish((("type", word.text, None),), span, span, strict=True, noun=True)
                continue
            following = words[n + 1] if n + 1 < len(words) else None
            whole = following is not None and following.start == word.end and following.is_type
            if (
                word.is_type
                and before is not None
                and before.end == word.start
                and sign(before) < 0
            ):
                continue  # 不要塑料玩具: the toys are not rejected
            known = following is not None and following.text in self._vocabulary.types
            if whole and known and following is not None and not _has_attribute(values):
                # 不要运动鞋: of shoes, and of nothing else that is for sport
                name, place = f"{word.text}{following.text}", (word.start, following.end)
                draft.fact(("type", name, None), place, wanted=False, strict=True)
            elif word.is_type and not whole:
                draft.fact(("type", word.text, None), span, wanted=False, strict=True)
                if len(covered(term)) > len(kinds(term)):
                    draft.fact(("term", word.text, None), span, wanted=False, strict=True)
            else:
                for value in values:
                    if value[0] != "category":
                        draft.fact(value, span, wanted=False, strict=True)
            if any(word.text in part for part in self._vocabulary.lacking.split("|")):
                draft.fact(("term", f"不含{word.text}", None), span, wanted=True, strict=False)

    def _owned(
        self, word: FoundWord, words: Sequence[FoundWord], sign: Callable[[FoundWord], int]
    ) -> bool:
        """Whether what stands before a type and 的 is rejected of it, and not the type itself."""
        return word.after_of and any(
            other.end <= word.start - 1 and sign(other) < 0 for other in words
        )

    def _values(self, word: FoundWord) -> tuple[Value, ...]:
        term: Value = ("term", word.text, None)
        own = [
            v
            for form in covered(tuple(word.text))
            for v in self._vocabulary.values.get("".join(form), ())
        ]
        own += self._vocabulary.values.get(word.text, ())
        categories: list[Value] = [
            ("category", name, None) for name in self._vocabulary.categories.get(word.text, ())
        ]
        return (*dict.fromkeys(own), *categories, term)


def _has_attribute(values: Sequence[Value]) -> bool:
    return any(kind == "attribute" for kind, _, _ in values)


def _with_rejected(text: str, clauses: list[Clause]) -> list[Clause]:
    """Clauses, with those rejected that end with it: 真皮的不要, 悬疑的看腻了, 对坚果过敏."""
    for m in _ALL_REJECTED.finditer(text):
        start = max((b.end() for b in BREAK.finditer(text, 0, m.start())), default=0)
        kept = [c for c in clauses if c.end <= start or c.start >= m.end()]
        clauses = sorted([*kept, Clause(start, m.end(), -1)])
    for m in _ALLERGIC.finditer(text):
        clauses = _with_clause(clauses, Clause(m.start(), m.end(), -1))
    return clauses


def _with_clause(clauses: list[Clause], one: Clause) -> list[Clause]:
    """Clauses with another one put over them."""
    parts = [
        c._replace(start=start, end=end)
        for c in clauses
        for start, end in ((c.start, min(c.end, one.start)), (max(c.start, one.end), c.end))
        if start < end
    ]
    return sorted([*parts, one])


def _take(taken: list[bool], span: tuple[int, int]) -> bool:
    """Take characters, unless some of them are taken."""
    start, end = span
    if start >= end or any(taken[start:end]):
        return False
    taken[start:end] = [True] * (end - start)
    return True


def _hidden(text: str, taken: Sequence[bool]) -> str:
    return "".join("\x00" if gone else c for c, gone in zip(text, taken, strict=True))


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _link(text: str, a: Term, b: Term) -> Link:
    between = text[a.after : b.first]
    if any(mark in between for mark in ("或", "还是", "/")):
        return "or"
    if a.noun == b.noun and re.fullmatch(r"\s*(?:和|与|跟|及|、|,|，)\s*", between):
        return "or"
    return "loose"
