"""Reading of English requests by rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import MINUTES
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Piece
from coldstart.understanding.audience import NamedAudience, find_audience
from coldstart.understanding.draft import ReadingDraft
from coldstart.understanding.durations import (
    NamedDuration,
    find_durations,
    find_short,
    has_durations,
)
from coldstart.understanding.groups import LinkWords
from coldstart.understanding.languages import LanguageSpotter, NamedLanguage
from coldstart.understanding.lexicon import Lexicon, Sense, flat
from coldstart.understanding.polarity import Clause, Mention, PolarityReader
from coldstart.understanding.products.amounts import (
    NamedAmount,
    find_amounts,
    numeric_attributes,
)
from coldstart.understanding.products.prices import price_text
from coldstart.understanding.rejected import is_content, rejected_phrases
from coldstart.understanding.shapes import Idiom, find_idioms
from coldstart.understanding.titles import NamedTitle, TitleSpotter
from coldstart.understanding.tokens import Token, tokenise
from coldstart.understanding.topics import MASK, NOUN_MASK, NamedTopic, find_topics
from coldstart.understanding.vocabulary import (
    category_names,
    common_words,
    corrector,
    english_phrases,
    latest_year,
)
from coldstart.understanding.years import NamedYears, find_years, made_then

_MARKS = " .,;:!?"
_MARK_WORDS = 4  # of a mark of rejection: "but I don't want"
_JOINING = frozenset("but although though and or i so with".split())
_DATED = re.compile(r"\(\s*(?:1[89]|20)\d\d\s*\)")

Span = NamedTitle | NamedAudience | NamedYears | NamedDuration | NamedLanguage | NamedAmount
Meaning = Span | Sense


@dataclass(frozen=True)
class _Meant:
    """A mention with its meaning and character span."""

    mention: Mention
    start: int
    end: int
    meaning: Meaning


class EnglishReader:
    """Reader of English text in the vocabulary of one catalog.

    Args:
        catalog: whose categories, titles and attribute values are matched.
        counts: of several items of one title, the most liked is meant.
    """

    def __init__(self, catalog: Catalog, counts: Counts) -> None:
        self._latest = latest_year(catalog)
        self._timed = has_durations(catalog)
        units = numeric_attributes(catalog).items()
        self._units = {unit: name for unit, name in units if name != MINUTES}
        lexicon = Lexicon("en", category_names(catalog), self._latest)
        self._phrases = english_phrases(catalog, lexicon)
        self._spelling = corrector(catalog, lexicon, self._phrases)
        self._polarity = PolarityReader(lexicon)
        self._common = common = common_words(lexicon)
        self._languages = LanguageSpotter(catalog, self._is_kind)
        self._titles = TitleSpotter(catalog, counts, common, self._is_known, self._is_direct)
        self._links = LinkWords(
            *(
                frozenset(lexicon.words(f"words.{n}"))
                for n in ("fillers", "together", "either", "both")
            )
        )
        self._lexicon = lexicon

    def read(self, text: str) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and the text without its rejected clauses."""
        tokens = tokenise(text)
        meant = self._meant(text, tokens)
        clauses = self._polarity.clauses(text, tokens, [m.mention for m in meant])
        draft = ReadingDraft(text, self._lexicon, dated=made_then(text))
        starts = [clause.start for clause in clauses]
        wanted = {
            value
            for one in meant
            if isinstance(one.meaning, Sense)
            and clauses[max(0, bisect_right(starts, one.start) - 1)].polarity > 0
            for value in flat(one.meaning.want)
        }
        for one in meant:
            clause = clauses[max(0, bisect_right(starts, one.start) - 1)]
            if isinstance(one.meaning, NamedDuration | NamedAmount) and not _is_rejected(
                one.meaning, text[clause.start : one.start]
            ):
                clause = clause._replace(polarity=1)  # "without blood, under two hours"
            if clause.polarity < 0 and _is_narrowed(one, tokens, meant, clause, wanted):
                continue  # "we want to laugh, but no stupid humour" rejects what is stupid
            _add(draft, one, clause)
        mentions = [m.mention for m in meant]
        found = self._polarity.marks_in(text, tokens, mentions).values()
        marks = [(mark.first, mark.after) for mark in found]
        mentioned = {n for m in mentions for n in range(m.first, m.after)}
        for first, after in rejected_phrases(tokens, clauses, marks, mentioned):
            draft.phrase((tokens[first].start, tokens[after - 1].end))
        for topic in self._topics(text, meant):
            clause = clauses[max(0, bisect_right(starts, topic.start) - 1)]
            if clause.polarity >= (0 if topic.setting else 1):  # years of a setting are not read
                draft.topic((topic.start, topic.end), named=topic.named)
        gaps = [text[a.end : b.start] for a, b in zip(tokens, tokens[1:], strict=False)]
        forms = [token.form for token in tokens]
        pieces = draft.pieces(lambda a, b: self._links.link(a, b, forms, gaps))
        return pieces, wanted_text(text, clauses)

    def _topics(self, text: str, meant: Sequence[_Meant]) -> list[NamedTopic]:
        """What the text is about: named as a topic, or by a noun that stands for no kind of film.

        "Boxing" stands for drama, as a guess, and is a topic beside that.
        """
        other = [m for m in meant if not isinstance(m.meaning, Sense) or m.meaning.strict]
        nouns = [m for m in other if isinstance(m.meaning, Sense) and m.meaning.noun]
        rest = masked(masked(text, other), nouns, NOUN_MASK)
        found = list(find_topics(rest, self._is_kind, self._is_plain))
        for m in meant:
            inside = any(t.start < m.end and m.start < t.end for t in found)
            if isinstance(m.meaning, Sense) and m.meaning.is_topic and not inside:
                found.append(NamedTopic(m.start, m.end, named=False))
        return sorted(found)

    def _is_known(self, form: str) -> bool:
        return self._phrases.get(form) is not None

    def _is_plain(self, form: str) -> bool:
        """Whether a word has a meaning of its own, or is a word of everyday."""
        return form in self._phrases or form in self._common

    def _is_kind(self, form: str) -> bool:
        """Whether words name a kind of film outright: "thriller", and not "mafia"."""
        sense = self._phrases.get(form)
        return sense is not None and sense.strict and sense.kind == "category"

    def _is_direct(self, form: str) -> bool:
        sense = self._phrases.get(form)
        return sense is not None and sense.direct

    def _meant(self, text: str, tokens: list[Token]) -> list[_Meant]:
        """What the text mentions, in order, without overlaps."""
        titles = self._titles.find(text)
        rest = masked(text, titles)
        rest = _DATED.sub(lambda m: "\x00" * len(m[0]), rest)
        idioms = find_idioms(rest)
        rest = masked(rest, idioms)
        audiences = find_audience(rest)
        rest = masked(rest, audiences)
        years = list(find_years(rest, self._latest))
        durations = []
        if self._timed:
            durations = list(find_durations(masked(rest, years)))
            durations += [] if durations else find_short(rest)
        amounts = find_amounts(masked(rest, years), self._units) if self._units else ()
        starts = [token.start for token in tokens]
        taken = [False] * len(tokens)
        out = []
        spans: list[Span | Idiom] = [
            *titles,
            *audiences,
            *years,
            *durations,
            *amounts,
            *self._languages.find(masked(rest, years)),
            *idioms,
        ]
        for span in spans:
            first = max(0, bisect_right(starts, span.start) - 1)
            if tokens[first].end <= span.start:
                first += 1
            after = bisect_right(starts, span.end - 1)
            taken[first:after] = [True] * (after - first)
            if isinstance(span, Idiom):
                continue
            mention = Mention(
                first,
                after,
                audience=isinstance(span, NamedAudience),
                title=isinstance(span, NamedTitle),
            )
            out.append(_Meant(mention, span.start, span.end, span))
        forms = [self._spelling.correct(token.form) for token in tokens]
        for found in self._phrases.find(forms, taken):
            if found.value is not None:
                mention = Mention(found.first, found.after, noun=found.value.noun)
                start, end = tokens[found.first].start, tokens[found.after - 1].end
                out.append(_Meant(mention, start, end, found.value))
        return sorted(out, key=lambda m: m.start)


