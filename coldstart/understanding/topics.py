"""What an English request wants films to be about: "a film about chess", "set in Paris"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from coldstart.understanding.years import is_period

LONGEST = 8
"""Words of a topic; more of them tell a story."""
_THINGS = frozenset(
    "film films movie movies flick flicks picture pictures something anything one ones story "
    "stories tale tales stuff show shows series things all or and".split()
)
"""Words after which "about" names a topic; "about 90 minutes" and "how about" name none."""
_SET = re.compile(
    r"\b(?:(?:set|takes?\s+place|taking\s+place|happen(?:s|ing)?)\s+(?:in|on|at|during|aboard|inside)"
    r"|deal(?:s|ing)?\s+with|revolv(?:es?|ing)\s+around|(?:that\s+is|that['’]s)\s+about"
    r"|(?:focus(?:es|ed)?|cent(?:er|re)(?:s|ed)?)\s+(?:on|around)|on\s+the\s+subject\s+of)\s+",
    re.I,
)
_ABOUT = re.compile(
    r"\babout\s+(?!(?:it|that|this|me|what|how|to)\b|(?:[\w-]+\s+){1,3}(?:min(?:ute)?s?|h(?:ou)?rs?)\b)",
    re.I,
)
_LOVED = re.compile(
    r"\bwho(?:\s+(?:really|absolutely|just))?\s+(?:loves?|likes?|adores?|is\s+(?:into|mad\s+about"
    r"|crazy\s+about|obsessed\s+with))\s+",
    re.I,
)
_COMPOUND = re.compile(
    r"(?<![\w-])(?P<topic>[a-z]{3,}(?<!ing)(?<!ed)(?<!ful)(?<!ive)(?<!ous)(?<!able)(?<!ent)(?<!ant)"
    r"(?<!al)(?<!ic)(?<!ish)(?<!less)(?<!est)(?<!er)(?<!ly)(?<!y))\s+"
    r"(?:movies?|films?|flicks?)(?!\w)",
    re.I,
)
_PEOPLE = re.compile(r"\b(?:starring|featuring|directed\s+by)\s+", re.I)
_NAMED = re.compile(r"\b(?:with|by|of)\s+(?=[A-Z][\w'’.-]+\s+[A-Z])")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*", re.UNICODE)
_ENDS = frozenset(
    "but although though however that which where when while because since so for from "
    "with without please preferably not no nothing made released shot under over before after if "
    "i we my our to as like instead only just then anyone any is are was were".split()
)
"""Words that end a topic."""
_RELATIVE = frozenset("who whom whose".split())
"""Words that begin a clause of a topic; in it "to" goes on: "a boy who wants to dance"."""
_BEFORE_NOUNS = frozenset(
    "in on at of to during into against inside aboard near around through behind by".split()
)
_DETERMINERS = frozenset("a an the".split())
_NEXT_CLAUSE = re.compile(
    r"and\s+(?:(?:he|she|it|they|you|it['’]s|want|need|would|could|can|had|will|should)\b"
    r"|[a-z]+\s+(?:it|them|him|me|us)\b)",
    re.I,
)
"""What ends a topic as well: "sharks and hated it"."""
MASK, NOUN_MASK = "\x00", "\x01"
"""What blanks out words that have a meaning of their own, and the nouns among them."""
_QUALITIES = frozenset(
    "solid random fine superb top cool neat slick deep raw rare cult indie epic short long full "
    "main whole single perfect obscure unknown mainstream feature studio hollywood bollywood "
    "netflix prime hbo first last next worst favorite favourite underrated overrated adult mature "
    "date sunday saturday friday weekend late early english foreign lesser key crap trash junk "
    "wise unique actual entire same such certain famous classic iconic art festival winter summer "
    "autumn night day evening afternoon bedtime recommend suggest watch see find want need like "
    "love fancy nonsense rubbish garbage".split()
)
"""Words that may stand before "film" and name no topic, and have no ending that tells so."""
_ARTICLES = frozenset("a an the some any of in or and".split())
_TRAILING = _ARTICLES | _RELATIVE | {"to"}
_NOUN = re.compile(rf"\s+{NOUN_MASK}+")


class NamedTopic(NamedTuple):
    """A topic in a text.

    Args:
        start: first character.
        end: character after it.
        setting: whether it is where or when a film is set.
        named: whether other words make it the topic: "about boxing", and not "boxing".
    """

    start: int
    end: int
    setting: bool = False
    named: bool = True


def find_topics(
    text: str, is_kind: Callable[[str], bool], is_plain: Callable[[str], bool]
) -> Iterator[NamedTopic]:
    """Topics named in a text by what stands before or after them.

    >>> text = "a film about mountain climbing, or something set in Nepal but not sad"
    >>> [text[t.start : t.end] for t in find_topics(text, bool, bool)]
    ['mountain climbing', 'Nepal']

    Args:
        text: in which what has a meaning of its own is blanked out, with ``MASK``, and nouns that
            name a kind of film with ``NOUN_MASK``.
        is_kind: whether a word is the name of a kind of film: "a comedy about".
        is_plain: whether a word has a meaning of its own, or is an everyday one; others make a
            topic of what they stand before: "a chess movie".
    """
    at = 0
    spans = [(m.start("topic"), m.end("topic")) for m in _COMPOUND.finditer(text)]
    compounds = [
        NamedTopic(*span)
        for span in spans
        if (word := text[slice(*span)].casefold()) not in _QUALITIES and not is_plain(word)
    ]
    for m in sorted(_cues(text, is_kind), key=lambda m: m.start()):
        if m.start() < at:
            continue
        if topic := _topic(text, m.end(), capitals=m.re is _NAMED, setting=m.re is _SET):
            at = topic.end
            compounds = [c for c in compounds if c.end <= topic.start or c.start >= topic.end]
            yield topic
    yield from compounds


def _cues(text: str, is_kind: Callable[[str], bool]) -> Iterator[re.Match[str]]:
    for m in _ABOUT.finditer(text):
        words = _WORD.findall(text[: m.start()])
        before = words[-1].casefold() if words else ""
        named = text[: m.start()].rstrip().endswith((MASK, NOUN_MASK))  # "a comedy about"
        if named or not before or before in _THINGS or is_kind(before):
            yield m
    for pattern in (_SET, _LOVED, _PEOPLE, _NAMED):
        yield from pattern.finditer(text)


def _topic(text: str, start: int, *, capitals: bool, setting: bool) -> NamedTopic | None:
    """The words from a place to the end of a noun phrase; ``None`` where there are none.

    Args:
        text: the text.
        start: first character that may be part of it.
        capitals: whether only capitalised words are: names.
        setting: whether it is where or when a film is set.
    """
    words: list[re.Match[str]] = []
    relative = False
    for m in _WORD.finditer(text, start):
        gap = text[words[-1].end() if words else start : m.start()]
        if gap.strip(" \t'’\"“”"):
            break
        word = m[0].casefold()
        relative = relative or word in _RELATIVE
        if word in _ENDS and not (relative and word == "to"):
            break
        if len(words) == LONGEST or (capitals and not m[0][0].isupper()):
            break
        if word == "and" and _NEXT_CLAUSE.match(text, m.start()):
            break
        words.append(m)
    noun = _NOUN.match(text, words[-1].end()) if words else None
    words, end = _whole(words, noun, setting=setting) if noun else (words, None)
    while words and words[0][0].casefold() in _ARTICLES:
        words.pop(0)
    while words and end is None and words[-1][0].casefold() in _TRAILING:
        words.pop()
    if not words or is_period(text[words[0].start() : words[-1].end()]):
        return None
    return NamedTopic(words[0].start(), end or words[-1].end(), setting)


def _whole(
    words: list[re.Match[str]], noun: re.Match[str], *, setting: bool
) -> tuple[list[re.Match[str]], int | None]:
    """A topic that a noun with a meaning of its own cuts off, with the noun or without the rest.

    Of "a submarine in the cold war" the noun is a part; of "a boy who goes to war" the boy is left.

    Args:
        words: of the topic so far.
        noun: what follows them.
        setting: whether the words follow a preposition.

    Returns:
        The words that stay, and the end of the noun if that does.
    """
    forms = [word[0].casefold() for word in words]
    if clause := [n for n, form in enumerate(forms) if form in _RELATIVE]:
        return words[: clause[0]], None
    before = [n for n, form in enumerate(forms) if form in _BEFORE_NOUNS]
    phrase = forms[before[-1] + 1 :] if before else forms if setting else []
    if len(phrase) > 1 and phrase[0] in _DETERMINERS:
        return words, noun.end()
    return words[: before[-1]] if before else words, None
