"""Reading of Chinese requests by rule: words are matched by characters, without segmentation."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import most_liked
from coldstart.schema import Piece
from coldstart.understanding.audience import DEFAULT_CHILD
from coldstart.understanding.chinese_durations import find_chinese_durations
from coldstart.understanding.chinese_languages import find_chinese_languages
from coldstart.understanding.draft import ReadingDraft
from coldstart.understanding.durations import has_durations
from coldstart.understanding.groups import Link, Term
from coldstart.understanding.languages import spoken_languages
from coldstart.understanding.lexicon import Lexicon, Sense
from coldstart.understanding.polarity import Clause
from coldstart.understanding.tokens import PhraseIndex
from coldstart.understanding.vocabulary import attribute_senses, category_names, latest_year

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_QUOTED = re.compile(r"[《「『“\"]([^《》「」『』“”\"]{1,100})[》」』”\"]")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9'’:&.,\- ]*[A-Za-z0-9]")
_BREAK = re.compile(r"[，,。.！!？?；;：:…\n]")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_N = r"(?:\d{1,2}|[一二三四五六七八九两兩]?十[一二三四五六七八九]?|[一二三四五六七八九两兩])"
_Y = r"(?:1[89]|20)\d\d"
_DECADE = r"(?:(?:(?:上|二十|20)世[纪紀])?(?:(?:1[89]|20)\d0|\d0|[二三四五六七八九]十)年代)"
_SPAN = re.compile(rf"({_Y})\s*年?\s*(?:到|至|-|–|—|~|～)\s*({_Y})\s*年?")
_SIDED = re.compile(
    rf"(?:({_Y})\s*年(?!代)|({_DECADE}))\s*(以前|之前|前|以后|以後|之后|之後|后|後|以来|以來|起|至今|开始)?"
)
_AGES = re.compile(rf"({_N})\s*(?:[岁歲]?\s*(?:到|至|-|和|、|~)\s*({_N})\s*)?[岁歲](?!月)")
_BESIDES = re.compile(r"除了?[^。！？.!?]{1,20}?[，,]?[我他她]?[还還也]")
_MOST_TITLE = 40


class ChineseSpan(NamedTuple):
    """Something read at a character span."""

    start: int
    end: int
    kind: str
    value: str = ""
    age: int = 0
    stated: bool = True
    first: int | None = None
    last: int | None = None
    sense: Sense | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters, and no Japanese ones."""
    return bool(_HAN.search(text)) and not _KANA.search(text)


