"""``/v1/outcomes``: what came of lists shown without a session; and those people's data."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from coldstart.serve.errors import not_found
from coldstart.serve.models import Erased, OutcomeIn, OutcomeNoted, SubjectIn
from coldstart.serve.routes.common import KEYS, Admin, IdempotencyKey, Served, errors
from coldstart.serve.store import ExposureNotFound

router = APIRouter(prefix="/v1", tags=["recommend"], dependencies=KEYS)


@router.post("/outcomes", responses=errors(404, 409))
async def record(said: OutcomeIn, service: Served, key: IdempotencyKey = None) -> OutcomeNoted:
    """Tell what somebody did with an item of a list, for the A/B test they take part in."""
    try:
        repeated = await run_in_threadpool(
            service.store.record,
            said.exposure_id,
            key or secrets.token_hex(16),
            said.kind,
            said.item_id,
        )
    except ExposureNotFound:
        raise not_found("exposure", "it has expired, or its subject was erased") from None
    return OutcomeNoted(repeated=repeated)


# Subjects can be guessed, unlike ids of sessions: hence the admin's key. They are sent in the
# body, as paths end up in the logs of whatever stands in front of the service.


@router.post("/subjects/export", responses=errors(403))
async def export(asked: SubjectIn, service: Served, _: Admin) -> list[dict[str, Any]]:
    """All that is stored about a subject: the lists shown, and what came of them."""
    return await run_in_threadpool(service.store.export_subject, asked.subject)


@router.post("/subjects/erase", responses=errors(403))
async def erase(asked: SubjectIn, service: Served, _: Admin) -> Erased:
    """Erase all that is stored about a subject; nothing is not an error."""
    deleted = await run_in_threadpool(service.store.erase_subject, asked.subject)
    return Erased(lists=deleted.lists, outcomes=deleted.outcomes)
