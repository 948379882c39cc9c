"""Fold the events of a session into its current state: opinions, answers, exposure, snoozes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from coldstart.schema import Pick, Understood, UserProfile
from coldstart.session.state import (
    Boost,
    BoostApplied,
    Event,
    FeedbackGiven,
    ListShown,
    ProfileGiven,
    Question,
    QuestionAnswered,
    QuestionAsked,
    SessionState,
    TextGiven,
)
from coldstart.session.taken_back import less

SNOOZE = 3
"""Number of lists from which an item is kept after ``skip`` or ``not_now``."""

_OPINIONS = {"dislike": "disliked", "seen": "seen"}


@dataclass
class History:
    """Aggregate of a session's events.

    The last opinion about an item counts. A later profile replaces an earlier one, a later answer
    an earlier one to the same question, at the position of the later event.

    Args:
        given: the profile as filled in, without picks.
        questions: by id, in the order they were asked.
        answers: the last answer by question id.
        liked: time of the last like by item id, the most recent one last.
        disliked: likewise for dislikes.
        seen: likewise for seen items; an item may be seen and liked.
        unfamiliar: items of questions answered with "don't know".
        interests: categories chosen or named, in that order.
        snoozed: number of further lists from which each item is kept.
        texts: the user's texts, parsed.
        boosts: the last boost of each name.
        shown: ids of the items shown, by first exposure.
        favourites: ids of the liked items whose like came from an answer, a text or feedback.
    """

    given: UserProfile = field(default_factory=UserProfile)
    questions: dict[str, Question] = field(default_factory=dict)
    answers: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    liked: dict[str, datetime | None] = field(default_factory=dict)
    disliked: dict[str, datetime | None] = field(default_factory=dict)
    seen: dict[str, datetime | None] = field(default_factory=dict)
    unfamiliar: dict[str, None] = field(default_factory=dict)
    interests: dict[str, None] = field(default_factory=dict)
    snoozed: dict[str, int] = field(default_factory=dict)
    texts: list[Understood] = field(default_factory=list)
    boosts: dict[str, Boost] = field(default_factory=dict)
    shown: dict[str, None] = field(default_factory=dict)
    favourites: set[str] = field(default_factory=set)

    @property
    def pending(self) -> Question | None:
        """The first unanswered question."""
        return next((q for i, q in self.questions.items() if i not in self.answers), None)

    @property
    def profile(self) -> UserProfile:
        """The user profile so far; items are ids."""
        about = [*([self.given.about] if self.given.about else []), *self.wanted_texts]
        interests = dict.fromkeys([*self.given.interests, *self.interests])
        return self.given.model_copy(
            update={
                "interests": tuple(interests),
                "about": ". ".join(about) or None,
                "liked": _picks(self.liked),
                "disliked": _picks(self.disliked),
                "seen": _picks(self.seen),
                "history": self.given.history and not self.favourites,
            }
        )

    @property
    def wanted_texts(self) -> list[str]:
        """The user's texts without their rejecting clauses, each once."""
        return list(dict.fromkeys(t.wanted_text for t in self.texts if t.wanted_text))


def read_history(state: SessionState, understand: Callable[[str], Understood]) -> History:
    """Aggregate the events of a session.

    Args:
        state: of the session.
        understand: parses a text.
    """
    out = History()
    replaced = _replaced(state.events)
    for n, event in enumerate(state.events):
        if n in replaced:
            continue
        if isinstance(event, ProfileGiven):
            _profile(out, event)
        elif isinstance(event, QuestionAsked):
            out.questions[event.question.question_id] = event.question
        elif isinstance(event, QuestionAnswered):
            _answer(out, event)
        elif isinstance(event, FeedbackGiven):
            _feedback(out, event)
        elif isinstance(event, TextGiven):
            if event.replaces:
                out.given = out.given.model_copy(update={"about": None})
            said = less(understand(event.text), event.without) if event.text else Understood()
            if said != Understood():
                _text(out, said, event.at)
        elif isinstance(event, BoostApplied):
            out.boosts.pop(event.boost.name, None)
            out.boosts[event.boost.name] = event.boost
        elif isinstance(event, ListShown):
            out.shown.update(dict.fromkeys(event.items))
            out.snoozed = {i: left - 1 for i, left in out.snoozed.items() if left > 1}
    return out


def _replaced(events: tuple[Event, ...]) -> set[int]:
    """Positions of the profiles, answers and texts that a later event replaces."""
    last: dict[object, int] = {}
    out: set[int] = set()
    texts: set[int] = set()
    for n, event in enumerate(events):
        if isinstance(event, TextGiven):
            if event.replaces:
                out |= texts
                texts.clear()
            texts.add(n)
        if isinstance(event, ProfileGiven | QuestionAnswered):
            key = event.question_id if isinstance(event, QuestionAnswered) else None
            if key in last:
                out.add(last[key])
            last[key] = n
    return out


def _profile(out: History, event: ProfileGiven) -> None:
    picks = {"liked": (), "disliked": (), "seen": ()}
    out.given = event.profile.model_copy(update=picks)
    for what in ("disliked", "liked", "seen"):
        for pick in getattr(event.profile, what):
            _opinion(out, what, pick.item, pick.at)


def _answer(out: History, event: QuestionAnswered) -> None:
    question, answer = out.questions[event.question_id], event.answer
    out.answers[event.question_id] = answer
    if isinstance(answer, tuple):
        out.interests.update(dict.fromkeys(answer))
    elif answer == "unknown":
        out.unfamiliar.update(dict.fromkeys(question.items))
    elif answer in ("a", "b"):
        _favourite(out, question.items[answer == "b"], event.at)
    elif answer == "like":
        for item in question.items:
            _favourite(out, item, event.at)
    else:
        for item in question.items:
            _opinion(out, "disliked", item, event.at)


def _feedback(out: History, event: FeedbackGiven) -> None:
    if event.did == "like":
        _favourite(out, event.item_id, event.at)
    elif event.did in _OPINIONS:
        _opinion(out, _OPINIONS[event.did], event.item_id, event.at)
    elif event.did == "forget":
        for opinions in (out.liked, out.disliked, out.seen, out.snoozed):
            opinions.pop(event.item_id, None)
        out.favourites.discard(event.item_id)
    else:
        out.snoozed[event.item_id] = SNOOZE


def _text(out: History, said: Understood, at: datetime | None) -> None:
    out.texts.append(said)
    for name in said.values("category", wanted=False):
        out.interests.pop(name, None)
    wanted = (p.value for p in said.pieces if p.kind == "category" and p.wanted and p.strict)
    out.interests.update(dict.fromkeys(wanted))
    for item in said.disliked:
        _opinion(out, "disliked", item, at)
    for item in said.liked:
        _favourite(out, item, at)


def _favourite(out: History, item: str, at: datetime | None) -> None:
    """Record a like that the user gave now, rather than as a part of a history."""
    _opinion(out, "liked", item, at)
    out.favourites.add(item)


def _opinion(out: History, what: str, item: str, at: datetime | None) -> None:
    """Record an opinion; a like ends a dislike and vice versa."""
    if what != "seen":
        out.unfamiliar.pop(item, None)
        out.liked.pop(item, None)
        out.disliked.pop(item, None)
    if what == "disliked":
        out.favourites.discard(item)
    getattr(out, what).pop(item, None)
    getattr(out, what)[item] = at


def _picks(opinions: dict[str, datetime | None]) -> tuple[Pick, ...]:
    return tuple(Pick(item=item, at=at, by="id") for item, at in opinions.items())
