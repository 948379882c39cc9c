"""``/v1/sessions``: onboarding sessions, from the first question to personalized lists."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from coldstart.ranking.wording.chips import chips
from coldstart.ranking.wording.sentences import supported
from coldstart.schema import MAX_K, Strategy, Understood
from coldstart.serve import costs
from coldstart.serve.admission import charge
from coldstart.serve.cards import ShownItems
from coldstart.serve.errors import not_found
from coldstart.serve.questionnaire import onboarding_form
from coldstart.serve.request_fields import Language
from coldstart.serve.requests import (
    AllTextIn,
    AnswerIn,
    FeedbackIn,
    ListIn,
    ProfileOnlyIn,
    RowsIn,
    SessionIn,
    TextIn,
)
from coldstart.serve.responses import (
    FormOut,
    ListOut,
    Noted,
    QuestionOut,
    SessionOut,
    SessionRows,
    TextNoted,
)
from coldstart.serve.routes.common import (
    KEYS,
    Accepted,
    IdempotencyKey,
    Served,
    SessionPath,
    check_k,
    errors,
)
from coldstart.serve.session_service import SessionService

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=KEYS)
_ONE = "/{session_id}"


@router.post("", status_code=201, responses=errors())
async def begin(body: SessionIn, service: Served) -> SessionOut:
    """Begin a session. Its id authenticates the user: keep it secret."""
    session = await SessionService(service).begin(body)
    return SessionOut(session_id=session.id, expires=session.expires)


@router.get("", responses=errors())
async def get_form(
    service: Served, accepted: Accepted, language: Language | None = None
) -> FormOut:
    """Fields and values for a form that begins a session, and example requests."""
    spoken = supported(language or accepted) or "en"
    form = partial(onboarding_form, language=spoken, most=service.settings.max_k)
    return await service.worker.call(form, service.arm)


@router.get(_ONE, responses=errors(404))
async def export(session_id: SessionPath, service: Served) -> dict[str, Any]:
    """Export all data of the session."""
    return await run_in_threadpool(service.store.export, session_id)


@router.delete(_ONE, status_code=204, responses=errors(404))
async def erase(session_id: SessionPath, service: Served) -> None:
    """Erase all data of the session."""
    if not await run_in_threadpool(service.store.erase, session_id):
        raise not_found("session")
    await service.forget()


@router.put(_ONE + "/profile", responses=errors(404, 409))
async def profile(
    session_id: SessionPath, body: ProfileOnlyIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Replace the profile; opinions and texts of the session stay."""
    return Noted(repeated=await SessionService(service).replace_profile(session_id, body, key))


@router.get(_ONE + "/questions", responses=errors(404, 409))
async def question(
    session_id: SessionPath,
    service: Served,
    n: Annotated[int, Query(ge=1, le=100, description="Number of open questions.")] = 1,
) -> QuestionOut:
    """Get the next questions. They stay the same until they are answered."""
    charge(costs.of_questions(n))
    return await SessionService(service).questions(session_id, n)


@router.post(_ONE + "/answers", responses=errors(404, 409))
async def answer(
    session_id: SessionPath, body: AnswerIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Answer a question; a later answer to the same question replaces an earlier one."""
    return Noted(repeated=await SessionService(service).answer(session_id, body, key))


@router.post(_ONE + "/feedback", responses=errors(404, 409))
async def feedback(
    session_id: SessionPath, body: FeedbackIn, service: Served, key: IdempotencyKey = None
) -> Noted:
    """Give feedback on an item; it is reflected in the next list."""
    return Noted(repeated=await SessionService(service).feedback(session_id, body, key))


@router.post(_ONE + "/text", responses=errors(404, 409))
async def text(
    session_id: SessionPath,
    body: TextIn,
    service: Served,
    accepted: Accepted,
    key: IdempotencyKey = None,
) -> TextNoted:
    """Send free text, in addition to earlier texts; the response contains its interpretation."""
    repeated, understood = await SessionService(service).text(session_id, body, key)
    return _noted(repeated, understood, accepted)


@router.put(_ONE + "/text", responses=errors(404, 409))
async def all_text(
    session_id: SessionPath,
    body: AllTextIn,
    service: Served,
    accepted: Accepted,
    key: IdempotencyKey = None,
) -> TextNoted:
    """Replace all texts by this one, less some parts; an empty one takes them back."""
    repeated, understood = await SessionService(service).all_text(session_id, body, key)
    return _noted(repeated, understood, accepted)


def _noted(repeated: bool, understood: Understood, language: str) -> TextNoted:
    labels = list(chips(understood, language))
    return TextNoted(repeated=repeated, understood=understood, chips=labels)


@router.get(_ONE + "/recommendations", responses=errors(404, 409), response_model_exclude_none=True)
async def quick_list(
    session_id: SessionPath,
    service: Served,
    accepted: Accepted,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    strategy: Strategy = "catalog",
    language: Language | None = None,
) -> ListOut:
    """Get a list for the current session state; it is recorded as shown."""
    body = ListIn(k=k, strategy=strategy, language=language or accepted)
    return await _list(session_id, body, service)


@router.post(
    _ONE + "/recommendations", responses=errors(404, 409), response_model_exclude_none=True
)
async def full_list(
    session_id: SessionPath, body: ListIn, service: Served, accepted: Accepted
) -> ListOut:
    """Get a list with context, filters and diversity; it is recorded as shown."""
    body = body.model_copy(update={"language": body.language or accepted})
    return await _list(session_id, body, service)


@router.post(_ONE + "/rows", responses=errors(404, 409), response_model_exclude_none=True)
async def rows(
    session_id: SessionPath, body: RowsIn, service: Served, accepted: Accepted
) -> SessionRows:
    """Get several short lists, each with a rule of its own; they are recorded as shown.

    `asked` is the list of `…/recommendations`, `because` what is like one liked item, `people` what
    was chosen after recorded requests like this one, `different` what is unlike all of these.
    """
    check_k(service, body.k)
    charge(costs.of_list(body.strategy))
    found, items, request_id = await SessionService(service).rows(session_id, body)
    shown, language = ShownItems(items, service.pictures), body.language or accepted
    out = SessionRows.of(found, shown, explain=body.explain, language=language)
    return out.model_copy(update={"request_id": request_id})


async def _list(session_id: str, body: ListIn, service: Served) -> ListOut:
    check_k(service, body.k)
    charge(costs.of_list(body.strategy))
    found, request_id = await SessionService(service).recommend(session_id, body)
    response = ListOut.of(
        found.recommendations,
        ShownItems(found.items, service.pictures),
        explain=body.explain,
        language=body.language or "en",
    )
    return response.model_copy(update={"request_id": request_id})
