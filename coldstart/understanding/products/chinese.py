"""Reading of Chinese requests for products by rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.han import simplified
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
from coldstart.understanding.products.chinese_words import ChineseVocabulary
from coldstart.understanding.products.forms import HAN
from coldstart.understanding.products.lexicon import covered, kinds, phrases
from coldstart.understanding.products.people import ADULT
from coldstart.understanding.products.prices import price_text
from coldstart.understanding.products.vocabulary import sampled

_QUOTED = re.compile(r"[《「『“\"]([^《》「」『』“”\"]{1,100})[》」』”\"]")
_STOCK = re.compile(
    r"(?:有|要)?现货(?:的)?|有库存(?:的)?|能马上发货(?:的)?|不缺货(?:的)?|在售(?:的)?"
)
_BREAK = re.compile(r"[，,。.！!？?；;：:…\n\s]")
_JOINING = ("或", "和", "与", "跟", "及", "、", "/", "还是")
_RUN = re.compile(f"[{HAN}]+")
_ASKING = re.compile(
    r"想要|想买|要买|想找|想换|想给|求购|求推荐|推荐|有没有|有木有|需要(?!电)|买(?![的过了])|找(?!到)"
    r"|(?:要|来|换|带|选|挑|求)一?[个双件条台本把套款张支瓶盒只份顶部点些]|想[吃喝穿戴看玩学用]"
)
"""Verbs of asking: what stands before them tells a story."""
_ABLE = re.compile(r"(?:能|可以|可)(?:用来)?给")
_ALL_REJECTED = re.compile(
    r"(?:(?:都|全都|统统|一律)(?:不要|不行|不想要|不需要|不考虑|免了)"
    r"|(?<=的)(?:就|可|也)?(?:不要|不行|不想要|不需要|不考虑|免了)(?=[了啊吧哦哈，,。.！!；;\s]|$))"
)
_BARE_NOT = re.compile(r"不(?![要想喜爱带含能可需用是买吃喝看穿加添])")
"""不 before a verb that rejects nothing: 不进水, 不伤手."""
_NOT_FOR = re.compile(r"(?:不要|别|不是|不想要|不需要|除了|非)(?:给|买|是|那种)?$")
_OF_VALUES = frozenset({"的", "制", "质", "色", ""})  # after a value of one character
_FILLERS = frozenset("的双件条台本把套款张支瓶盒只份顶部块点些色")
_OF = re.compile(r"[用做穿吃喝装放戴制]?的")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9\-]*")
_LONGEST = 6
_PETS = frozenset("猫狗宠鱼鸟兔鼠")
_OTHERS = {"female": "男士", "male": "女士"}  # whose things are not for them

Role = Literal["asked", "quality", "topic", "none"]


@dataclass(frozen=True)
class _Word:
    """A word of the text that the catalog knows.

    Args:
        start: its first character.
        end: the character after it.
        text: the word.
        is_type: whether things of the catalog are of this type.
        role: ``asked``, ``quality``, ``topic`` or ``none``.
        ends: whether nothing that belongs to it follows.
        after_of: whether 的 stands before it.
    """

    start: int
    end: int
    text: str
    is_type: bool
    role: Role = "none"
    ends: bool = True
    after_of: bool = False


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
        names = {name: None for item in catalog for name in item.categories}
        self._for_pets = [n for n in names if "宠物" in n and "母婴" not in n]
        self._dated = any(item.year is not None for item in catalog)
        self._rules = ChineseReader(Catalog([]), counts)
        self._none = Lexicon("zh", (), None)
        self._costs = {p: side for side in ("high", "low") for p in phrases(side, "prices", "zh")}
        self._cost = re.compile("|".join(sorted(self._costs, key=len, reverse=True)))
        self._interests = sorted(phrases("interest", language="zh"), key=len, reverse=True)
        known = {*self._vocabulary.words, *self._vocabulary.stop, *self._interests}
        self._known = frozenset(known)

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
                draft.fact(
                    ("attribute", "in stock", "available"), m.span(), wanted=True, strict=True
                )
        for span in find_chinese_asides(_hidden(folded, taken)):
            if _take(taken, span):
                asides.append(span)
        if self._dated:
            for years in chinese_years(_hidden(text, taken)):
                if _take(taken, (years.start, years.end)):
                    draft.years(years.first, years.last, (years.start, years.end), wanted=True)
        words, covering = self._words(folded, taken)
        for m in _BARE_NOT.finditer(folded):
            covering[m.start()] = True  # 不进水的鞋: shoes are wanted
        clauses = _with_rejected(
            text, self._rules.clauses(text, characters(text), covering, [*spans])
        )
        starts = [clause.start for clause in clauses]

        def polarity(word: _Word) -> int:
            return clauses[max(0, bisect_right(starts, word.start) - 1)].polarity

        words = sorted(
            [*words, *self._unknown(folded, clauses, words, taken)], key=lambda w: w.start
        )
        self._add(draft, self._with_roles(folded, words, taken), polarity)
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

    def _words(self, text: str, taken: Sequence[bool]) -> tuple[list[_Word], list[bool]]:
        """Known words by longest match, and the characters that no mark of rejection may use."""
        out: list[_Word] = []
        covering = list(taken)
        at = 0
        while at < len(text):
            if taken[at]:
                at += 1
                continue
            if latin := _LATIN.match(text, at):
                out.append(_Word(at, latin.end(), latin[0], False))
                at = latin.end()
                continue
            size = next(
                (
                    n
                    for n in range(min(_LONGEST, len(text) - at), 0, -1)
                    if text[at : at + n] in self._known and not any(taken[at : at + n])
                ),
                0,
            )
            word = text[at : at + size]
            if size > 1 and self._later(text, at, size):
                at += 1
                continue
            if word.startswith("怕"):
                covering[at : at + size] = [True] * size  # who is afraid rejects nothing
            if size and word not in self._vocabulary.stop and word not in self._interests:
                covering[at : at + size] = [True] * size
                cut = at + self._vocabulary.quality_length(word)
                if cut > at:
                    out.append(_Word(at, cut, text[at:cut], False))
                out.append(
                    _Word(cut, at + size, text[cut : at + size], self._vocabulary.is_type(word))
                )
            at += size or 1
        return out, covering

    def _later(self, text: str, at: int, size: int) -> bool:
        """Whether a value or type overlaps a word that is neither: 电池 in 带电池."""
        strong = (self._vocabulary.values, self._vocabulary.types)
        if any(text[at : at + size] in known for known in strong):
            return False
        starts = range(at + 1, at + size)
        ends = range(at + size + 1, min(len(text), at + size + 3) + 1)
        return any(text[a:b] in known for a in starts for b in ends for known in strong)

    def _unknown(
        self, text: str, clauses: Sequence[Clause], words: Sequence[_Word], taken: Sequence[bool]
    ) -> Iterable[_Word]:
        """Strings of items' texts in rejected clauses and interests that have no known word."""
        for clause in clauses:
            inside = range(clause.start, min(clause.end, len(text)))
            told = text[clause.start : clause.end]
            interest = clause.polarity > 0 and any(cue in told for cue in self._interests)
            known = [word for word in words if word.start in inside]
            end = clause.end
            if clause.polarity < 0 and known and known[0].is_type:
                end = max(clause.start, known[0].start - 1)  # 不含咖啡因的茶
            elif known or not (interest or clause.polarity < 0):
                continue
            at = clause.start
            while at < end:
                size = next(
                    (
                        n
                        for n in range(min(_LONGEST, end - at), 1, -1)
                        if _RUN.fullmatch(text[at : at + n])
                        and not any(taken[at : at + n])
                        and text[at : at + n] not in self._vocabulary.stop
                        and self._vocabulary.knows(text[at : at + n])
                    ),
                    0,
                )
                if size:
                    yield _Word(at, at + size, text[at : at + size], False)
                at += size or 1

    def _with_roles(self, text: str, words: Sequence[_Word], taken: Sequence[bool]) -> list[_Word]:
        out: list[_Word] = []
        asking = self._asking(text, words)
        following: _Word | None = None
        for word in reversed(words):
            after = text[word.end : word.end + 2]
            joined = after.startswith(_JOINING)
            adjacent = following is not None and following.start == word.end
            ends = not adjacent and (
                joined
                or not after
                or (of := _OF.match(text, word.end)) is None
                or _BREAK.match(text[of.end() :] or " ") is not None
            )
            if ends and len(word.text) == 1 and after and not joined:
                ends = (
                    _BREAK.match(after) is not None
                    or taken[word.end]
                    or any(text[word.end : word.end + k] in self._vocabulary.stop for k in (1, 2))
                )
            asked = word.is_type and ends and not self._is_topic(text, word, words)
            role: Role = (
                "asked" if asked else "topic" if self._is_topic(text, word, words) else "quality"
            )
            if role != "topic" and word.start < asking:
                role = "none"  # a story before what is asked for
            elif role == "quality" and not self._describes(text, word, following):
                role = "none"
            after_of = text[word.start - 1 : word.start] == "的"
            following = replace(word, role=role, ends=ends, after_of=after_of)
            out.append(following)
        return out[::-1]

    def _asking(self, text: str, words: Sequence[_Word]) -> int:
        """Where the text begins to ask: after its first verb of asking before a known word."""
        for m in _ASKING.finditer(text):
            if any(word.start >= m.end() for word in words):
                return m.end()
        return 0

    def _describes(self, text: str, word: _Word, following: _Word | None) -> bool:
        """Whether a quality is one of the next known word, or of whatever is asked for.

        Nothing but fillers stands between; what else does makes it part of something unknown:
        跑步的时候记步数的手表 asks for a watch. A single character has to be a value, or to stand
        before what it describes.
        """
        if _ABLE.search(_BREAK.split(text[: word.start])[-1]) and (
            following is None or following.role != "asked"
        ):
            return False  # 能给手机充电
        at = word.end
        of_value = word.text in self._vocabulary.values and text[at : at + 1] in _OF_VALUES
        if len(word.text) == 1 and word.text not in _PETS and not of_value:
            return following is not None and following.start == at and following.role == "asked"
        while at < len(text) and not _BREAK.match(text[at]):
            if following is not None and at >= following.start:
                return following.role != "none"
            size = next(
                (n for n in range(4, 0, -1) if text[at : at + n] in self._vocabulary.stop), 0
            )
            if not size and text[at] in _FILLERS:
                size = 1
            if not size:
                return False
            at += size
        return True

    def _is_topic(self, text: str, word: _Word, words: Sequence[_Word]) -> bool:
        """Whether a word says what somebody likes, or what something is for."""
        before = re.split(r"[，,。.！!？?；;：:…\n的]", text[max(0, word.start - 20) : word.start])[
            -1
        ]
        return any(cue in before for cue in self._interests)

    def _add(
        self, draft: ReadingDraft, words: Sequence[_Word], sign: Callable[[_Word], int]
    ) -> None:
        for n, word in enumerate(words):
            span, term = (word.start, word.end), tuple(word.text)
            values = self._values(word)
            if sign(word) > 0:
                if word.role == "none":
                    continue  # compared by its letters
                lone = len(word.text) == 1 and word.text not in _PETS
                if lone and not word.is_type and len(values) < 2:
                    continue  # a part of an unknown word
                if word.role == "asked":
                    draft.wish((("type", word.text, None),), span, span, strict=True, noun=True)
                else:
                    draft.wish(values, span, span, strict=True, noun=False)
                    for kind in ("category", "attribute"):
                        draft.prefer([v for v in values if v[0] == kind], span)
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
            if word.is_type and not whole:
                draft.fact(("type", word.text, None), span, wanted=False, strict=True)
                if len(covered(term)) > len(kinds(term)):
                    draft.fact(("term", word.text, None), span, wanted=False, strict=True)
            else:
                for value in values:
                    if value[0] != "category":
                        draft.fact(value, span, wanted=False, strict=True)
            if any(word.text in part for part in self._vocabulary.lacking.split("|")):
                draft.fact(("term", f"不含{word.text}", None), span, wanted=True, strict=False)

    def _owned(self, word: _Word, words: Sequence[_Word], sign: Callable[[_Word], int]) -> bool:
        """Whether what stands before a type and 的 is rejected of it, and not the type itself."""
        return word.after_of and any(
            other.end <= word.start - 1 and sign(other) < 0 for other in words
        )

    def _values(self, word: _Word) -> tuple[Value, ...]:
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


def _with_rejected(text: str, clauses: list[Clause]) -> list[Clause]:
    """Clauses, with those rejected that end with the rejection: 电动的都不要, 真皮的不要."""
    for m in _ALL_REJECTED.finditer(text):
        start = max((b.end() for b in _BREAK.finditer(text, 0, m.start())), default=0)
        kept = [c for c in clauses if c.end <= start or c.start >= m.end()]
        clauses = sorted([*kept, Clause(start, m.end(), -1)])
    return clauses


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
