"""Reading of English requests for products by rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Piece
from coldstart.understanding.audience import CHILD, find_audience
from coldstart.understanding.draft import ReadingDraft, Value
from coldstart.understanding.english import masked, wanted_text
from coldstart.understanding.groups import Link, LinkWords
from coldstart.understanding.lexicon import Lexicon
from coldstart.understanding.polarity import Clause, Mention, PolarityReader
from coldstart.understanding.products.amounts import find_amounts, numeric_attributes
from coldstart.understanding.products.examples import find_examples
from coldstart.understanding.products.lexicon import ProductLexicon, phrases
from coldstart.understanding.products.people import ADULT, find_asides, find_recipients
from coldstart.understanding.products.phrases import Phrase, PhraseParser
from coldstart.understanding.products.prices import find_prices, price_text
from coldstart.understanding.products.sizes import NamedSize, find_sizes, fitting, size_values
from coldstart.understanding.products.vocabulary import ProductVocabulary, sampled
from coldstart.understanding.titles import TitleSpotter
from coldstart.understanding.tokens import PhraseIndex, Token, tokenise
from coldstart.understanding.vocabulary import common_words, latest_year
from coldstart.understanding.years import find_years

_GROWN_UP = 18
"""Age from which a number of years is no age of an audience: "20 years of warranty"."""
_STOCK = re.compile(
    r"\b(?:(?:that(?:['’]s|\s+is|\s+are)?\s+)?(?:currently\s+|still\s+)?(?:in|on)\s+stock(?:\s+now)?"
    r"|(?:currently|immediately)\s+available|available\s+(?:right\s+)?now|ready\s+to\s+ship|not\s+sold\s+out)\b",
    re.I,
)
_NEWBORN = re.compile(
    r"\b(?:for\s+)?(?:a\s+|the\s+|my\s+|our\s+)?new[\s-]?borns?(?:\s+baby)?\b", re.I
)
_YEARS = re.compile(
    r"\b(?:for\s+)?(?:ages?\s+)?(?P<n>\d{1,2})\s*(?:years?|yrs?)(?!\w|\s*(?:old|warranty|guarantee))",
    re.I,
)
_NON = re.compile(r"\bnon[\s-]?(?P<what>[a-z]{3,})\b", re.I)
_FREE = re.compile(
    r"\b(?P<what>[a-z]{3,})(?:-|\s)free\b(?!\s+(?:to|for|shipping|delivery|time|gift|of))", re.I
)

_RECEIVES = re.compile(r"(?:for|to|with|by|suit|entertain|please|amuse|interest|keep)\b", re.I)
_WISHES = re.compile(
    r"\s+(?:really\s+)?(?:wants?|needs?|would|wishes|loves?|likes?|enjoys?|asked)\b"
)

_PLACES = frozenset("in on at around inside".split())
_OWN = frozenset("my our the her his their your".split())

_OTHERS = {"female": "men", "male": "women"}  # whose things are not for them

Kind = Literal[
    "amount", "price", "audience", "adult", "years", "title", "stock", "aside", "cost", "free"
]


@dataclass(frozen=True)
class _Told:
    """Something read at characters, whatever the clause around it says."""

    start: int
    end: int
    kind: Kind
    value: str = ""
    low: float | None = None
    high: float | None = None
    age: int = 0
    stated: bool = True
    gender: str = ""


class EnglishProductReader:
    """Reader of English text in the vocabulary of one catalog of products.

    Args:
        catalog: whose types, words, brands and titles are matched.
        counts: of several items of one title, the most liked is meant.
        vocabulary: of the catalog.
    """

    def __init__(self, catalog: Catalog, counts: Counts, vocabulary: ProductVocabulary) -> None:
        self._catalog, self._vocabulary = catalog, vocabulary
        prices = [item.price for item in catalog if item.price is not None]
        self._highest = max(prices, default=None)
        self._units = numeric_attributes(catalog)
        self._sizes = size_values(sampled(catalog))
        self._latest = latest_year(catalog)
        lexicon = Lexicon("en", (), self._latest)
        self._none = lexicon
        self._polarity = PolarityReader(
            lexicon,
            {
                "reject": phrases("reject"),
                "harmless": phrases("harmless"),
                "neutral": phrases("neutral"),
            },
        )
        self._titles = TitleSpotter(
            catalog, counts, common_words(lexicon), lambda form: False, lambda form: False
        )
        self._links = LinkWords(
            *(
                frozenset(lexicon.words(f"words.{n}"))
                for n in ("fillers", "together", "either", "both")
            )
        )
        self._costs: PhraseIndex[str] = PhraseIndex(
            (phrase, side) for side in ("low", "high") for phrase in phrases(side, "prices")
        )
        self._parser = PhraseParser(vocabulary, ProductLexicon.english())

    def read(self, text: str) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and its wanted text without prices and recipients."""
        spans = self._spans(text)
        tokens, spelled = self._tokens(text)
        starts = [token.start for token in tokens]
        taken = [False] * len(tokens)
        mentions = []
        for span in spans:
            first, after = _tokens_of(span, tokens, starts)
            taken[first:after] = [True] * (after - first)
            if after > first and span.kind != "aside":
                mentions.append(
                    Mention(first, after, audience=span.kind != "title", title=span.kind == "title")
                )
        used = list(taken)
        for mark in self._polarity.marks_in(
            text, tokens, sorted(mentions, key=lambda m: m.first)
        ).values():
            if mark.value != "resume":
                used[mark.first : mark.after] = [True] * (mark.after - mark.first)
        found = self._parser.parse(text, tokens, taken, used)
        for phrase in found:
            mentions.append(Mention(phrase.first, phrase.after, noun=phrase.is_type))
        clauses = self._polarity.clauses(text, tokens, sorted(mentions, key=lambda m: m.first))
        begins = [clause.start for clause in clauses]

        def clause_at(start: int) -> Clause:
            return clauses[max(0, bisect_right(begins, start) - 1)] if clauses else Clause(0, 1, 1)

        forms = [token.form for token in tokens]
        refused = [p.first for p in found if clause_at(tokens[p.first].start).polarity < 0]

        def clause_of(phrase: Phrase) -> Clause:
            clause = clause_at(tokens[phrase.first].start)
            if clause.polarity < 0 and _is_place(phrase, forms, refused):
                return clause._replace(polarity=1)  # "no plastic in my kitchen"
            return clause

        draft = ReadingDraft(text, self._none)
        asked = any(p.role == "asked" and clause_of(p).polarity > 0 for p in found)
        spans = [s for s in spans if not (asked and s.kind == "audience" and _is_told_of(s, text))]
        for span in spans:
            self._add_span(draft, span, clause_at(span.start).polarity >= 0)
        self._leave_out_pets(draft, spans, found)
        for size in find_sizes(text):
            self._add_size(draft, size)
        for phrase in self._parser.with_roles(found, lambda p: clause_of(p).polarity):
            place = tokens[phrase.first].start, tokens[phrase.after - 1].end
            self._add_phrase(draft, phrase, place, clause_of(phrase))
        gaps = [text[a.end : b.start] for a, b in zip(tokens, tokens[1:], strict=False)]
        pieces = draft.pieces(lambda a, b: _apart(self._links.link(a, b, forms, gaps)))
        asides = [s for s in spans if s.kind not in ("title", "free")]
        # A text of nothing but recipients and occasions is compared as it stands.
        rest = wanted_text(_blanked(text, asides), clauses) or wanted_text(text, clauses)
        for word, meant in spelled.items():
            rest = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", meant, rest)
        return pieces, rest

    def spelled(self, text: str) -> dict[str, str]:
        """Misspelt words of a text, with the words that they are read as."""
        return self._tokens(text)[1]

    def _tokens(self, text: str) -> tuple[list[Token], dict[str, str]]:
        """Tokens of a text with misspelt words corrected, and these words."""
        tokens, spelled = tokenise(text), dict[str, str]()
        for n, token in enumerate(tokens):
            form = self._vocabulary.spelled(token.form)
            if form != token.form:
                tokens[n] = token._replace(form=form)
                spelled[text[token.start : token.end]] = form
        return tokens, spelled

    def _spans(self, text: str) -> list[_Told]:
        """Examples, prices, ages, recipients, occasions, years and stock, without overlaps."""
        out: list[_Told] = []

        def keep(found: Iterable[_Told]) -> None:
            for one in found:
                if all(one.end <= o.start or one.start >= o.end for o in out):
                    out.append(one)

        keep(
            _Told(t.start, t.end, "title", t.item_id)
            for t in find_examples(text, self._titles, self._catalog)
        )
        # "for teenagers, between fifteen and thirty euros": the amounts of a currency are no ages.
        named = (p for p in find_prices(text, None) if p.usable)
        keep(_Told(p.start, p.end, "price", low=p.low, high=p.high) for p in named)
        ages = find_audience(masked(text, sorted(out, key=lambda s: s.start)))
        keep(_Told(a.start, a.end, "audience", age=a.age, stated=a.stated) for a in ages)
        keep(_Told(m.start(), m.end(), "audience", age=0) for m in _NEWBORN.finditer(text))
        if not any(s.kind == "audience" for s in out):
            keep(
                _Told(m.start(), m.end(), "audience", age=int(m["n"]))
                for m in _YEARS.finditer(text)
                if int(m["n"]) < _GROWN_UP
            )
        rest = masked(text, sorted(out, key=lambda s: s.start))
        amounts = list(find_amounts(rest, self._units))
        keep(_Told(a.start, a.end, "amount", a.attribute, a.low, a.high) for a in amounts)
        rest = masked(text, sorted(out, key=lambda s: s.start))
        prices = find_prices(rest, self._highest)
        keep(_Told(p.start, p.end, "price", low=p.low, high=p.high) for p in prices)
        keep(_Told(m.start(), m.end(), "stock") for m in _STOCK.finditer(text))
        keep(self._cost_words(text))
        for pattern in (_FREE, _NON):
            keep(_Told(m.start(), m.end(), "free", m["what"]) for m in pattern.finditer(text))
        rest = masked(text, sorted(out, key=lambda s: s.start))
        child = any(s.kind == "audience" for s in out)
        for r in find_recipients(rest):
            if r.diet[1] > 0:
                keep(
                    [
                        _Told(r.start, r.diet[0], "aside"),
                        _Told(r.diet[1], r.end, "adult", age=r.age),
                    ]
                )
            kind: Kind = "aside" if child else "adult"
            keep([_Told(r.start, r.end, kind, r.group, age=r.age, gender=r.gender)])
        told = child or any(s.kind == "adult" for s in out)
        for aside in find_asides(rest):
            kinds: dict[str, Kind] = {} if told else {"adult": "adult", "baby": "audience"}
            kind = kinds.get(aside.audience, "aside")
            age = ADULT if kind == "adult" else 0
            keep([_Told(aside.start, aside.end, kind, age=age, stated=False)])
        rest = masked(text, sorted(out, key=lambda s: s.start))
        if self._latest is not None:
            keep(
                _Told(y.start, y.end, "years", low=y.first, high=y.last)
                for y in find_years(rest, self._latest)
            )
        return sorted(out, key=lambda s: s.start)

    def _cost_words(self, text: str) -> Iterable[_Told]:
        tokens = tokenise(text)
        for found in self._costs.find([token.form for token in tokens]):
            yield _Told(tokens[found.first].start, tokens[found.after - 1].end, "cost", found.value)

    def _add_span(self, draft: ReadingDraft, span: _Told, wanted: bool) -> None:
        place = span.start, span.end
        if span.kind == "title":
            draft.title(span.value, place, wanted=wanted)
        elif span.kind == "price" and (span.low is not None or span.high is not None):
            draft.price(span.low, span.high, price_text(span.low, span.high), place)
        elif span.kind == "amount":
            value = f"{price_text(span.low, span.high)} {span.value.replace('_', ' ')}"
            draft.amount(span.value, span.low, span.high, value, place)
        elif span.kind == "cost" and self._highest is not None:
            draft.price(None, None, span.value, place)
        elif span.kind == "audience" and not wanted and span.age < CHILD:
            draft.adult(ADULT, place)
        elif span.kind == "audience":
            draft.audience(span.age, place, wanted=wanted, stated=span.stated)
        elif span.kind == "adult":
            draft.adult(span.age, place)
            if span.value:
                draft.fact(("term", span.value, None), place, wanted=True, strict=True)
            if other := _OTHERS.get(span.gender):
                draft.fact(("term", other, None), place, wanted=False, strict=False)
        elif span.kind == "stock":
            draft.fact(("attribute", "in stock", "available"), place, wanted=True, strict=True)
        elif span.kind == "free":
            draft.fact(("term", span.value.casefold(), None), place, wanted=False, strict=True)
            draft.fact(
                ("term", f"{span.value.casefold()}-free", None), place, wanted=True, strict=True
            )
        elif span.kind == "years":
            first, last = (None if y is None else int(y) for y in (span.low, span.high))
            draft.years(first, last, place, wanted=wanted)

    def _add_size(self, draft: ReadingDraft, size: NamedSize) -> None:
        """What has a size among its values, or is named with it: "Football Size 5"."""
        values: list[Value] = [("attribute", v, n) for n, v in fitting(size.size, self._sizes)]
        values.append(("term", f"size {size.size}", None))
        if len(values) > 1 or self._vocabulary.knows("size"):
            at = size.start, size.end
            draft.wish(values, at, at, strict=True, noun=False)

    def _leave_out_pets(
        self, draft: ReadingDraft, spans: Sequence[_Told], found: Sequence[Phrase]
    ) -> None:
        """For a person, what is for pets comes last, unless the text speaks of them."""
        person = next((s for s in spans if s.kind in ("adult", "audience")), None)
        if person is None or any(self._vocabulary.pets.intersection(p.stems) for p in found):
            return
        for name in self._vocabulary.for_pets:
            value: Value = ("category", name, None)
            draft.fact(value, (person.start, person.end), wanted=False, strict=False)

    def _add_phrase(
        self, draft: ReadingDraft, phrase: Phrase, place: tuple[int, int], clause: Clause
    ) -> None:
        if clause.polarity == 0:
            return
        if clause.polarity > 0:
            if phrase.role in ("asked", "quality", "topic"):
                at = phrase.first, phrase.after
                noun, strict = phrase.role == "asked", phrase.strict
                draft.wish(phrase.values, place, at, strict=strict, noun=noun)
                draft.prefer(self._parser.categories(phrase), place)
                draft.prefer([v for v in phrase.values if v[0] == "attribute"], place)
            return
        for value in phrase.rejected:
            draft.fact(value, place, wanted=False, strict=not clause.mild)
        for name in phrase.lacked:
            draft.fact(("term", f"{name}-free", None), place, wanted=True, strict=False)