class ChineseReader:
    """Reader of Chinese text in the vocabulary of one catalog.

    Args:
        catalog: whose categories, titles and attribute values are matched.
        counts: of several items of one title, the most liked is meant.
    """

    def __init__(self, catalog: Catalog, counts: Counts) -> None:
        self._catalog, self._counts = catalog, counts
        self._timed, self._spoken = has_durations(catalog), spoken_languages(catalog)
        names = category_names(catalog)
        self._lexicon = Lexicon("zh", names, latest_year(catalog))
        self._phrases: PhraseIndex[Sense] = PhraseIndex(form=_form)
        for phrase, name in (*((n, n) for n in names), *self._lexicon.category_phrases()):
            sense = Sense(want=((name,),), against=(name,), direct=True)
            self._phrases.add(phrase, sense)
        for phrase, sense in self._lexicon.senses():
            self._phrases.add(phrase, sense)
        for value, sense in attribute_senses(catalog).items():
            if _HAN.search(value) and len(value) > 1:
                self._phrases.add(value, sense)
        kinds = ("harmless", "neutral", "reject", "before", "resume")
        self._marks: PhraseIndex[str] = PhraseIndex(
            ((p, kind) for kind in kinds for p in self._lexicon.words(f"marks.{kind}")), _form
        )
        self._children: PhraseIndex[str] = PhraseIndex(
            ((p, p) for p in self._lexicon.words("words.child")), _form
        )
        self._either = frozenset("".join(self._lexicon.words("words.either")))
        self._fillers = frozenset("".join(self._lexicon.words("words.fillers")))
        self._starts = {
            part[0]
            for item in catalog
            if _HAN.search(item.title)
            for part in re.split(r"[()（）\s]+", item.title)
            if part
        }

    def read(self, text: str) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and the text without its rejected clauses."""
        found, taken = [], [False] * len(text)
        facts = *chinese_years(text), *self.audience(text), *self._facts(text)
        for one in (*self._titles(text), *facts):
            if not any(taken[one.start : one.end]):
                taken[one.start : one.end] = [True] * (one.end - one.start)
                found.append(one)
        forms = characters(text)
        for match in self._phrases.find(forms, taken):
            taken[match.first : match.after] = [True] * (match.after - match.first)
            found.append(ChineseSpan(match.first, match.after, "sense", sense=match.value))
        found.sort(key=lambda f: f.start)
        clauses = self.clauses(text, forms, taken, found)
        draft, starts = ReadingDraft(text, self._lexicon), [c.start for c in clauses]
        for one in found:
            clause = clauses[max(0, bisect_right(starts, one.start) - 1)]
            wanted = clause.polarity > 0 or _is_limit(one, clause, found)
            if clause.polarity or wanted:
                _add(draft, one, wanted=wanted)
        kept = (text[c.start : c.end].strip(" ，,。.；;、") for c in clauses if c.polarity >= 0)
        wanted_text = "，".join(part for part in kept if any(c.isalnum() for c in part))
        return draft.pieces(lambda a, b: self._link(text, a, b)), wanted_text

    def _facts(self, text: str) -> Iterator[ChineseSpan]:
        for n in find_chinese_languages(text, self._spoken):
            yield ChineseSpan(n.start, n.end, "language", stated=not n.english, values=n.values)
        for d in find_chinese_durations(text) if self._timed else ():
            yield ChineseSpan(d.start, d.end, "duration", stated=d.stated, low=d.low, high=d.high)

    def _titles(self, text: str) -> Iterator[ChineseSpan]:
        for pattern, group in ((_QUOTED, 1), (_LATIN, 0)):
            for m in pattern.finditer(text):
                if found := self._catalog.find_title(m[group]):
                    if _form(m[group]) not in self._phrases:
                        item = most_liked(found, self._counts)
                        yield ChineseSpan(m.start(group), m.end(group), "title", item)
        at = 0
        while at < len(text):
            size = 0
            if text[at] in self._starts:
                for n in range(min(_MOST_TITLE, len(text) - at), 1, -1):
                    span = text[at : at + n]
                    if span[-1].isspace() or not _HAN.search(span):
                        continue
                    found = self._catalog.find_title(span)
                    if found and _form(span) not in self._phrases:
                        size = n
                        yield ChineseSpan(at, at + n, "title", most_liked(found, self._counts))
                        break
            at += size or 1

    def audience(self, text: str) -> Iterator[ChineseSpan]:
        """Children for whom something is asked, with their ages."""
        for m in _AGES.finditer(text):
            age = min(chinese_number(n) for n in m.groups() if n)
            if age < 18:
                yield ChineseSpan(m.start(), m.end(), "audience", age=age)
        if not any(chinese_number(m[1]) < 18 for m in _AGES.finditer(text)):
            for match in self._children.find(characters(text)):
                rest = text[match.after : match.after + 1]
                if rest not in ("片", "电", "電"):  # a kind of film
                    yield ChineseSpan(
                        match.first, match.after, "audience", age=DEFAULT_CHILD, stated=False
                    )

    def clauses(
        self, text: str, forms: list[str], taken: list[bool], found: Sequence[ChineseSpan]
    ) -> list[Clause]:
        """Rejections reach to the next punctuation, or to words that begin a new wish."""
        events: list[tuple[int, int, str]] = [
            (m.first, m.after, m.value) for m in self._marks.find(forms, taken)
        ]
        events += [(m.start(), m.end(), "break") for m in _BREAK.finditer(text)]
        events += [(f.start, f.end, f.kind) for f in found if f.kind == "audience"]
        out: list[Clause] = []
        start, polarity, opened = 0, 1, 0

        def cut(at: int, following: int) -> None:
            nonlocal start, polarity
            if at > start:
                out.append(Clause(start, at, polarity))
            start, polarity = at, following

        for first, after, kind in sorted(events):
            if kind == "break":
                cut(after, 1)
            elif kind == "reject" and _BESIDES.match(text, first):
                continue  # "besides", not "except"
            elif kind == "reject":
                cut(first, -1)
                opened = after
            elif kind == "neutral":
                cut(first, 0)
                opened = after
            elif kind == "before":
                polarity = -1
                cut(after, 1)
            elif kind in ("resume", "audience") and polarity != 1 and first > opened:
                cut(first, 1)
        cut(len(text), 1)
        return out or [Clause(0, len(text), 1)]

    def _link(self, text: str, a: Term, b: Term) -> Link:
        between = text[a.after : b.first]
        if "或" in between or "还是" in between or "/" in between:
            return "or"
        rest = "".join(c for c in between if c not in self._fillers and not c.isspace())
        if not rest:
            return "tight"
        if a.noun and b.noun and a.kind == b.kind and set(between) & self._either:
            return "or"
        return "loose"


def _is_limit(one: ChineseSpan, clause: Clause, found: Sequence[ChineseSpan]) -> bool:
    """Whether a longest duration follows what its clause rejects: 不要恐怖片九十分钟以内."""
    before = any(clause.start <= other.start < one.start for other in found)
    return one.kind == "duration" and one.low is None and before


def _add(draft: ReadingDraft, one: ChineseSpan, *, wanted: bool) -> None:
    span = one.start, one.end
    if one.kind == "title":
        draft.title(one.value, span, wanted=wanted)
    elif one.kind == "audience":
        draft.audience(one.age, span, wanted=wanted, stated=one.stated)
    elif one.kind == "years":
        draft.years(one.first, one.last, span, wanted=wanted)
    elif one.kind == "language":
        draft.language(one.values, span, wanted=wanted, english=not one.stated)
    elif one.kind == "duration":
        draft.duration(one.low, one.high, span, wanted=wanted, stated=one.stated)
    elif one.sense is not None:
        draft.sense(one.sense, span, span, wanted=wanted)


def chinese_years(text: str) -> Iterator[ChineseSpan]:
    """Years and decades in a text."""
    for m in _SPAN.finditer(text):
        first, last = sorted((int(m[1]), int(m[2])))
        yield ChineseSpan(m.start(), m.end(), "years", first=first, last=last)
    for m in _SIDED.finditer(text):
        first, last = (int(m[1]), int(m[1])) if m[1] else _decade(m[2])
        side = m[3] or ""
        if side in ("以前", "之前", "前"):
            yield ChineseSpan(m.start(), m.end(), "years", last=first - 1)
        elif side in ("以来", "以來", "起", "至今", "开始"):
            yield ChineseSpan(m.start(), m.end(), "years", first=first)
        elif side:  # "90年代以后" has the nineties in it, "1990年以后" not 1990
            yield ChineseSpan(m.start(), m.end(), "years", first=last + 1 if m[1] else first)
        else:
            yield ChineseSpan(m.start(), m.end(), "years", first=first, last=last)


def _decade(text: str) -> tuple[int, int]:
    """First and last year: "八十年代", "90年代", "1980年代"."""
    digits = re.sub(r"^(?:上|二十|20)世[纪紀]", "", text).removesuffix("年代")
    value = int(digits) if digits.isdigit() else chinese_number(digits)
    if value < 100:
        last_century = value >= 30 or "世" in text
        value += 1900 if last_century else 2000
    return value, value + 9


def chinese_number(text: str) -> int:
    """A number below 100: "5", "五", "十二", "三十"."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[text]
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


def characters(text: str) -> list[str]:
    """Comparison form of each character, "_" for white space."""
    return ["_" if c.isspace() else c.lower()[:1] or c for c in text]


def _form(phrase: str) -> str:
    return " ".join(characters(phrase))
