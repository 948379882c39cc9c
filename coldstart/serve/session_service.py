"""Onboarding sessions: load, update, save, with optimistic concurrency control.

Updates are computed by the model worker; the store is accessed from other threads, so that a slow
disk does not block recommendations.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

from coldstart.errors import ConfigError, ProfileError
from coldstart.schema import Context, Item, RecommendationRows, UserProfile
from coldstart.serve import costs
from coldstart.serve.batching import QueuedRequest, RecommendationResult
from coldstart.serve.errors import ApiError, invalid
from coldstart.serve.questionnaire import ask_questions, question_response
from coldstart.serve.requests import (
    AllTextIn,
    AnswerIn,
    FeedbackIn,
    ListIn,
    ProfileOnlyIn,
    RowsIn,
    SessionIn,
    TextIn,
    to_profile,
)
from coldstart.serve.responses import QuestionOut
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.store import Conflict, NewEvent, Session, new_session_id
from coldstart.session import OnboardingSession, SessionState, Understood

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.service import Service

_MAX_ATTEMPTS = 5
MOST_STATE = 1 << 20
"""Bytes of a session's state: some 10,000 events, which every request reads and writes. Lists shown
are recorded in it as long as it has half of them, and in the store always."""
_TAKES_BACK = ("forget", "text_replaced")  # kinds of events with as much room again
T = TypeVar("T")
Step = Callable[[OnboardingSession], OnboardingSession]


class SessionService:
    """Operations on stored sessions.

    Args:
        service: service whose worker and store are used.
    """

    def __init__(self, service: Service) -> None:
        self._service, self._store = service, service.store

    async def begin(self, body: SessionIn) -> Session:
        """Create a session, in the A/B arm that its id hashes to."""
        service, session_id = self._service, new_session_id()
        arm = service.experiment.arm_of(session_id) if service.experiment else None
        profile = to_profile(body.profile)

        def first(recommender: Recommender) -> SessionState:
            session = OnboardingSession(recommender, quiz=body.quiz)
            if profile.is_empty():
                return session.state
            return session.with_profile(profile, unknown_picks=body.unknown_picks).state

        state = await service.worker.call(first, arm or service.arm)
        stored = SessionRecord(body.quiz, body.exploration, state)
        return await run_in_threadpool(
            self._store.create,
            stored.to_json(),
            artifact=service.artifact_of(arm),
            experiment=service.experiment.name if service.experiment and arm else None,
            arm=arm,
            session_id=session_id,
        )

    async def replace_profile(self, session_id: str, body: ProfileOnlyIn, key: str | None) -> bool:
        """Replace the profile; return whether its key had been recorded before."""
        profile = to_profile(body.profile)

        def step(session: OnboardingSession) -> OnboardingSession:
            return session.with_profile(profile, unknown_picks=body.unknown_picks)

        event = body.model_dump_json(exclude_defaults=True)
        return (await self._append_event(session_id, "profile", None, event, key, step))[0]

    async def questions(self, session_id: str, n: int) -> QuestionOut:
        """Next ``n`` questions, or fewer; they stay open until they are answered."""

        def ask(
            stored: SessionRecord, recommender: Recommender
        ) -> tuple[SessionState, QuestionOut]:
            state, questions = ask_questions(stored.open(recommender), n)
            return state, question_response(questions, recommender, self._service.pictures)

        return await self._update(session_id, ask, costs.of_questions(n))

    async def answer(self, session_id: str, body: AnswerIn, key: str | None) -> bool:
        """Record an answer; return whether its key had been recorded before."""

        def step(session: OnboardingSession) -> OnboardingSession:
            try:
                return session.answer(body.question_id, body.answer)
            except ConfigError:
                raise invalid(
                    "the question was not asked, or the answer is none of its choices",
                    "GET /v1/sessions/{id}/questions has the question and its choices",
                ) from None

        detail = body.model_dump_json()
        return (await self._append_event(session_id, "answer", None, detail, key, step))[0]

    async def feedback(self, session_id: str, body: FeedbackIn, key: str | None) -> bool:
        """Record feedback on an item; return whether its key had been recorded before."""

        def step(session: OnboardingSession) -> OnboardingSession:
            try:
                return session.feedback(body.item_id, body.kind)
            except ProfileError:
                raise invalid(
                    "the item is not in the catalog", "GET /v1/items lists them"
                ) from None

        return (await self._append_event(session_id, body.kind, body.item_id, "", key, step))[0]

    async def text(self, session_id: str, body: TextIn, key: str | None) -> tuple[bool, Understood]:
        """Record free text; return (whether its key had been recorded before, interpretation)."""
        repeated, session = await self._append_event(
            session_id, "text", None, body.text, key, lambda s: s.say(body.text)
        )
        return repeated, session.understood

    async def all_text(
        self, session_id: str, body: AllTextIn, key: str | None
    ) -> tuple[bool, Understood]:
        """Replace all texts by one; return as ``text``."""

        def step(session: OnboardingSession) -> OnboardingSession:
            return session.say(body.text, replaces=True, without=body.without)

        event = body.model_dump_json(exclude_defaults=True)
        repeated, session = await self._append_event(
            session_id, "text_replaced", None, event, key, step
        )
        return repeated, session.understood

    async def recommend(self, session_id: str, body: ListIn) -> tuple[RecommendationResult, str]:
        """Recommend, and record the exposure; return the list and the id of the exposure."""
        for _ in range(_MAX_ATTEMPTS):
            found, stored, arm = await self._load(session_id)
            result = await self._service.worker.recommend(_list_request(stored, body), arm)
            assert result.state is not None
            if await self._save_shown(found, stored, result.state):
                break
        else:
            raise _conflict()
        request_id = await self._exposed(session_id, result.recommendations.item_ids, arm)
        return result, request_id

    async def rows(
        self, session_id: str, body: RowsIn
    ) -> tuple[RecommendationRows, Mapping[str, Item], str]:
        """Recommend in rows, and record the exposure; return them, their items and its id."""
        options = _options(body) | {"rows": body.rows}
        context = Context.model_validate(body.context.model_dump())

        def make(
            stored: SessionRecord, recommender: Recommender
        ) -> tuple[SessionState, RecommendationRows, dict[str, Item]]:
            session = stored.open(recommender)
            found = session.rows(context=context, **options)
            items = {item_id: recommender.catalog[item_id] for item_id in found.item_ids}
            return session.shown(found.item_ids).state, found, items

        cost = costs.of_list(body.strategy)
        for _ in range(_MAX_ATTEMPTS):
            read, stored, arm = await self._load(session_id)
            work = partial(make, stored)
            state, found, items = await self._service.worker.call(work, arm, cost=cost)
            if await self._save_shown(read, stored, state):
                request_id = await self._exposed(session_id, found.item_ids, arm)
                return found, items, request_id
        raise _conflict()

    async def _exposed(self, session_id: str, item_ids: list[str], arm: str) -> str:
        """Record what was shown; return the id of the record."""
        request_id = secrets.token_hex(8)
        artifact = self._service.artifact_of(arm)
        await run_in_threadpool(
            self._store.expose, session_id, request_id, item_ids, artifact=artifact
        )
        return request_id

    async def _update(
        self,
        session_id: str,
        change: Callable[[SessionRecord, Recommender], tuple[SessionState, T]],
        cost: float,
    ) -> T:
        """Save the state returned by ``change`` if it differs; return its other result."""
        for _ in range(_MAX_ATTEMPTS):
            found, stored, arm = await self._load(session_id)
            work = partial(change, stored)
            state, out = await self._service.worker.call(work, arm, cost=cost)
            if await self._save(found, stored, state):
                return out
        raise _conflict()

    async def _save_shown(self, found: Session, stored: SessionRecord, state: SessionState) -> bool:
        """Save a state with one more list, unless it is long; return as ``_save``."""
        return len(found.state) > MOST_STATE // 2 or await self._save(found, stored, state)

    async def _save(self, found: Session, stored: SessionRecord, state: SessionState) -> bool:
        """Save a state if it differs; return whether there was no conflicting write."""
        if state == stored.state:
            return True
        new = _changed(found, stored, state, MOST_STATE)
        try:
            await run_in_threadpool(self._store.save, new, found.version)
        except Conflict:
            return False
        return True

    async def _append_event(
        self, session_id: str, kind: str, item: str | None, detail: str, key: str | None, step: Step
    ) -> tuple[bool, OnboardingSession]:
        """Apply a step and store the new state with its event, atomically."""
        event = NewEvent(key or secrets.token_hex(16), kind, item, detail)
        for _ in range(_MAX_ATTEMPTS):
            found, stored, arm = await self._load(session_id)
            after = await self._service.worker.call(_apply(stored, step), arm)
            most = MOST_STATE * (2 if kind in _TAKES_BACK else 1)
            try:
                new = _changed(found, stored, after.state, most)
            except ApiError:
                if await run_in_threadpool(self._store.is_repeated, session_id, event):
                    return True, after
                raise
            try:
                recorded = await run_in_threadpool(
                    self._store.append, session_id, event, new, found.version
                )
                return recorded.repeated, after
            except Conflict:
                continue
        raise _conflict()

    async def _load(self, session_id: str) -> tuple[Session, SessionRecord, str]:
        found = await run_in_threadpool(self._store.load, session_id)
        try:
            record = SessionRecord.from_json(found.state)
        except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
            raise ApiError(
                409,
                "session_damaged",
                "what is stored of the session cannot be read",
                "export it, erase it, and begin another",
            ) from None
        return found, record, found.arm or self._service.arm


def _apply(
    stored: SessionRecord, step: Callable[[OnboardingSession], T]
) -> Callable[[Recommender], T]:
    return lambda recommender: step(stored.open(recommender))


def _list_request(stored: SessionRecord, body: ListIn) -> QueuedRequest:
    return QueuedRequest(
        UserProfile(),
        Context.model_validate(body.context.model_dump()),
        _options(body),
        session=stored.open,
        explores=stored.exploration > 0,
    )


def _options(body: ListIn) -> dict[str, Any]:
    return {
        "k": body.k,
        "filters": body.filters.build(),
        "strategy": body.strategy,
        "diversity": body.diversity,
        "words": body.words,
        "near_duplicates": body.near_duplicates,
        "strict": body.strict,
    }


def _changed(found: Session, stored: SessionRecord, state: SessionState, most: int) -> Session:
    """A session with another state.

    Raises:
        ApiError: 409, the state has become too long.
    """
    text = replace(stored, state=state).to_json()
    if len(text) > max(most, len(found.state)):  # bytes as well: the JSON is ASCII
        raise ApiError(
            409, "session_full", "the session holds as much as one may", "begin another one"
        )
    return replace(found, state=text)


def _conflict() -> ApiError:
    return ApiError(409, "conflict", "others change this session at the same time", "send it again")