def _is_rejected(duration: NamedDuration | NamedAmount, between: str) -> bool:
    """Whether a duration is part of the rejection in whose clause it stands.

    A long one is: "I don't want to watch anything longer than two hours". An upper limit is, if the
    words before it are the mark of the rejection alone: "nothing under an hour".

    Args:
        duration: the duration, or another amount.
        between: from the start of the clause to the duration.
    """
    words = between.casefold().split()
    if "," in between or "and" in words[1:]:
        return False
    return duration.low is not None or len(words) <= _MARK_WORDS


def _is_narrowed(
    one: _Meant,
    tokens: Sequence[Token],
    meant: Sequence[_Meant],
    clause: Clause,
    wanted: AbstractSet[str],
) -> bool:
    """Whether a rejected phrase is wanted elsewhere, and stands here after a word of its own.

    Args:
        one: the phrase.
        tokens: of the text.
        meant: what the text mentions.
        clause: of the phrase.
        wanted: values that are wanted elsewhere in the text.
    """
    before = one.mention.first - 1
    if not isinstance(one.meaning, Sense) or not wanted & set(flat(one.meaning.want)):
        return False
    free = all(not m.mention.first <= before < m.mention.after for m in meant)
    inside = before >= 0 and tokens[before].start > clause.start
    return free and inside and is_content(tokens[before].form)


