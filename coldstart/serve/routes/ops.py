"""Health, numbers and reloads."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from coldstart.errors import ColdstartError
from coldstart.serve import logs, metrics
from coldstart.serve.errors import ErrorBody, Refusal
from coldstart.serve.routes.common import KEYS, Admin, Served, errors
from coldstart.serve.store import StoreError

router = APIRouter(tags=["operations"])


class Status(BaseModel):
    """How it is."""

    status: str


@router.get("/healthz")
async def healthz() -> Status:
    """The process runs."""
    return Status(status="ok")


@router.get("/readyz", responses={503: {"model": ErrorBody, "description": "Send nothing here."}})
async def readyz(service: Served) -> Status:
    """New requests are welcome: a recommender answers, the store too, and no shutdown is near."""
    if not service.ready:
        raise Refusal(503, "not_ready", "the service is going down", "ask another", retry_after=5)
    try:
        await run_in_threadpool(service.store.ping)
    except StoreError as e:
        logs.failure("store", e)
        raise Refusal(503, "not_ready", "the store does not answer", "", retry_after=5) from None
    return Status(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def numbers(service: Served) -> Response:
    """Counts, times and queue lengths for Prometheus."""
    return Response(service.metrics.text(), media_type=metrics.CONTENT_TYPE)


@router.post(
    "/v1/admin/reload", responses=errors(403, 409) | {500: {"model": ErrorBody}}, dependencies=KEYS
)
async def reload(service: Served, _: Admin) -> Status:
    """Load the artifact again beside the one in use, then swap; requests go on meanwhile."""
    try:
        await service.reload()
    except ColdstartError:
        raise Refusal(
            500, "reload_failed", "the artifact cannot be loaded", "the old one stays; see the log"
        ) from None
    return Status(status="reloaded")
