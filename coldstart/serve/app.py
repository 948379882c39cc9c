"""The ASGI application around one ``Service``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from coldstart import __version__
from coldstart.serve import errors, logs, models
from coldstart.serve.gate import Gate
from coldstart.serve.routes import generate, items, ops, outcomes, page, recommend, sessions
from coldstart.serve.service import Service

_FOLLOW_SECONDS = 2.0
_PURGE_SECONDS = 3600.0
_TAGS = [
    {"name": "recommend", "description": "A list for somebody, without a session."},
    {"name": "sessions", "description": "A visit: questions, answers, feedback, text, lists."},
    {"name": "items", "description": "The catalog, changed while it is used."},
    {"name": "generate", "description": "What the language model writes."},
    {"name": "operations", "description": "Health, numbers, reloads."},
]
_NAMES = models.field_names(
    models.RecommendIn,
    models.GenerateIn,
    models.ItemsIn,
    models.SessionIn,
    models.AnswerIn,
    models.FeedbackIn,
    models.TextIn,
    models.ListIn,
    models.OutcomeIn,
    models.SubjectIn,
) | {"body", "query", "path", "header", "session_id", "limit", "offset", "n", "stream"}


def create_app(service: Service) -> FastAPI:
    """The application; starting it starts the service's worker, stopping it closes the store.

    ``/openapi.json`` describes it. There is no page that shows it, since that would load scripts
    from elsewhere.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.worker.start()
        chores = [
            asyncio.create_task(_every(_FOLLOW_SECONDS, "follow", service.follow)),
            asyncio.create_task(_every(_PURGE_SECONDS, "purge", service.purge)),
        ]
        yield
        service.draining = True
        for chore in chores:
            chore.cancel()
        stopped = await run_in_threadpool(service.worker.stop, service.settings.deadline)
        logs.event("stopped", finished=stopped)
        await run_in_threadpool(service.store.close)

    app = FastAPI(
        title="coldstart",
        version=__version__,
        description="Recommendations for people you know almost nothing about.",
        openapi_tags=_TAGS,
        # What it would record on its own, for whoever collects it, quotes requests.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    errors.install(app, _NAMES)
    for router in (page, recommend, outcomes, sessions, items, generate, ops):
        app.include_router(router.router)
    app.add_middleware(Gate, service=service)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key"],
            expose_headers=["Retry-After", "X-Request-Id"],
        )
    return app


async def _every(seconds: float, what: str, chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore again and again; one that fails is logged and tried the next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except Exception as e:
            logs.failure(what, e)