def _add(draft: ReadingDraft, one: _Meant, clause: Clause) -> None:
    meaning, span = one.meaning, (one.start, one.end)
    if clause.polarity == 0:
        return
    wanted = clause.polarity > 0
    if isinstance(meaning, NamedTitle):
        draft.title(meaning.item_id, span, wanted=wanted)
    elif isinstance(meaning, NamedAudience):
        draft.audience(meaning.age, span, wanted=wanted, stated=meaning.stated)
    elif isinstance(meaning, NamedYears):
        draft.years(meaning.first, meaning.last, span, wanted=wanted)
    elif isinstance(meaning, NamedLanguage):
        draft.language(
            meaning.values,
            span,
            wanted=wanted,
            english=meaning.english,
            animated=meaning.animated,
        )
    elif isinstance(meaning, NamedDuration):
        draft.duration(meaning.low, meaning.high, span, wanted=wanted, stated=meaning.stated)
    elif isinstance(meaning, NamedAmount):
        low, high = meaning.low, meaning.high
        if not wanted:  # "nothing over 500 pages" are at most 500
            low, high = high, low
        if wanted or low is None or high is None:
            text = f"{price_text(low, high)} {meaning.attribute.replace('_', ' ')}"
            draft.amount(meaning.attribute, low, high, text, span)
    else:
        at = one.mention.first, one.mention.after
        draft.sense(meaning, span, at, wanted=wanted, mild=clause.mild)
        if not wanted and not meaning.strict and not meaning.tone:
            draft.phrase(span)  # "no zombies" rejects more than the category it stands for


class _Spanned(Protocol):
    """Characters of a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def masked(text: str, spans: Iterable[_Spanned], mask: str = MASK) -> str:
    """The text with spans blanked out by control characters, at equal length."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], mask * (span.end - span.start)]
        at = span.end
    return "".join([*parts, text[at:]])


def wanted_text(text: str, clauses: Sequence[Clause]) -> str:
    """The text of the clauses that are not rejected, without stray conjunctions."""
    kept = (_trimmed(text[c.start : c.end]) for c in clauses if c.polarity >= 0)
    return ", ".join(part for part in kept if any(c.isalnum() for c in part))


def _trimmed(clause: str) -> str:
    words = clause.strip(_MARKS).split()
    while words and words[-1].casefold().strip(_MARKS) in _JOINING:
        words.pop()
    while words and words[0].casefold().strip(_MARKS) in ("but", "although", "though", "and", "or"):
        words.pop(0)
    return " ".join(words).strip(_MARKS)
