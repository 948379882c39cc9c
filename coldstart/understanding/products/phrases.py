"""Noun phrases of a request for products: what is asked for, its qualities, and what it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from coldstart.understanding.draft import Value
from coldstart.understanding.products.forms import stem
from coldstart.understanding.products.item_words import term_of
from coldstart.understanding.products.lexicon import (
    ProductLexicon,
    Term,
    covered,
    kinds,
    phrases,
    synonyms,
    table,
)
from coldstart.understanding.products.vocabulary import ProductVocabulary
from coldstart.understanding.tokens import PhraseIndex, Token, phrase_form

Role = Literal["asked", "quality", "topic", "none"]
Mode = Literal["asked", "away", "clause", "interest"]
_HARD = re.compile(r"[.!?;:…\n—–]|\s-+\s")
_DETERMINERS = frozenset("a an some any new another few".split())
_OPENING = frozenset(  # of clauses, which tell what something does
    "to that which who whose where because since if so while when on at during".split()
)
_SUBJECTS = frozenset("that i im ill id we he she they it its my our you much many far as".split())
_LONGEST_TYPE = 3  # words
_MODALS = frozenset("can could will would should might must cant wont".split())
"""Words before a verb, which names nothing: "a game that two can play"."""
_ACCESSORIES = frozenset(("accessory", "accessories"))
_BEFORE_VALUES = frozenset("of or and nor no without with in".split())
_SHORT = 6  # words of a text that is a wish by itself ("something warm for the garden")
_LEAD_IN = 3  # words before asking words that belong to them ("hi, I am looking for")


@dataclass(frozen=True)
class Phrase:
    """One word, or one value of an attribute, in a request.

    Args:
        first: its first token.
        after: the token after it.
        stems: its comparison form.
        word: as it is written.
        role: ``asked``: the thing that is asked for; ``quality``: what it is like; ``topic``: what
            it is for or about; ``none``: not used where it is wanted.
        is_type: whether things of the catalog are of this type.
        values: what it stands for where it is wanted.
        rejected: what it stands for where it is rejected.
        lacked: words that items may be said to be free of.
        instead: words of what is wanted where it is rejected: "wireless", of a cable.
        demoted: what is not meant although its word is: phones, of "phone accessories".
        strict: whether its wish counts as stated outright.
        owned: whether somebody has it already.
    """

    first: int
    after: int
    stems: Term
    word: str
    role: Role = "none"
    is_type: bool = False
    values: tuple[Value, ...] = ()
    rejected: tuple[Value, ...] = ()
    lacked: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    demoted: tuple[Value, ...] = ()
    strict: bool = True
    owned: bool = False


class PhraseParser:
    """Finder of what a request asks for, by word order and the catalog's vocabulary.

    Args:
        vocabulary: of the catalog.
        lexicon: of the language.
    """

    def __init__(self, vocabulary: ProductVocabulary, lexicon: ProductLexicon) -> None:
        self._vocabulary, self._lexicon = vocabulary, lexicon
        self._asks: PhraseIndex[Mode] = PhraseIndex((p, "asked") for p in phrases("ask"))
        for phrase in phrases("interest"):
            self._asks.add(phrase, "interest")
        self._idioms: PhraseIndex[str] = PhraseIndex(table("idioms").items())

    def parse(
        self, text: str, tokens: Sequence[Token], taken: Sequence[bool], marks: Sequence[bool]
    ) -> list[Phrase]:
        """Phrases of a text in order; roles as if nothing were rejected.

        Args:
            text: the request.
            tokens: its tokens.
            taken: tokens of prices, recipients and so on.
            marks: these, and tokens that reject something.
        """
        forms = [token.form for token in tokens]
        cues = {m.first: m for m in self._asks.find(forms, list(taken))}
        values = {m.first: m for m in self._vocabulary.values.find(forms, list(marks))}
        for m in self._vocabulary.stopped.find(forms, list(marks)):
            if self._names_value(text, tokens, m.first, marks):
                values.setdefault(m.first, m)
        idioms = {m.first: m for m in self._idioms.find(forms, list(marks))}
        out: list[Phrase] = []
        run: list[Phrase] = []
        mode: Mode = "asked"
        owned = False
        at = 0

        def close() -> None:
            nonlocal owned
            out.extend(self._resolved(run, mode, owned))
            run.clear()
            owned = False

        while at < len(tokens):
            gap = text[tokens[at - 1].end : tokens[at].start] if at else ""
            if at and _HARD.search(gap):
                close()
                mode = "asked"
            elif at and "," in gap:
                close()
                if forms[at] in _DETERMINERS or mode == "interest" and at in cues:
                    mode = "asked"
            mark = cues.get(at)
            if taken[at]:
                close()
                at += 1
            elif marks[at] and mark is None:
                close()
                at += 1
            elif mark is not None and not (forms[at] == "like" and not self._likes(forms, at)):
                close()
                mode = mark.value
                at = mark.after
            elif (idiom := idioms.get(at)) is not None and self._vocabulary.is_type(
                stem(idiom.value)
            ):
                run.append(Phrase(at, idiom.after, (stem(idiom.value),), idiom.value))
                at = idiom.after
            elif (value := values.get(at)) is not None:
                word = text[tokens[at].start : tokens[value.after - 1].end]
                word = self._vocabulary.category_named(word, value.value)
                stems = term_of(word)
                run.append(Phrase(at, value.after, stems, word, values=value.value))
                at = value.after
            elif forms[at] in self._lexicon.possessive:
                close()
                owned, at = True, at + 1
            elif forms[at] == "so" and _names_next(forms, at):
                close()
                at += 1
            elif forms[at] in self._lexicon.away:
                close()
                if forms[at] in _OPENING:
                    mode = "clause" if mode != "interest" else mode
                elif forms[at] not in ("like", "than", "as") and (
                    mode == "asked" or forms[at] == "for"
                ):
                    mode = "away"
                at += 1
            elif (
                (at and forms[at - 1] in _MODALS and gap.isspace())
                or not any(c.isalpha() for c in forms[at])
                or stem(forms[at]) in self._lexicon.stop
                or forms[at] in self._lexicon.stop
                or self._is_generic(forms[at])
            ):
                if run and self._is_generic(forms[at]) and gap.isspace():
                    out.extend(self._resolved(run, mode, owned, thing=False))
                    if forms[at] in _ACCESSORIES and out[-1].is_type:
                        out[-1] = replace(out[-1], demoted=self._type(out[-1]))
                    run.clear()
                if forms[at] == "of" and run and self._measures(run[-1], forms, at):
                    run.clear()  # "a hot cup of something", "a box of chocolates"
                if forms[at] not in ("new", "good", "nice", "best", "quality"):
                    close()
                at += 1
            else:
                word = text[tokens[at].start : tokens[at].end]
                word = word if phrase_form(word) == forms[at] else forms[at]
                run.append(Phrase(at, at + 1, (stem(word),), word))
                at += 1
        close()
        asking = self.asking(forms, taken)
        if asking is None and forms and forms[0] in _DETERMINERS:
            asking = 0  # "an easy pasta dish that …"
        return _told(out, asking, taken.count(False))

    def asking(self, forms: Sequence[str], taken: Sequence[bool]) -> int | None:
        """The first token of the first asking words, "something" and "a gift" among them.

        Args:
            forms: comparison forms of a request's tokens.
            taken: tokens of prices, recipients and so on.
        """
        cues = (m.first for m in self._asks.find(list(forms), list(taken)) if m.value == "asked")
        things = (n for n, form in enumerate(forms) if self._is_generic(form))
        return min((*cues, *things), default=None)

    def with_roles(
        self, found: Sequence[Phrase], polarity: Callable[[Phrase], int]
    ) -> list[Phrase]:
        """Phrases as they are used, once it is known what is rejected.

        Of rejected words next to each other the last type takes the others along: "no plastic
        toys" rejects toys that are of plastic. Where nothing is asked for, what somebody has and
        wants to replace is.
        """
        out: list[Phrase] = []
        run: list[Phrase] = []
        for phrase in found:
            if polarity(phrase) >= 0:
                out += self._refused(run)
                run = []
                out.append(phrase)
                continue
            if run and run[-1].after != phrase.first:
                out += self._refused(run)
                run = []
            run.append(phrase)
        out += self._refused(run)
        asked = any(p.role == "asked" and polarity(p) > 0 for p in out)
        if not asked and any(p.stems[-1] in self._lexicon.replace for p in out):
            owned = [p for p in out if p.owned and p.is_type and polarity(p) >= 0][:1]
            asked_for = [replace(p, role="asked", values=self._type(p)) for p in owned]
            out = [asked_for[0] if p in owned else p for p in out]
        return out

    def categories(self, phrase: Phrase) -> tuple[Value, ...]:
        """Categories of a phrase's very name, then of its last word's."""
        known = self._vocabulary.categories
        found = (*known.get(phrase.stems, ()), *known.get(phrase.stems[-1:], ()))
        return tuple(("category", name, None) for name in dict.fromkeys(found))

    def _is_generic(self, form: str) -> bool:
        """Whether a word names nothing of its own: "something", and "game" in a shop of games."""
        word = stem(form)
        if word in self._lexicon.general:
            return word not in self._vocabulary.anywhere  # of recipes all are food
        if word in self._lexicon.things:
            return not self._vocabulary.is_type(word)
        return word in self._lexicon.generic

    def _names_value(
        self, text: str, tokens: Sequence[Token], at: int, marks: Sequence[bool]
    ) -> bool:
        """Whether a word that tells nothing elsewhere is a value: "no feathers or down"."""
        after = text[tokens[at].end :]
        ends = not after.strip() or bool(re.match(r"\s*(?:[,.;:!?)]|(?:or|and|nor)\b)", after))
        before = tokens[at - 1].form if at else ""
        return ends and at > 0 and (marks[at - 1] or before in _BEFORE_VALUES)

    def _measures(self, phrase: Phrase, forms: Sequence[str], of: int) -> bool:
        """Whether a word says how much of something is asked for, before "of"."""
        return phrase.stems[-1] in self._lexicon.measure and of + 1 < len(forms)

    def _likes(self, forms: Sequence[str], at: int) -> bool:
        """Whether "like" says that somebody likes something, rather than what it resembles."""
        return at > 0 and forms[at - 1] in (
            "i",
            "we",
            "they",
            "you",
            "who",
            "that",
            "really",
            "also",
            "parents",
            "kids",
        )

    def _resolved(
        self, run: Sequence[Phrase], mode: Mode, owned: bool, *, thing: bool = True
    ) -> list[Phrase]:
        """Roles of the words of one run; without a thing in it before "things"."""
        known = [p for p in run if p.values or any(self._vocabulary.knows(s) for s in p.stems)]
        types = [n for n, p in enumerate(run) if self._vocabulary.is_type(p.stems[-1])]
        head = None
        if run and self._is_unknown_thing(run[-1], len(run) - 1 in types):
            known, types = [], []  # "wine glasses" are neither wine nor of glass
        if thing and types and mode == "asked" and not owned:
            last = types[-1]
            rest = run[last + 1 :]
            if all(p in known for p in rest):
                head = last
        out = []
        for n, phrase in enumerate(run):
            is_type = n in types
            made = replace(
                phrase,
                is_type=is_type,
                owned=owned,
                rejected=self._rejection(phrase, is_type),
                lacked=self._lacked(phrase),
                instead=_instead(phrase),
            )
            if n == head:
                kind = self._compound(run[: n + 1]) or self._type(phrase)
                out.append(replace(made, role="asked", values=(*kind, *phrase.values)))
                continue
            if phrase not in known or self._is_unknown_thing(phrase, is_type):
                out.append(made)
                continue
            values = self._values(phrase)
            named = bool(phrase.values) or any(self._vocabulary.names(s) for s in phrase.stems)
            if mode == "asked" and not owned:
                out.append(replace(made, role="quality", values=values))
            elif mode == "interest":
                out.append(replace(made, role="topic", values=values))
            elif mode == "away" and (named or owned):
                out.append(replace(made, role="topic", values=values, strict=named and not owned))
            elif mode == "clause" and phrase.stems[-1] in self._lexicon.quality:
                out.append(replace(made, role="quality", values=values, strict=False))
            else:
                out.append(made)
        return out

    def _values(self, phrase: Phrase) -> tuple[Value, ...]:
        """Alternatives: attribute values, categories, and the word itself."""
        term: Value = ("term", phrase.word.casefold(), None)
        return tuple(dict.fromkeys((*phrase.values, *self.categories(phrase), term)))

    def _is_unknown_thing(self, phrase: Phrase, is_type: bool) -> bool:
        """Whether a word is the plural of what things are made of: glasses to read with.

        Of qualities with synonyms a plural names who has them: "for vegans".
        """
        form = phrase_form(phrase.word)
        if len(synonyms((stem(form),))) > 1:
            return False
        made_of = self._vocabulary.values.get(stem(form)) is not None
        return not is_type and form.endswith("s") and form != stem(form) and made_of

    def _compound(self, run: Sequence[Phrase]) -> tuple[Value, ...]:
        """The type that the last words are together, where they have synonyms: "cuddly toys"."""
        for size in range(min(_LONGEST_TYPE, len(run)), 1, -1):
            parts = run[-size:]
            adjacent = all(a.after == b.first for a, b in zip(parts, parts[1:], strict=False))
            stems = tuple(s for p in parts for s in p.stems)
            others = synonyms(stems)[1:]
            if adjacent and any(self._vocabulary.is_type(term[-1]) for term in others):
                return (("type", " ".join(p.word.casefold() for p in parts), None),)
        return ()

    def _type(self, phrase: Phrase) -> tuple[Value, ...]:
        return (("type", phrase.word.casefold(), None),)

    def _rejection(self, phrase: Phrase, is_type: bool) -> tuple[Value, ...]:
        word = phrase.word.casefold()
        term: Value = ("term", word, None)
        if not is_type:
            return (*phrase.values, term)
        return (
            ("type", word, None),
            *phrase.values,
            *([term] if self._is_wider(phrase.stems) else []),
        )

    def _is_wider(self, stems: Term) -> bool:
        """Whether to reject a type is to reject its word in whatever else has it."""
        return len(covered(stems)) > len(kinds(stems)) or self._vocabulary.is_topic(stems[-1])

    def _lacked(self, phrase: Phrase) -> tuple[str, ...]:
        lacking = any(s in self._vocabulary.absent for s in phrase.stems)
        return (phrase.word.casefold(),) if lacking else ()

    def _refused(self, run: Sequence[Phrase]) -> list[Phrase]:
        """Rejected words: a type with the words before it is one thing."""
        if len(run) < 2 or not run[-1].is_type:
            return list(run)
        whole = " ".join(p.word.casefold() for p in run)
        stems = tuple(s for p in run for s in p.stems)
        value: Value = ("type", whole, None)
        return [replace(run[-1], first=run[0].first, stems=stems, rejected=(value,), word=whole)]


def _names_next(forms: Sequence[str], at: int) -> bool:
    """Whether "so" is before what is asked for, rather than a clause: "it's Friday, so fish"."""
    return at + 1 < len(forms) and forms[at + 1] not in _SUBJECTS


def _instead(phrase: Phrase) -> tuple[str, ...]:
    """What is wanted where a word is rejected, by the lexicon."""
    wanted = {stem(word): line.split() for word, line in table("instead").items()}
    return tuple(wanted.get(phrase.stems[-1], ()))


def _told(found: Sequence[Phrase], asking: int | None, n_tokens: int) -> list[Phrase]:
    """Phrases of which those that only tell a story are not used; scorers compare their words.

    A text of more than ``_SHORT`` words that neither asks nor names a thing first tells something
    ("it rains every day when I …"); so does what stands before the first asking words.

    Args:
        found: in order.
        asking: token of the first asking words, "something" and "a gift" among them; ``None``
            without any.
        n_tokens: number of tokens beside prices, recipients and so on.
    """
    if asking is None:
        tells = n_tokens > _SHORT and not any(p.role == "asked" for p in found)
        until = n_tokens if tells else 0
    else:
        until = asking if asking > _LEAD_IN else 0
    return [
        replace(p, role="none") if p.role in ("quality", "topic") and p.first < until else p
        for p in found
    ]
