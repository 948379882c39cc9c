"""Recorded requests from the events of a session: each text, and what was liked after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.schema import UserProfile
from coldstart.session.state import (
    FeedbackGiven,
    ListShown,
    ProfileGiven,
    QuestionAnswered,
    QuestionAsked,
    TextGiven,
)
from coldstart.session.taken_back import left_of

if TYPE_CHECKING:
    from coldstart.session.state import Event, Question, SessionState


def requests_of(
    state: SessionState, user: str, liked: Collection[str], profile: UserProfile
) -> Iterator[RecordedRequest]:
    """Each text that feedback likes follow, before the next text.

    The request's text is all that was written so far. Items liked in answers to questions count as
    mentioned, not as chosen: they were not shown for the text.

    Args:
        state: of the session.
        user: name of the user; the requests of one user stay together.
        liked: items that are liked in the end; others are neither chosen nor mentioned.
        profile: attributes of the user.
    """
    texts: list[str] = []
    before: dict[str, None] = {}
    asked: dict[str, Question] = {}
    shown = False
    for text, replaces, events in _by_text(state.events):
        texts = [*([] if replaces else texts), *([text] if text else [])]
        chosen: dict[str, None] = {}
        first = not shown
        for event in events:
            if isinstance(event, QuestionAsked):
                asked[event.question.question_id] = event.question
            elif isinstance(event, ListShown):
                shown = True
            elif isinstance(event, FeedbackGiven) and event.did == "like":
                if event.item_id in liked and event.item_id not in before:
                    chosen[event.item_id] = None
            else:
                items = _named_by(event, asked)
                before |= {i: None for i in items if i in liked and i not in chosen}
        if texts and chosen:
            yield RecordedRequest(
                ". ".join(texts),
                tuple(RequestItem(i, liked=True) for i in chosen),
                tuple(RequestItem(i, liked=True) for i in before),
                profile,
                user,
                first,
            )
        before |= chosen


def texts_of(state: SessionState) -> list[str]:
    """All that was written in a session, oldest first."""
    return [text for event in state.events if (text := _text_of(event))]


def _by_text(events: Iterable[Event]) -> Iterator[tuple[str, bool, list[Event]]]:
    """Events in parts: those before the first text under "", those from each text on.

    With each text, whether it replaces the earlier ones.
    """
    text, replaces = "", False
    part: list[Event] = []
    for event in events:
        said, replacing = _text_of(event), isinstance(event, TextGiven) and event.replaces
        if said or replacing:
            yield text, replaces, part
            text, replaces, part = said, replacing, []
        part.append(event)
    yield text, replaces, part


def _text_of(event: Event) -> str:
    if isinstance(event, TextGiven):
        return " ".join(left_of(event.text, event.without).split())
    return (event.profile.about or "") if isinstance(event, ProfileGiven) else ""


def _named_by(event: Event, asked: dict[str, Question]) -> list[str]:
    """Items that a profile or an answer likes."""
    if isinstance(event, ProfileGiven):
        return [pick.item for pick in event.profile.liked]
    if isinstance(event, QuestionAnswered) and event.question_id in asked:
        items = asked[event.question_id].items
        if event.answer in ("a", "b"):
            return [items[event.answer == "b"]]
        return list(items) if event.answer == "like" else []
    return []
