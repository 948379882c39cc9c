"""``/v1/outcomes`` of lists without a session, and ``/v1/subjects`` for the subjects' data."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from coldstart.serve.errors import not_found
from coldstart.serve.requests import OutcomeIn, SubjectIn
from coldstart.serve.responses import Erased, OutcomeNoted
from coldstart.serve.routes.common import KEYS, Admin, IdempotencyKey, Served, errors
from coldstart.serve.store import ExposureNotFound

router = APIRouter(prefix="/v1", tags=["recommend"], dependencies=KEYS)


@router.post("/outcomes", responses=errors(404, 409))
async def record(outcome: OutcomeIn, service: Served, key: IdempotencyKey = None) -> OutcomeNoted:
    """Record the outcome of a recommended item, for the A/B test of its subject."""
    try:
        repeated = await run_in_threadpool(
            service.store.record,
            outcome.exposure_id,
            key or secrets.token_hex(16),
            outcome.kind,
            outcome.item_id,
        )
    except ExposureNotFound:
        raise not_found("exposure", "it has expired, or its subject was erased") from None
    return OutcomeNoted(repeated=repeated)


# Subjects can be guessed, unlike session ids, so these routes need an admin key. Subjects are sent
# in the body, since paths are logged by proxies.


@router.post("/subjects/export", responses=errors(403))
async def export(body: SubjectIn, service: Served, _: Admin) -> list[dict[str, Any]]:
    """Export all data of a subject: lists shown and their outcomes."""
    return await run_in_threadpool(service.store.export_subject, body.subject)


@router.post("/subjects/erase", responses=errors(403))
async def erase(body: SubjectIn, service: Served, _: Admin) -> Erased:
    """Erase all data of a subject; an unknown subject is not an error."""
    deleted = await run_in_threadpool(service.store.erase_subject, body.subject)
    await service.forget()
    return Erased(lists=deleted.lists, outcomes=deleted.outcomes)
