"""Reading of English requests for products by rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import STOCK
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Piece
from coldstart.understanding.audience import CHILD
from coldstart.understanding.draft import ReadingDraft, Value
from coldstart.understanding.english import wanted_text
from coldstart.understanding.groups import Link, LinkWords
from coldstart.understanding.lexicon import Lexicon
from coldstart.understanding.polarity import Clause, Mention, PolarityReader
from coldstart.understanding.products.flags import kids_columns
from coldstart.understanding.products.forms import stem
from coldstart.understanding.products.lexicon import ProductLexicon, phrases
from coldstart.understanding.products.people import ADULT
from coldstart.understanding.products.phrases import Phrase, PhraseParser
from coldstart.understanding.products.prices import price_text
from coldstart.understanding.products.sizes import fitting, size_values
from coldstart.understanding.products.told import Told, ToldFinder
from coldstart.understanding.products.vocabulary import ProductVocabulary, sampled
from coldstart.understanding.titles import TitleSpotter
from coldstart.understanding.tokens import Token, tokenise
from coldstart.understanding.vocabulary import common_words, latest_year

_LEAD_IN = 4  # words before asking words that belong to them ("hi there, I am looking for")
_BREAKS = re.compile(r"[.,;:!…]\s+|\s(?:and|but|so)\s")
_RECEIVES = re.compile(r"(?:for|to|with|by|suit|entertain|please|amuse|interest|keep)\b", re.I)
_WISHES = re.compile(
    r"\s+(?:really\s+)?(?:wants?|needs?|would|wishes|loves?|likes?|enjoys?|asked)\b"
)

_PLACES = frozenset("in on at around inside".split())
_OWN = frozenset("my our the her his their your".split())
_DENIED = frozenset("dont doesnt didnt wont wouldnt cant cannot couldnt".split())
_RELATIVE = frozenset("that which they it".split())
_DENIALS = (["do", "not"], ["does", "not"], ["will", "not"], ["can", "not"])
_OTHERS = {"female": "men", "male": "women"}  # whose things are not for them


class EnglishProductReader:
    """Reader of English text in the vocabulary of one catalog of products.

    Args:
        catalog: whose types, words, brands and titles are matched.
        counts: of several items of one title, the most liked is meant.
        vocabulary: of the catalog.
    """

    def __init__(self, catalog: Catalog, counts: Counts, vocabulary: ProductVocabulary) -> None:
        self._catalog, self._vocabulary = catalog, vocabulary
        self._sizes = size_values(sampled(catalog))
        lexicon = Lexicon("en", (), latest_year(catalog))
        self._none = lexicon
        self._polarity = PolarityReader(
            lexicon,
            {
                "reject": phrases("reject"),
                "harmless": phrases("harmless"),
                "neutral": phrases("neutral"),
            },
        )
        titles = TitleSpotter(
            catalog, counts, common_words(lexicon), lambda form: False, lambda form: False
        )
        self._for_kids = kids_columns(sampled(catalog))
        self._told = ToldFinder(catalog, titles)
        self._links = LinkWords(
            *(
                frozenset(lexicon.words(f"words.{n}"))
                for n in ("fillers", "together", "either", "both")
            )
        )
        self._parser = PhraseParser(vocabulary, ProductLexicon.english())

    def read(self, text: str) -> tuple[tuple[Piece, ...], str, dict[str, str]]:
        """Read a text.

        Returns:
            Pieces in its order, its wanted text without prices and recipients, and its misspelt
            words with those that they are read as.
        """
        spans = self._told.find(text)
        tokens, spelled = self._tokens(text)
        starts = [token.start for token in tokens]
        taken = [False] * len(tokens)
        mentions = []
        for span in spans:
            first, after = _tokens_of(span, tokens, starts)
            taken[first:after] = [True] * (after - first)
            if after > first and span.kind != "aside":
                mentions.append(
                    Mention(
                        first,
                        after,
                        audience=span.kind not in ("title", "size"),
                        title=span.kind == "title",
                    )
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
            if clause.polarity < 0 and _is_denied_verb(phrase, forms):
                return clause._replace(polarity=0)
            if clause.polarity < 0 and _is_place(phrase, forms, refused):
                return clause._replace(polarity=1)  # "no plastic in my kitchen"
            return clause

        draft = ReadingDraft(text, self._none)
        asked = any(p.role == "asked" and clause_of(p).polarity > 0 for p in found)
        spans = [s for s in spans if not (asked and s.kind == "audience" and _is_told_of(s, text))]
        for span in spans:
            self._add_span(draft, span, clause_at(span.start).polarity >= 0)
        self._leave_out_pets(draft, spans, found)
        for phrase in self._parser.with_roles(found, lambda p: clause_of(p).polarity):
            place = tokens[phrase.first].start, tokens[phrase.after - 1].end
            if _is_denied_verb(phrase, forms) and _is_of_thing(phrase, forms):
                # whoever writes of it says that it does not
                draft.prefer([("term", f"{phrase.word.casefold()}-free", None)], place)
            self._add_phrase(draft, phrase, place, clause_of(phrase))
        gaps = [text[a.end : b.start] for a, b in zip(tokens, tokens[1:], strict=False)]
        pieces = draft.pieces(lambda a, b: _apart(self._links.link(a, b, forms, gaps)))
        asides = [s for s in spans if s.kind not in ("title", "free", "size")]
        # What is told before "a lamp" says which one; before "something sweet" it distracts.
        story = 0 if asked else self._story(text, tokens, taken)
        if story:
            asides.append(Told(0, story, "aside"))
        # A text of nothing but recipients and occasions is compared as it stands.
        rest = wanted_text(_blanked(text, asides), clauses) or wanted_text(text, clauses)
        for word, meant in spelled.items():
            rest = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", meant, rest)
        return pieces, rest, spelled

    def _story(self, text: str, tokens: Sequence[Token], taken: Sequence[bool]) -> int:
        """Length of a story before the clause that asks; 0 where that clause names nothing."""
        forms = [token.form for token in tokens]
        asking = self._parser.asking(forms, taken)
        if asking is None or asking < _LEAD_IN:
            return 0
        breaks = [m.end() for m in _BREAKS.finditer(text, 0, tokens[asking].start)]
        begin = breaks[-1] if breaks else 0
        stop = ProductLexicon.english().stop
        named = (
            t.form for t, gone in zip(tokens, taken, strict=True) if t.start >= begin and not gone
        )
        tells = any(f not in stop and self._vocabulary.knows(stem(f)) for f in named)
        return begin if tells else 0

    def _tokens(self, text: str) -> tuple[list[Token], dict[str, str]]:
        """Tokens of a text with misspelt words corrected, and these words."""
        tokens, spelled = tokenise(text), dict[str, str]()
        meant = self._vocabulary.spelled([token.form for token in tokens])
        for n, (token, form) in enumerate(zip(tokens, meant, strict=True)):
            if form != token.form:
                tokens[n] = token._replace(form=form)
                spelled[text[token.start : token.end]] = form
        return tokens, spelled

    def _add_span(self, draft: ReadingDraft, span: Told, wanted: bool) -> None:
        place = span.start, span.end
        if span.kind == "title":
            draft.title(span.value, place, wanted=wanted)
        elif span.kind == "price" and (span.low is not None or span.high is not None):
            draft.price(span.low, span.high, price_text(span.low, span.high), place)
        elif span.kind in ("amount", "pace"):
            value = f"{price_text(span.low, span.high)} {span.value.replace('_', ' ')}"
            strict = span.kind == "amount"
            draft.amount(span.value, span.low, span.high, value, place, strict=strict)
        elif span.kind == "count" and wanted:
            words = draft.text[span.start : span.end]
            if span.high is not None:
                draft.amount(span.most, span.high, None, words, place, strict=span.stated)
            if span.low is not None:
                draft.amount(span.value, None, span.low, words, place, strict=span.stated)
        elif span.kind == "cost" and self._told.priced:
            draft.price(None, None, span.value, place)
        elif span.kind == "audience" and not wanted and span.age < CHILD:
            draft.adult(ADULT, place)
        elif span.kind == "audience":
            draft.audience(span.age, place, wanted=wanted, stated=span.stated)
            if wanted and span.age < CHILD:
                draft.prefer(self._for_kids, place)
        elif span.kind == "adult":
            draft.adult(span.age, place)
            if span.value:
                draft.fact(("term", span.value, None), place, wanted=True, strict=True)
            if other := _OTHERS.get(span.gender):
                draft.fact(("term", other, None), place, wanted=False, strict=False)
        elif span.kind == "stock":
            draft.fact(("attribute", "in stock", STOCK), place, wanted=True, strict=True)
        elif span.kind == "size":
            self._add_size(draft, span)
        elif span.kind == "free":
            name, strict = span.value.casefold(), span.stated
            draft.fact(("term", name, None), place, wanted=False, strict=strict)
            draft.fact(("term", f"{name}-free", None), place, wanted=True, strict=strict)
        elif span.kind == "years":
            first, last = (None if y is None else int(y) for y in (span.low, span.high))
            draft.years(first, last, place, wanted=wanted)

    def _add_size(self, draft: ReadingDraft, span: Told) -> None:
        """What has a size among its values, or is named with it: "Football Size 5"."""
        values: list[Value] = [("attribute", v, n) for n, v in fitting(span.value, self._sizes)]
        values.append(("term", f"size {span.value}", None))
        if len(values) > 1 or self._vocabulary.knows("size"):
            at = span.start, span.end
            draft.wish(values, at, at, strict=True, noun=False)

    def _leave_out_pets(
        self, draft: ReadingDraft, spans: Sequence[Told], found: Sequence[Phrase]
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
            for value in phrase.demoted:
                draft.fact(value, place, wanted=False, strict=False)
            return
        for value in phrase.rejected:
            draft.fact(value, place, wanted=False, strict=not clause.mild)
        for name in phrase.lacked:
            draft.fact(("term", f"{name}-free", None), place, wanted=True, strict=False)
        if phrase.instead:
            draft.prefer([("term", word, None) for word in phrase.instead], place)


def _is_told_of(span: Told, text: str) -> bool:
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


def _is_denied_verb(phrase: Phrase, forms: Sequence[str]) -> bool:
    """Whether a word stands right after "do not", as verbs do: it names nothing to leave out."""
    before = list(forms[max(0, phrase.first - 2) : phrase.first])
    return bool(before) and (before[-1] in _DENIED or before in _DENIALS)


def _is_of_thing(phrase: Phrase, forms: Sequence[str]) -> bool:
    """Whether a denied verb is what a thing is not to do: "that don't fall out"."""
    subjects = forms[max(0, phrase.first - 3) : phrase.first - 1]
    return any(form in _RELATIVE for form in subjects)


def _apart(link: Link) -> Link:
    """Things and qualities hold together by being listed only: "red or blue"."""
    return "loose" if link == "tight" else link


def _tokens_of(span: Told, tokens: Sequence[Token], starts: Sequence[int]) -> tuple[int, int]:
    """First token of a span, and the token after it."""
    first = max(0, bisect_right(starts, span.start) - 1)
    if tokens and tokens[first].end <= span.start:
        first += 1
    return first, bisect_right(starts, span.end - 1)


def _blanked(text: str, spans: Sequence[Told]) -> str:
    """The text with spans replaced by blanks, at equal length."""
    for span in spans:
        text = f"{text[: span.start]}{' ' * (span.end - span.start)}{text[span.end :]}"
    return text
