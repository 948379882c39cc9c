"""What people asked for, anonymised, and what was not understood of it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from coldstart.catalog.titles import clean_text
from coldstart.schema import Understood
from coldstart.serve.reports.anonymize import Anonymizer, Span
from coldstart.serve.reports.rates import Rate
from coldstart.serve.reports.unread import key_of, unread_spans
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.store import Session
from coldstart.session.state import ProfileGiven, SessionState, TextGiven
from coldstart.session.taken_back import left_of

FEWEST_PEOPLE = 3
"""People who must have written a word that may be a name for it to be shown."""
_FEWEST_TITLES = 3  # items that must have such a word in their titles
_NEWEST = 100
_MOST_PARTS = 200
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_ONLY_MASKS = re.compile(r"(?:\s*\[[a-z-]+\])*\s*")
_WRITING = frozenset({"profile", "said"})  # kinds of events in which something is written
_OF_CATALOG = frozenset({"title", "person"})


class AskedSentence(BaseModel):
    """A recent sentence, anonymised."""

    model_config = ConfigDict(frozen=True)

    at: datetime = Field(description="To the hour.")
    text: str
    understood: list[str] = Field(description="Words that became part of the wish.")
    not_understood: list[str] = Field(description="Words of which no rule made anything.")


class UnreadPart(BaseModel):
    """Words that were not understood, over all sentences."""

    model_config = ConfigDict(frozen=True)

    part: str = Field(description="In its most frequent spelling without a mask.")
    people: int = Field(description="Sessions in which it was written.")
    times: int = Field(description="Sentences in which it was written.")
    example: str = Field(description="The newest sentence with it, anonymised.")


class Sentences(BaseModel):
    """What was asked in words, and how much of it was understood."""

    model_config = ConfigDict(frozen=True)

    sentences: int = Field(description="Sentences that were read.")
    people: int = Field(description="Sessions that they come from.")
    understood: int = Field(description="Sentences of which everything was understood.")
    partly: int = Field(description="Sentences of which something was understood.")
    nothing: int = Field(description="Sentences of which no rule understood anything.")
    people_understood: Rate = Field(
        description="Share of people of whom every sentence was understood in part at least."
    )
    parts: list[UnreadPart] = Field(description="Most people first.")
    newest: list[AskedSentence]
    sessions: int = Field(description="Newest sessions that were looked at.")
    unreadable: int = Field(description="Sessions whose state cannot be read.")


@dataclass(frozen=True)
class WrittenSentence:
    """A sentence as written, before it is anonymised; never leaves the process.

    Args:
        person: id of the session.
        text: the sentence, cleaned.
        at: time of the sentence, or else of the session.
    """

    person: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Reading:
    """What the rules make of a sentence: spans only, no words.

    Args:
        pieces: spans of what was understood.
        of_catalog: spans of titles and people, which are shown.
        unread: spans of what was not understood.
    """

    pieces: tuple[Span, ...]
    of_catalog: tuple[Span, ...]
    unread: tuple[Span, ...]

    @classmethod
    def of(cls, read: Understood) -> Reading:
        """Spans of a reading."""
        own = [p for p in read.pieces if p.source == "rules"]
        return cls(
            tuple(dict.fromkeys((p.start, p.end) for p in own)),
            tuple(dict.fromkeys((p.start, p.end) for p in own if p.kind in _OF_CATALOG)),
            tuple(unread_spans(read)),
        )


def written_in(sessions: Iterable[Session]) -> tuple[list[WrittenSentence], int, int]:
    """Sentences of sessions: (sentences, number of sessions, number of unreadable ones)."""
    out: list[WrittenSentence] = []
    n = unreadable = 0
    for session in sessions:
        n += 1
        try:
            state = SessionRecord.part_of(session.state, _WRITING)
        except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
            unreadable += 1
            continue
        for text, at in _sentences_of(state):
            if cleaned := clean_text(text):
                out.append(WrittenSentence(session.id, cleaned, at or session.updated))
    out.sort(key=lambda w: w.at, reverse=True)
    return out, n, unreadable


def shared_words(written: Sequence[WrittenSentence], titles: Iterable[str]) -> frozenset[str]:
    """Words in lower case that no single person can be recognised by.

    Args:
        written: sentences; a word of ``FEWEST_PEOPLE`` people is shared.
        titles: of the catalog; a word of as many titles is shared.
    """
    people: dict[str, set[str]] = defaultdict(set)
    for one in written:
        for word in _words(one.text):
            people[word].add(one.person)
    in_titles = Counter(word for title in titles for word in _words(title))
    return frozenset(
        [w for w, who in people.items() if len(who) >= FEWEST_PEOPLE]
        + [w for w, n in in_titles.items() if n >= _FEWEST_TITLES]
    )


def sentence_report(
    written: Sequence[WrittenSentence],
    readings: Mapping[str, Reading],
    shared: Collection[str],
    *,
    sessions: int,
    unreadable: int,
    fewest: int = 1,
) -> Sentences:
    """Report on sentences.

    Args:
        written: the newest first.
        readings: by text.
        shared: words that are shown although they may be names; see ``shared_words``.
        sessions: number of sessions that were looked at.
        unreadable: number of these whose state cannot be read.
        fewest: people who must have written a part for it to be listed.
    """
    anonymizer = Anonymizer(shared)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    people: dict[str, set[str]] = defaultdict(set)
    examples: dict[str, str] = {}
    newest: list[AskedSentence] = []
    lost: set[str] = set()
    kinds = Counter[str]()
    for one in written:
        read = readings[one.text]
        spans = [(0, len(one.text)), *read.unread, *read.pieces]
        masked, *rest = anonymizer.mask_parts(one.text, spans, read.of_catalog)
        unread, pieces = rest[: len(read.unread)], rest[len(read.unread) :]
        kinds["nothing" if not read.pieces else "partly" if read.unread else "all"] += 1
        if not read.pieces:
            lost.add(one.person)
        parts = []
        for span, part in zip(read.unread, unread, strict=True):
            if _ONLY_MASKS.fullmatch(part):
                continue
            parts.append(part)
            key = key_of(one.text[slice(*span)])
            spellings[key][part] += 1
            people[key].add(one.person)
            examples.setdefault(key, masked)
        if len(newest) < _NEWEST:
            hour = one.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            newest.append(
                AskedSentence(at=hour, text=masked, understood=pieces, not_understood=parts)
            )
    asked = {one.person for one in written}
    listed = sorted(
        (key for key in people if len(people[key]) >= fewest),
        key=lambda key: (-len(people[key]), -spellings[key].total(), key),
    )
    return Sentences(
        sentences=len(written),
        people=len(asked),
        understood=kinds["all"],
        partly=kinds["partly"],
        nothing=kinds["nothing"],
        people_understood=Rate.of_people(len(asked - lost), len(asked)),
        parts=[
            UnreadPart(
                part=_spelling(spellings[key]),
                people=len(people[key]),
                times=spellings[key].total(),
                example=examples[key],
            )
            for key in listed[:_MOST_PARTS]
        ],
        newest=newest,
        sessions=sessions,
        unreadable=unreadable,
    )


def _spelling(found: Counter[str]) -> str:
    """The most frequent spelling, one without a mask or capitals if there is one."""
    return min(found, key=lambda part: ("[" in part, -found[part], not part.islower(), part))


def _sentences_of(state: SessionState) -> list[tuple[str, datetime | None]]:
    """What was written in a session and not replaced later, with the time if it is known."""
    about: list[tuple[str, datetime | None]] = []
    texts: list[tuple[str, datetime | None]] = []
    for event in state.events:
        if isinstance(event, ProfileGiven):
            about = [(event.profile.about, event.at)] if event.profile.about else []
        elif isinstance(event, TextGiven):
            if event.replaces:
                about, texts = [], []
            texts.append((left_of(event.text, event.without), event.at))
    return about + texts


def _words(text: str) -> set[str]:
    return {re.sub(r"['’]s$", "", match[0]).lower() for match in _WORD.finditer(text)}
