"""The session: ask, listen, show, and follow what a person does, one immutable step at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np
from pydantic import BaseModel

from coldstart.catalog.item_store import ItemStore
from coldstart.errors import CatalogError, ConfigError, ProfileError
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.profile.understanding import Understanding, Understood
from coldstart.protocols import Filter
from coldstart.ranking.filters import default_filters, verdict
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import (
    MAX_K,
    Context,
    RecommendationList,
    Strategy,
    UserProfile,
    parse,
)
from coldstart.scoring.cached_scorer import cached
from coldstart.session.exploration import PLAUSIBLE, explore
from coldstart.session.history import History, read_history
from coldstart.session.quiz import Known, Quiz, Tables
from coldstart.session.registry import DEFAULT_QUIZ, find_quiz
from coldstart.session.showing import NotNow, adjustments_of
from coldstart.session.state import (
    Answered,
    Asked,
    Boost,
    Boosted,
    Event,
    Feedback,
    FeedbackKind,
    ProfileGiven,
    Question,
    Said,
    SessionState,
    Shown,
)

if TYPE_CHECKING:
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.recommender import Recommender

E = TypeVar("E", bound=BaseModel)
_UNDERSTANDING: Tables[Understanding] = Tables(Understanding)


class OnboardingSession:
    """A person from the first question to a list that follows what they do.

    A session never changes: every action returns a new one, and all that a session knows is in its
    ``state``. The same recommender, state, quiz and seed give the same question and the same list;
    only boosts depend on the time.

    >>> session = OnboardingSession(recommender)                              # doctest: +SKIP
    >>> question = session.next_question()                                    # doctest: +SKIP
    >>> session = session.answer(question.question_id, "like")                # doctest: +SKIP
    >>> session = session.shown(session.recommend(k=5))                       # doctest: +SKIP

    Args:
        recommender: answers; its catalog may change between actions.
        state: where to go on; items that the catalog lacks by now are passed over.
        quiz: a name of ``QUIZZES``, or a quiz.
        exploration: share of the places of a list, from 0 to 1, for items whose opinion would tell
            most.
        askable: ids of the items that may be asked about; ``None`` for all.
        seed: of whatever a quiz draws.

    Raises:
        ConfigError: an option out of range, or a state that is none.
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

    # -- what is known ---------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """All that happened; write it with ``model_dump_json`` and go on from it later."""
        return self._state

    @property
    def profile(self) -> UserProfile:
        """What the person has told us by now; items are ids, the latest last.

        ``history`` is kept from the profile given, until a like comes from an answer, a text or
        feedback: those are favourites.
        """
        return self._history.profile

    @property
    def exposed(self) -> tuple[str, ...]:
        """Ids of the items shown so far, each once, in the order they were shown."""
        return tuple(self._history.shown)

    @property
    def understood(self) -> Understood:
        """What the last text was read as; empty if none was said."""
        return self._history.texts[-1] if self._history.texts else Understood()

    @property
    def answers(self) -> dict[str, str | tuple[str, ...]]:
        """The answer that counts, by question id."""
        return dict(self._history.answers)

    # -- actions: each returns a new session -----------------------------------------------------

    def with_profile(
        self, profile: UserProfile | Mapping[str, Any], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Note what the person filled in; it takes the place of an earlier profile.

        Raises:
            ProfileError: malformed, or a pick that is not in the catalog.
        """
        user = self._recommender.resolve(profile, unknown_picks="error")
        return self._and_then(_made(ProfileGiven, profile=user.profile, at=at))

    def ask(self, *, at: datetime | None = None) -> OnboardingSession:
        """Note that the next question is put, so that it can be answered whatever comes between.

        Unchanged if an earlier question is still open, or nothing is left to ask.
        """
        question = self.next_question()
        if question is None or self._history.pending is not None:
            return self
        return self._and_then(_made(Asked, question=question, at=at))

    def answer(
        self, question_id: str, answer: str | Iterable[str], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Answer a question that was put, or the next one.

        The same answer again changes nothing; another one takes the place of the first, as if the
        question had been answered now.

        Args:
            question_id: of the question.
            answer: one of its choices' values; a list of them for ``categories``, which may be
                empty.
            at: when.

        Raises:
            ConfigError: no such question was put, or the answer is none of its choices.
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
            before = [_made(Asked, question=question, at=at)]
        read = question.read(answer)
        if self._history.answers.get(question_id) == read:
            return self
        answered = _made(Answered, question_id=question_id, answer=read, at=at)
        return self._and_then(*before, answered)

    def say(self, text: str, *, at: datetime | None = None) -> OnboardingSession:
        """Note what the person wrote; ``understood`` says what it was read as.

        Raises:
            ProfileError: it is empty, no text, or longer than 2,000 characters.
        """
        said = _UNDERSTANDING.of(self._item_store).read(text)
        return self._and_then(_made(Said, text=said.text, at=at))

    def feedback(
        self, item_id: str, kind: FeedbackKind, *, at: datetime | None = None
    ) -> OnboardingSession:
        """Note what the person did with an item.

        Args:
            item_id: of the catalog.
            kind: ``like`` and ``dislike`` are opinions, the last one counts. ``skip`` and
                ``not_now`` keep the item from the next ``SNOOZE`` lists. ``seen`` keeps it from all
                lists, and says nothing about liking it.
            at: when.

        Raises:
            ProfileError: no such item.
            ConfigError: no such kind.
        """
        if kind not in get_args(FeedbackKind):
            known = ", ".join(get_args(FeedbackKind))
            raise ConfigError(f"feedback is {kind!r}", hint=f"one of {known}")
        self._check_items([item_id])
        return self._and_then(_made(Feedback, item_id=item_id, did=kind, at=at))

    def boost(
        self, boost: Boost | Mapping[str, Any], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Put a boost in place; one of the same name is replaced.

        Raises:
            ConfigError: malformed, or its end has no time zone.
            ProfileError: an item that is not in the catalog.
        """
        wanted = parse(Boost, boost, "boost", ConfigError)
        self._check_items(wanted.items)
        return self._and_then(_made(Boosted, boost=wanted, at=at))

    def shown(
        self, items: RecommendationList | Iterable[str], *, at: datetime | None = None
    ) -> OnboardingSession:
        """Note that a list was shown: it counts towards ``exposed`` and the end of a ``skip``.

        Raises:
            ProfileError: an item that is not in the catalog.
        """
        ids = items.item_ids if isinstance(items, RecommendationList) else list(items)
        self._check_items(ids)
        return self._and_then(_made(Shown, items=tuple(ids), at=at))

    # -- asking and showing ----------------------------------------------------------------------

    def next_question(self) -> Question | None:
        """The question put and not answered, else what the quiz asks next; ``None`` at its end."""
        if self._history.pending is not None:
            return self._history.pending
        with one_blas_thread():
            return self._quiz.question(self._known())

    def recommend(
        self,
        k: int = 10,
        context: Context | Mapping[str, Any] | None = None,
        filters: Iterable[Filter] | None = None,
        strategy: Strategy = "catalog",
        diversity: float = 0.0,
        *,
        near_duplicates: bool = False,
        now: datetime | None = None,
    ) -> RecommendationList:
        """The list for all that is known; see ``Recommender.recommend``.

        The session stays as it is: hand what was really shown to ``shown``.

        Args:
            k: how many items.
            context: the moment.
            filters: besides those of the session; ``None`` for ``default_filters()``.
            strategy: as for ``Recommender.recommend``.
            diversity: likewise.
            near_duplicates: likewise.
            now: with a time zone, decides which boosts have expired; ``None`` for the clock.

        Raises:
            ConfigError: an option out of range, or a time without a time zone.
        """
        user, options = self.request(
            k, context, filters, strategy, diversity, near_duplicates=near_duplicates, now=now
        )
        pipeline = self._recommender.pipeline
        if not self._exploration:
            return pipeline.one(RecommendRequest(user, options))
        # The language model is asked once for both lists.
        scorers = self._recommender.scorers.replaced(cached)
        wider = replace(options, k=min(PLAUSIBLE * k, MAX_K), diversity=0.0)
        wide = pipeline.one(RecommendRequest(user, wider), scorers)
        best = pipeline.one(RecommendRequest(user, options), scorers)
        places = math.floor(self._exploration * len(best) + 0.5)
        if not places:
            return best
        with one_blas_thread():
            values = self._quiz.value(self._known())
        return explore(
            best,
            wide,
            values,
            self._item_store,
            places=places,
            shown=self._history.shown,
            near_duplicates=near_duplicates,
        )

    def request(
        self,
        k: int = 10,
        context: Context | Mapping[str, Any] | None = None,
        filters: Iterable[Filter] | None = None,
        strategy: Strategy = "catalog",
        diversity: float = 0.0,
        *,
        near_duplicates: bool = False,
        now: datetime | None = None,
    ) -> tuple[ResolvedProfile, RecommendOptions]:
        """What ``recommend`` asks of the recommender: who it is by now, and which list.

        Exploration comes on top. Takes and raises what ``recommend`` does.
        """
        if now is not None and now.utcoffset() is None:
            raise ConfigError(f"now is {now}, without a time zone", hint="datetime.now(UTC)")
        asked = default_filters() if filters is None else filters
        options = RecommendOptions(
            k,
            strategy,
            (*asked, NotNow(self._history)),
            diversity,
            near_duplicates=near_duplicates,
            adjustments=adjustments_of(self._history, self._item_store, now or datetime.now(UTC)),
        )
        return self._recommender.resolve(self.profile, context), options

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _item_store(self) -> ItemStore:
        item_store = self._recommender.item_store
        item_store.sync()
        return item_store

    @cached_property
    def _history(self) -> History:
        return read_history(self._state, _UNDERSTANDING.of(self._item_store).read)

    def _known(self) -> Known:
        """What the quiz is told: opinions, and what may be asked about."""
        item_store, history = self._item_store, self._history
        rows, profile = item_store.rows, self.profile

        def those(ids: Iterable[str]) -> tuple[int, ...]:
            return tuple(rows[i] for i in ids if i in rows)

        allowed, moment = default_filters(), Context()
        askable = np.array(
            [verdict(item, allowed, profile, moment) is None for item in item_store.catalog]
        )
        about = (i for question in history.questions.values() for i in question.items)
        askable[list(those([*about, *history.snoozed]))] = False
        if self._askable is not None:
            askable &= np.array([i in self._askable for i in item_store.ids])
        return Known(
            item_store,
            those(history.liked),
            those(history.disliked),
            those(history.unfamiliar),
            askable,
            frozenset(history.questions),
            self._seed,
        )

    def _and_then(self, *events: Event) -> OnboardingSession:
        return OnboardingSession(
            self._recommender,
            self._state.and_then(*events),
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


def _made(event: type[E], **fields: Any) -> E:
    """Make an event; what does not fit is a ``ConfigError``."""
    return parse(event, fields, "event", ConfigError)
