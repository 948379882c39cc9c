"""State of an onboarding session: an event log, serialised as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from coldstart.errors import ConfigError
from coldstart.schema import Frozen, UserProfile, parse

FeedbackKind = Literal["like", "dislike", "skip", "seen", "not_now", "forget"]
QuestionKind = Literal["item", "pair", "categories"]
MOST_TEXT = 2000
"""Maximum length of a text, in characters."""
Ids = Annotated[tuple[str, ...], Field(max_length=10_000)]


class Choice(Frozen):
    """One possible answer: ``value`` is sent back, ``label`` is displayed."""

    value: str
    label: str


class Question(Frozen):
    """One question of a quiz.

    Args:
        question_id: derived from the subject, so that no question repeats.
        kind: ``item`` ("Do you like X?"), ``pair`` ("A or B?") or ``categories``.
        text: the wording.
        items: ids of the items in question; empty for ``categories``.
        choices: the valid answers: one of them, or any number for ``categories``.
        why: explanation of why this question was selected.
    """

    question_id: str
    kind: QuestionKind
    text: str
    items: tuple[str, ...] = ()
    choices: tuple[Choice, ...]
    why: str = ""

    def read(self, answer: object) -> str | tuple[str, ...]:
        """Validate an answer: a choice's value, or a list of them for ``categories``.

        Returns:
            The value, or the values in the order of ``choices``, each once.

        Raises:
            ConfigError: the answer is none of the choices.
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


class Boost(Frozen):
    """Temporary promotion (or demotion) of items.

    Args:
        name: a later boost of the same name replaces this one.
        items: ids of the items.
        amount: added to their scores; 1 makes an item rank as if e times as popular.
        until: time of expiry, with a time zone.
    """

    name: str = Field(min_length=1, max_length=200)
    items: Ids
    amount: float = Field(allow_inf_nan=False)
    until: AwareDatetime


class _Event(Frozen):
    at: datetime | None = None


class ProfileGiven(_Event):
    """The user filled in a profile; it replaces an earlier one."""

    kind: Literal["profile"] = "profile"
    profile: UserProfile


class QuestionAsked(_Event):
    """A question was presented."""

    kind: Literal["asked"] = "asked"
    question: Question


class QuestionAnswered(_Event):
    """A question was answered; the last answer to a question counts."""

    kind: Literal["answered"] = "answered"
    question_id: str
    answer: str | tuple[str, ...]


class FeedbackGiven(_Event):
    """The user gave feedback on an item."""

    kind: Literal["feedback"] = "feedback"
    item_id: str
    did: FeedbackKind


Span = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
"""First character, and the character after the last."""


class TextGiven(_Event):
    """The user wrote a text.

    Args:
        text: as written; empty only if it replaces earlier ones.
        replaces: whether it takes the place of all texts before it and of the profile's ``about``.
        without: parts of the text that the user took back, which are not read.
    """

    kind: Literal["said"] = "said"
    text: str = Field(max_length=MOST_TEXT)
    replaces: bool = False
    without: tuple[Span, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _says_something(self) -> TextGiven:
        if not self.text and not self.replaces:
            raise ValueError("an empty text says nothing, unless it replaces earlier ones")
        if any(not start < end <= len(self.text) for start, end in self.without):
            raise ValueError("a part is empty, or not within the text")
        return self


class BoostApplied(_Event):
    """A boost was set."""

    kind: Literal["boost"] = "boost"
    boost: Boost


class ListShown(_Event):
    """A list was shown."""

    kind: Literal["shown"] = "shown"
    items: tuple[str, ...]


Event = Annotated[
    ProfileGiven
    | QuestionAsked
    | QuestionAnswered
    | FeedbackGiven
    | TextGiven
    | BoostApplied
    | ListShown,
    Field(discriminator="kind"),
]


class SessionState(Frozen):
    """Event log of a session, from which all else is derived.

    Equal events make equal states. Serialise with ``model_dump_json``, parse with
    ``model_validate_json``.

    Args:
        version: of the format.
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
            if isinstance(event, QuestionAsked):
                asked[event.question.question_id] = event.question
            elif isinstance(event, QuestionAnswered):
                if event.question_id not in asked:
                    raise ValueError(f"{event.question_id!r} is answered before it is asked")
                try:
                    asked[event.question_id].read(event.answer)
                except ConfigError as e:
                    raise ValueError(str(e)) from None
        return self

    def and_then(self, *events: Event) -> SessionState:
        """Return a new state with events appended."""
        return SessionState(events=(*self.events, *events))

    @classmethod
    def parse(cls, data: SessionState | Mapping[str, object]) -> SessionState:
        """Validate a mapping (for example parsed JSON) with one-line errors."""
        return data if isinstance(data, cls) else parse(cls, data, "session state", ConfigError)