def _is_told_of(span: _Told, text: str) -> bool:
    """Whether a guessed child only tells why: "snacks, but my daughter is allergic to nuts".

    What is for the child names it so: "for my daughter", "my daughter wants".
    """
    if span.stated or _RECEIVES.match(text[span.start : span.end]):
        return False
    return not _WISHES.match(text, span.end)


def _is_place(phrase: Phrase, forms: Sequence[str], refused: Sequence[int]) -> bool:
    """Whether a phrase only says where something rejected before it is: "in my kitchen"."""
    at = phrase.first
    located = at > 1 and forms[at - 2] in _PLACES and forms[at - 1] in _OWN
    return located and any(first < at - 2 for first in refused)


def _apart(link: Link) -> Link:
    """Things and qualities hold together by being listed only: "red or blue"."""
    return "loose" if link == "tight" else link


def _tokens_of(span: _Told, tokens: Sequence[Token], starts: Sequence[int]) -> tuple[int, int]:
    """First token of a span, and the token after it."""
    first = max(0, bisect_right(starts, span.start) - 1)
    if tokens and tokens[first].end <= span.start:
        first += 1
    return first, bisect_right(starts, span.end - 1)


def _blanked(text: str, spans: Sequence[_Told]) -> str:
    """The text with spans replaced by blanks, at equal length."""
    for span in spans:
        text = f"{text[: span.start]}{' ' * (span.end - span.start)}{text[span.end :]}"
    return text
