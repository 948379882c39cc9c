"""What happened in an onboarding session: events, appended and never changed, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from coldstart.errors import ConfigError
from coldstart.schema import UserProfile, _Frozen, parse

FeedbackKind = Literal["like", "dislike", "skip", "seen", "not_now"]
QuestionKind = Literal["item", "pair", "categories"]
Ids = Annotated[tuple[str, ...], Field(max_length=10_000)]


class Choice(_Frozen):
    """One possible answer: what is sent back, and what a person reads."""

    value: str
    label: str


class Question(_Frozen):
    """One question of a quiz.

    Args:
        question_id: says what is asked, so that nothing is asked twice.
        kind: ``item`` ("Do you like X?"), ``pair`` ("A or B?") or ``categories``.
        text: the question in words.
        items: ids of the items it is about; empty for ``categories``.
        choices: the answers it takes: one of them, or any number for ``categories``.
        why: the reason why this is asked.
    """

    question_id: str
    kind: QuestionKind
    text: str
    items: tuple[str, ...] = ()
    choices: tuple[Choice, ...]
    why: str = ""

    def read(self, answer: object) -> str | tuple[str, ...]:
        """Check an answer: a choice's value, or a list of them for ``categories``.

        Returns:
            The value, or the values in the order of ``choices``, each once.

        Raises:
            ConfigError: it is none of the choices.
        """
        values = [c.value for c in self.choices]
        if self.kind == "categories":
            given = [answer] if isinstance(answer, str) else answer
            if isinstance(given, list | tuple | set | frozenset) and all(
                v in values for v in given
            ):
                return tuple(v for v in values if v in given)
        elif isinstance(answer, str) and answer in values:
            return answer
        what = "any of" if self.kind == "categories" else "one of"
        raise ConfigError(
            f"{answer!r} is no answer to {self.question_id!r}",
            hint=f"{what} {', '.join(map(repr, values))}",
        )


class Boost(_Frozen):
    """Items that someone wants to be shown more (or less) for a while.

    Args:
        name: a later boost of the same name replaces this one.
        items: their ids.
        amount: added to their scores; 1 makes an item rank as if e times as popular.
        until: from then on it does nothing; with a time zone.
    """

    name: str = Field(min_length=1, max_length=200)
    items: Ids
    amount: float = Field(allow_inf_nan=False)
    until: AwareDatetime


class _Event(_Frozen):
    at: datetime | None = None


class ProfileGiven(_Event):
    """The person filled in a profile; it takes the place of an earlier one."""

    kind: Literal["profile"] = "profile"
    profile: UserProfile


class Asked(_Event):
    """A question was put."""

    kind: Literal["asked"] = "asked"
    question: Question


class Answered(_Event):
    """A question was answered; the last answer to a question is the one that counts."""

    kind: Literal["answered"] = "answered"
    question_id: str
    answer: str | tuple[str, ...]


class Feedback(_Event):
    """The person did something with an item."""

    kind: Literal["feedback"] = "feedback"
    item_id: str
    did: FeedbackKind


class Said(_Event):
    """The person wrote a text."""

    kind: Literal["said"] = "said"
    text: str = Field(min_length=1, max_length=2000)


class Boosted(_Event):
    """A boost was put in place."""

    kind: Literal["boost"] = "boost"
    boost: Boost


class Shown(_Event):
    """A list was shown."""

    kind: Literal["shown"] = "shown"
    items: tuple[str, ...]


Event = Annotated[
    ProfileGiven | Asked | Answered | Feedback | Said | Boosted | Shown,
    Field(discriminator="kind"),
]


class SessionState(_Frozen):
    """The history of a session; everything else follows from it.

    Equal events make equal states. ``model_dump_json`` writes it and ``model_validate_json`` reads
    it back.

    Args:
        version: of this format.
        events: oldest first.

    >>> SessionState.model_validate_json(SessionState().model_dump_json()) == SessionState()
    True
    """

    version: Literal[1] = 1
    events: tuple[Event, ...] = ()

    @model_validator(mode="after")
    def _answers_fit_questions(self) -> SessionState:
        asked: dict[str, Question] = {}
        for event in self.events:
            if isinstance(event, Asked):
                asked[event.question.question_id] = event.question
            elif isinstance(event, Answered):
                if event.question_id not in asked:
                    raise ValueError(f"{event.question_id!r} is answered before it is asked")
                try:
                    asked[event.question_id].read(event.answer)
                except ConfigError as e:
                    raise ValueError(str(e)) from None
        return self

    def and_then(self, *events: Event) -> SessionState:
        """The state after some more events; this one stays as it is."""
        return SessionState(events=(*self.events, *events))

    @classmethod
    def parse(cls, data: SessionState | Mapping[str, object]) -> SessionState:
        """Validate a mapping (for example parsed JSON) with one-line errors."""
        return data if isinstance(data, cls) else parse(cls, data, "session state", ConfigError)
