"""Sessions of the store put before the recommender: load, one step, save, again if overtaken.

What a step computes is computed by the worker; the store is asked from other threads, so that a
slow disk keeps nobody from their list.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

from coldstart.errors import ConfigError
from coldstart.schema import Context, RecommendationList, UserProfile
from coldstart.serve import cards
from coldstart.serve.batching import Ask
from coldstart.serve.errors import Refusal, invalid
from coldstart.serve.models import (
    AnswerIn,
    FeedbackIn,
    ListIn,
    QuestionOut,
    SessionIn,
    TextIn,
    plain,
)
from coldstart.serve.store import Conflict, Feedback, Session, new_session_id
from coldstart.session import OnboardingSession, SessionState, Understood

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.service import Service

_TRIES = 5
T = TypeVar("T")
Step = Callable[[OnboardingSession], OnboardingSession]


@dataclass(frozen=True)
class Stored:
    """What the store keeps of a session besides its own fields."""

    quiz: str
    exploration: float
    state: SessionState

    @classmethod
    def read(cls, text: str) -> Stored:
        """Read what ``write`` wrote."""
        raw = json.loads(text)
        state = SessionState.model_validate(raw["state"])
        return cls(raw["quiz"], raw["exploration"], state)

    def write(self) -> str:
        """As JSON."""
        state = json.loads(self.state.model_dump_json())
        return json.dumps({"quiz": self.quiz, "exploration": self.exploration, "state": state})

    def on(self, recommender: Recommender) -> OnboardingSession:
        """The session, ready to go on."""
        return OnboardingSession(
            recommender, self.state, quiz=self.quiz, exploration=self.exploration
        )


class Visits:
    """What can be done with sessions.

    Args:
        service: whose worker and store are used.
    """

    def __init__(self, service: Service) -> None:
        self._service, self._store = service, service.store

    async def begin(self, asked: SessionIn) -> Session:
        """Make a session, in the arm that its id falls into."""
        service, session_id = self._service, new_session_id()
        arm = service.experiment.arm_of(session_id) if service.experiment else None
        profile = plain(asked.profile)

        def first(recommender: Recommender) -> SessionState:
            session = OnboardingSession(recommender, quiz=asked.quiz)
            user = recommender.resolve(profile, unknown_picks=asked.unknown_picks)
            return session.state if profile.is_empty() else session.with_profile(user.profile).state

        state = await service.worker.call(first, arm or service.arm)
        stored = Stored(asked.quiz, asked.exploration, state)
        return await run_in_threadpool(
            self._store.create,
            stored.write(),
            artifact=service.artifact_of(arm),
            experiment=service.experiment.name if service.experiment and arm else None,
            arm=arm,
            session_id=session_id,
        )

    async def questions(self, session_id: str, n: int) -> QuestionOut:
        """The next ``n`` questions, or fewer; they stay open until they are answered."""

        def ask(stored: Stored, recommender: Recommender) -> tuple[SessionState, QuestionOut]:
            state, questions = cards.put(stored.on(recommender), n)
            return state, cards.shown(questions, recommender)

        return await self._kept(session_id, ask)

    async def answer(self, session_id: str, said: AnswerIn, key: str | None) -> bool:
        """Note an answer; returns whether it was known already."""

        def step(session: OnboardingSession) -> OnboardingSession:
            try:
                return session.answer(said.question_id, said.answer)
            except ConfigError:
                raise invalid(
                    "the question was not asked, or the answer is none of its choices",
                    "GET /v1/sessions/{id}/questions has the question and its choices",
                ) from None

        return (await self._noted(session_id, "answer", None, said.model_dump_json(), key, step))[0]

    async def feedback(self, session_id: str, said: FeedbackIn, key: str | None) -> bool:
        """Note what somebody did with an item; returns whether it was known already."""

        def step(session: OnboardingSession) -> OnboardingSession:
            return session.feedback(said.item_id, said.kind)

        return (await self._noted(session_id, said.kind, said.item_id, "", key, step))[0]

    async def text(self, session_id: str, said: TextIn, key: str | None) -> tuple[bool, Understood]:
        """Note what somebody says; returns whether it was known, and what it was read as."""
        repeated, session = await self._noted(
            session_id, "text", None, said.text, key, lambda s: s.say(said.text)
        )
        return repeated, session.understood

    async def recommend(self, session_id: str, asked: ListIn) -> tuple[RecommendationList, str]:
        """Make a list, and put on record that it was shown; returns it with the record's id."""
        for _ in range(_TRIES):
            found, stored, arm = await self._load(session_id)
            answered = await self._service.worker.ask(_list_of(stored, asked), arm)
            assert answered.state is not None
            if await self._save(found, stored, answered.state):
                break
        else:
            raise _overtaken()
        request_id = secrets.token_hex(8)
        shown = answered.made.item_ids
        await run_in_threadpool(self._store.expose, session_id, request_id, shown)
        return answered.made, request_id

    async def _kept(
        self, session_id: str, take: Callable[[Stored, Recommender], tuple[SessionState, T]]
    ) -> T:
        """Save the state that ``take`` makes, if it is another one; returns what else it makes."""
        for _ in range(_TRIES):
            found, stored, arm = await self._load(session_id)
            state, out = await self._service.worker.call(partial(take, stored), arm)
            if await self._save(found, stored, state):
                return out
        raise _overtaken()

    async def _save(self, found: Session, stored: Stored, state: SessionState) -> bool:
        """Save a state if it is another one; returns whether nobody else did in between."""
        if state == stored.state:
            return True
        new = replace(found, state=replace(stored, state=state).write())
        try:
            await run_in_threadpool(self._store.save, new, found.version)
        except Conflict:
            return False
        return True

    async def _noted(
        self, session_id: str, kind: str, item: str | None, detail: str, key: str | None, step: Step
    ) -> tuple[bool, OnboardingSession]:
        """Take a step and store it with what was said, both or neither."""
        said = Feedback(key or secrets.token_hex(16), kind, item, detail)
        for _ in range(_TRIES):
            found, stored, arm = await self._load(session_id)
            after = await self._service.worker.call(_on(stored, step), arm)
            new = replace(found, state=replace(stored, state=after.state).write())
            try:
                done = await run_in_threadpool(
                    self._store.append, session_id, said, new, found.version
                )
                return done.repeated, after
            except Conflict:
                continue
        raise _overtaken()

    async def _load(self, session_id: str) -> tuple[Session, Stored, str]:
        found = await run_in_threadpool(self._store.load, session_id)
        return found, Stored.read(found.state), found.arm or self._service.arm


def _on(stored: Stored, step: Callable[[OnboardingSession], T]) -> Callable[[Recommender], T]:
    return lambda recommender: step(stored.on(recommender))


def _list_of(stored: Stored, asked: ListIn) -> Ask:
    return Ask(
        UserProfile(),
        Context.model_validate(asked.context.model_dump()),
        {
            "k": asked.k,
            "filters": asked.filters.build(),
            "strategy": asked.strategy,
            "diversity": asked.diversity,
            "near_duplicates": asked.near_duplicates,
        },
        visit=stored.on,
        explores=stored.exploration > 0,
    )


def _overtaken() -> Refusal:
    return Refusal(409, "conflict", "others change this session at the same time", "send it again")
