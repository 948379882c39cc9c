"""Operations: liveness, readiness and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from coldstart.serve import logs, metrics
from coldstart.serve.errors import ApiError, ErrorBody
from coldstart.serve.routes.common import Served
from coldstart.serve.store import StoreError

router = APIRouter(tags=["operations"])


class Status(BaseModel):
    """Status of the service."""

    status: str


@router.get("/healthz")
async def healthz() -> Status:
    """Liveness: the process runs."""
    return Status(status="ok")


@router.get("/readyz", responses={503: {"model": ErrorBody, "description": "Not ready."}})
async def readyz(service: Served) -> Status:
    """Readiness: the recommender is available, the store can be written, no shutdown began."""
    if not service.ready:
        raise ApiError(503, "not_ready", "the service is going down", "ask another", retry_after=5)
    try:
        await run_in_threadpool(service.store.check_writable)
    except StoreError as e:
        raise store_not_writable(e) from None
    return Status(status="ready")


def store_not_writable(e: StoreError) -> ApiError:
    """503 for readiness, whose reason goes to the log."""
    logs.failure("store", e, reason=e.message)
    return ApiError(
        503, "not_ready", "the store cannot be written", "the log says why", retry_after=5
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def numbers(service: Served) -> Response:
    """Metrics in the Prometheus text format."""
    return Response(service.metrics.text(), media_type=metrics.CONTENT_TYPE)
