"""Onboarding session: elicit preferences, recommend, and learn from feedback, immutably."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel

from coldstart.catalog.titles import clean_text
from coldstart.errors import CatalogError, ConfigError, ProfileError
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import (
    Context,
    RecommendationList,
    Understood,
    UserProfile,
    parse,
)
from coldstart.session.fitting import suitable
from coldstart.session.history import History, read_history
from coldstart.session.lists import SessionLists
from coldstart.session.quiz import Quiz, QuizState
from coldstart.session.registry import DEFAULT_QUIZ, find_quiz
from coldstart.session.state import (
    MOST_TEXT,
    Boost,
    BoostApplied,
    Event,
    FeedbackGiven,
    FeedbackKind,
    ListShown,
    ProfileGiven,
    Question,
    QuestionAnswered,
    QuestionAsked,
    SessionState,
    TextGiven,
)
from coldstart.understanding.merging import merged

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

E = TypeVar("E", bound=BaseModel)


class OnboardingSession(SessionLists):
    """Immutable onboarding session of one user, from the first question to adapted lists.

    Every action returns a new session; all information is in ``state``. The same recommender,
    state, quiz and seed give the same question and the same list; only boosts depend on the time.

    >>> session = OnboardingSession(recommender)                              # doctest: +SKIP
    >>> question = session.next_question()                                    # doctest: +SKIP
    >>> session = session.answer(question.question_id, "like")                # doctest: +SKIP
    >>> session = session.shown(session.recommend(k=5))                       # doctest: +SKIP

    Args:
        recommender: makes the lists; its catalog may change between actions.
        state: to resume; items since removed from the catalog are ignored. ``None``: a new session.
        quiz: a name in ``QUIZZES``, or a ``Quiz``.
        exploration: share of a list's places, from 0 to 1, for the items with the most informative
            feedback.
        askable: ids of the items that may be asked about; ``None`` for all.
        seed: random seed of sampling quizzes.

    Raises:
        ConfigError: an option out of range, or a malformed state.
        CatalogError: the catalog is empty.
    """

    def __init__(
        self,
        recommender: Recommender,
        state: SessionState | Mapping[str, Any] | None = None,
        *,
        quiz: str | Quiz = DEFAULT_QUIZ,
        exploration: float = 0.0,
        askable: Collection[str] | None = None,
        seed: int = 0,
    ) -> None:
        is_number = isinstance(exploration, Real) and not isinstance(exploration, bool)
        if not is_number or not 0 <= float(exploration) <= 1:
            raise ConfigError(f"exploration is {exploration!r}", hint="give a share from 0 to 1")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ConfigError(f"seed is {seed!r}", hint="give a whole number, 0 or more")
        if not len(recommender.catalog):
            raise CatalogError("the catalog is empty", hint="add items: catalog.add(Item(…))")
        self._recommender = recommender
        self._state = SessionState() if state is None else SessionState.parse(state)
        self._quiz, self._exploration, self._seed = find_quiz(quiz), float(exploration), seed
        self._askable = None if askable is None else frozenset(askable)

    # -- state -----------------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """The event log; save it with ``model_dump_json`` to resume the session later."""
        return self._state

    @property
    def profile(self) -> UserProfile:
        """The user profile so far; items are ids, the latest last.

        ``history`` is that of the given profile until a like comes from an answer, a text or
        feedback: those are favourites.
        """
        return self._history.profile

    @property
    def exposed(self) -> tuple[str, ...]:
        """Ids of the items shown so far, each once, by first exposure."""
        return tuple(self._history.shown)

    @property
    def understood(self) -> Understood:
        """The last text, read; empty if there is none."""
        return self._history.texts[-1] if self._history.texts else Understood()

    @property
    def understood_so_far(self) -> Understood:
        """All that was read in the given profile and the texts; the newest decides."""
        read = self._recommender.pipeline.understand
        given = read.understand(self._history.given, Context())
        return merged([given, *self._history.texts])

    @property
    def answers(self) -> dict[str, str | tuple[str, ...]]:
        """The last answer by question id."""
        return dict(self._history.answers)

    # -- actions: each returns a new session -----------------------------------------------------

    def with_profile(
        self,
        profile: UserProfile | Mapping[str, Any],
        *,
        at: datetime | None = None,
        unknown_picks: str = "error",
    ) -> OnboardingSession:
        """Record a profile; it replaces an earlier one.

        Args:
            profile: of the user.
            at: time of the event.
            unknown_picks: see ``Recommender.resolve``.

        Raises:
            ProfileError: malformed, or, unless they are ignored, a pick that is not in the catalog.
        """
        user = self._recommender.resolve(profile, unknown_picks=unknown_picks)
        return self._and_then(_event(ProfileGiven, profile=user.profile, at=at))

    def ask(self, *, at: datetime | None = None) -> OnboardingSession:
        """Record that the next question is presented; it can be answered after other actions.

        Returns the session unchanged if a question is still open or the quiz has ended.
        """
        question = self.next_question()
        if question is None or question.question_id in self._history.questions:
            return self
        return self._and_then(_event(QuestionAsked, question=question, at=at))

    def answer(
        self, question_id: str, answer: str | Iterable[str], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Record the answer to an earlier question or to the next one.

        Repeating an answer changes nothing; a different one replaces the earlier answer at the
        present position.

        Args:
            question_id: id of the question.
            answer: the value of one of its choices; a list of values, possibly empty, for
                ``categories``.
            at: time of the event.

        Raises:
            ConfigError: an unknown question, or an answer that is none of its choices.
        """
        before: list[Event] = []
        question = self._history.questions.get(question_id)
        if question is None:
            question = self.next_question()
            if question is None or question.question_id != question_id:
                raise ConfigError(
                    f"question {question_id!r} was not asked",
                    hint="nothing is left to ask"
                    if question is None
                    else f"the question now is {question.question_id!r}; ask() keeps one open",
                )
            before = [_event(QuestionAsked, question=question, at=at)]
        read = question.read(answer)
        if self._history.answers.get(question_id) == read:
            return self
        answered = _event(QuestionAnswered, question_id=question_id, answer=read, at=at)
        return self._and_then(*before, answered)

    def say(
        self,
        text: str,
        *,
        replaces: bool = False,
        without: Iterable[tuple[int, int]] = (),
        at: datetime | None = None,
    ) -> OnboardingSession:
        """Record a text; ``understood`` holds it parsed.

        Args:
            text: in the user's words.
            replaces: whether it takes the place of all texts before, which leave the state, and of
                the profile's ``about``; an empty one takes them back.
            without: parts of the cleaned text (``understood.text``) that are not meant, as (start,
                end), such as ``spans`` of a chip.
            at: time of the event.

        Raises:
            ProfileError: not a string, empty, longer than 2,000 characters, or a part that is not
                in it.
        """
        cleaned = clean_text(text) if isinstance(text, str) else ""
        empty = not cleaned and not (replaces and isinstance(text, str))
        if empty or len(cleaned) > MOST_TEXT:
            raise ProfileError(
                f"the text has {len(cleaned)} characters, at most {MOST_TEXT} are read"
                if cleaned
                else f"the text is {text!r}",
                hint="say what you like in a few words",
            )
        parts = tuple(without)
        if any(not 0 <= start < end <= len(cleaned) for start, end in parts):
            raise ProfileError(
                f"without is {parts}, the text has {len(cleaned)} characters",
                hint="give (start, end) of parts of it, such as the spans of a chip",
            )
        said = _event(TextGiven, text=cleaned, replaces=replaces, without=parts, at=at)
        if not replaces:
            return self._and_then(said)
        kept = tuple(e for e in self._state.events if not isinstance(e, TextGiven))
        return self._with(SessionState(events=(*kept, said)))

    def feedback(
        self, item_id: str, kind: FeedbackKind, *, at: datetime | None = None
    ) -> OnboardingSession:
        """Record feedback on an item.

        Args:
            item_id: an id of the catalog.
            kind: ``like`` and ``dislike`` are opinions, of which the last counts. ``skip`` and
                ``not_now`` keep the item from the next ``SNOOZE`` lists. ``seen`` keeps it from all
                lists and is no opinion. ``forget`` takes back all of these.
            at: time of the event.

        Raises:
            ProfileError: an unknown item.
            ConfigError: an unknown kind.
        """
        if kind not in get_args(FeedbackKind):
            known = ", ".join(get_args(FeedbackKind))
            raise ConfigError(f"feedback is {kind!r}", hint=f"one of {known}")
        self._check_items([item_id])
        return self._and_then(_event(FeedbackGiven, item_id=item_id, did=kind, at=at))

    def boost(
        self, boost: Boost | Mapping[str, Any], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Set a boost; it replaces one of the same name.

        Raises:
            ConfigError: malformed, or an expiry without a time zone.
            ProfileError: an item that is not in the catalog.
        """
        wanted = parse(Boost, boost, "boost", ConfigError)
        self._check_items(wanted.items)
        return self._and_then(_event(BoostApplied, boost=wanted, at=at))

    def shown(
        self, items: RecommendationList | Iterable[str], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Record that a list was shown: counts towards ``exposed`` and the end of snoozes.

        Raises:
            ProfileError: an item that is not in the catalog.
        """
        ids = items.item_ids if isinstance(items, RecommendationList) else list(items)
        self._check_items(ids)
        return self._and_then(_event(ListShown, items=tuple(ids), at=at))

    # -- asking and showing ----------------------------------------------------------------------

    def next_question(self) -> Question | None:
        """The open question, else the quiz's next one; ``None`` at the end of the quiz.

        Profile and texts narrow what is asked about: nothing rejected, for a child what suits it,
        and what is close to the wishes, if that is enough to ask about. An open question that they
        rule out meanwhile is passed over.
        """
        if waiting := self.open_questions(1):
            return waiting[0]
        with one_blas_thread():
            return self._quiz.question(self._quiz_state())

    def open_questions(self, most: int) -> list[Question]:
        """Questions that were presented and not answered, oldest first.

        Without those about items that profile or later texts rule out.

        Args:
            most: number of questions at most.
        """
        answers, questions = self._history.answers, self._history.questions
        waiting = [q for i, q in questions.items() if i not in answers]
        if not waiting or self.understood_so_far == Understood():
            return waiting[:most]
        fits = suitable(self._item_store, self.profile, self.understood_so_far)
        rows = self._item_store.rows
        out = (q for q in waiting if all(fits[rows[i]] for i in q.items if i in rows))
        return list(islice(out, most))

    # -- internals -------------------------------------------------------------------------------

    @cached_property
    def _history(self) -> History:
        return read_history(self._state, self._recommender.pipeline.understand.read)

    def _quiz_state(self) -> QuizState:
        return QuizState.of(
            self._item_store, self._history, self._askable, self._seed, self.understood_so_far
        )

    def _and_then(self, *events: Event) -> OnboardingSession:
        return self._with(self._state.and_then(*events))

    def _with(self, state: SessionState) -> OnboardingSession:
        return OnboardingSession(
            self._recommender,
            state,
            quiz=self._quiz,
            exploration=self._exploration,
            askable=self._askable,
            seed=self._seed,
        )

    def _check_items(self, ids: Iterable[str]) -> None:
        catalog = self._recommender.catalog
        for item_id in ids:
            if isinstance(item_id, str) and item_id in catalog:
                continue
            near = catalog.suggest(item_id, 1) if isinstance(item_id, str) else []
            raise ProfileError(
                f"no item {item_id!r} in the catalog",
                hint=f"give an id{f', such as that of {near[0]!r}' if near else ''}",
            )


def _event(kind: type[E], **fields: Any) -> E:
    """Build an event; invalid fields raise ``ConfigError``."""
    return parse(kind, fields, "event", ConfigError)
