"""``/v1/sessions``: somebody from the first question to lists that follow what they do."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from coldstart.schema import MAX_K, Strategy
from coldstart.serve import cards
from coldstart.serve.errors import not_found
from coldstart.serve.models import (
    AnswerIn,
    FeedbackIn,
    FormOut,
    ListIn,
    ListOut,
    Noted,
    QuestionOut,
    SessionIn,
    SessionOut,
    TextIn,
)
from coldstart.serve.routes.common import (
    KEYS,
    IdempotencyKey,
    Served,
    SessionPath,
    check_k,
    errors,
)
from coldstart.serve.visits import Visits

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=KEYS)
_ONE = "/{session_id}"


@router.post("", status_code=201, responses=errors())
async def begin(asked: SessionIn, service: Served) -> SessionOut:
    """Begin a session. Keep its id secret: whoever knows it is the person."""
    made = await Visits(service).begin(asked)
    return SessionOut(session_id=made.id, expires=made.expires)


@router.get("", responses=errors())
async def get_form(service: Served) -> FormOut:
    """What a form that begins a session can ask; all of it may be left out."""
    return await service.worker.call(cards.form, service.arm)


@router.get(_ONE, responses=errors(404))
async def export(session_id: SessionPath, service: Served) -> dict[str, Any]:
    """All that is stored about the person."""
    return await run_in_threadpool(service.store.export, session_id)


@router.delete(_ONE, status_code=204, responses=errors(404))
async def erase(session_id: SessionPath, service: Served) -> None:
    """Erase all that is stored about the person."""
    if not await run_in_threadpool(service.store.erase, session_id):
        raise not_found("session")


@router.get(_ONE + "/questions", responses=errors(404, 409))
async def question(
    session_id: SessionPath,
    service: Served,
    n: Annotated[int, Query(ge=1, le=100, description="Questions to have open at once.")] = 1,
) -> QuestionOut:
    """The next question, or several. They stay the same until they are answered."""
    return await Visits(service).questions(session_id, n)


@router.post(_ONE + "/answers", responses=errors(404, 409))
async def answer(
    session_id: SessionPath, said: AnswerIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Answer a question that was put; a later answer takes the place of an earlier one."""
    return Noted(repeated=await Visits(service).answer(session_id, said, key))


@router.post(_ONE + "/feedback", responses=errors(404, 409))
async def feedback(
    session_id: SessionPath, said: FeedbackIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Tell what the person did with an item; the next list follows it."""
    return Noted(repeated=await Visits(service).feedback(session_id, said, key))


@router.post(_ONE + "/text", responses=errors(404, 409))
async def text(
    session_id: SessionPath, said: TextIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Say something, at any moment; the answer tells what it was read as."""
    repeated, understood = await Visits(service).text(session_id, said, key)
    return Noted(repeated=repeated, understood=understood)


@router.get(_ONE + "/recommendations", responses=errors(404, 409), response_model_exclude_none=True)
async def quick_list(
    session_id: SessionPath,
    service: Served,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    strategy: Strategy = "catalog",
) -> ListOut:
    """The list for all that is known by now. It counts as shown: ask once per list shown."""
    return await _list(session_id, ListIn(k=k, strategy=strategy), service)


@router.post(
    _ONE + "/recommendations", responses=errors(404, 409), response_model_exclude_none=True
)
async def full_list(session_id: SessionPath, asked: ListIn, service: Served) -> ListOut:
    """The same, with the moment, filters and diversity."""
    return await _list(session_id, asked, service)


async def _list(session_id: str, asked: ListIn, service: Served) -> ListOut:
    check_k(service, asked.k)
    made, request_id = await Visits(service).recommend(session_id, asked)
    answer = ListOut.of(made, explain=asked.explain)
    return answer.model_copy(update={"request_id": request_id})
