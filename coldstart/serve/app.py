"""FastAPI application around one ``Service``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from coldstart import __version__
from coldstart.serve import errors, logs, requests
from coldstart.serve.middleware import ServiceMiddleware
from coldstart.serve.reports.reports import Reports
from coldstart.serve.reports.traffic import SAMPLE_SECONDS
from coldstart.serve.routes import (
    admin,
    generate,
    images,
    items,
    ops,
    outcomes,
    page,
    recommend,
    report,
    sessions,
    understand,
)
from coldstart.serve.service import Service

_SYNC_SECONDS = 2.0
_PURGE_SECONDS = 3600.0
_TAGS = [
    {"name": "recommend", "description": "Stateless recommendation, and outcomes of A/B tests."},
    {
        "name": "sessions",
        "description": "Onboarding sessions: questions, answers, feedback, text and lists.",
    },
    {"name": "items", "description": "The catalog and its updates at run time."},
    {"name": "generate", "description": "Title generation with the language model."},
    {
        "name": "operations",
        "description": "Health checks, metrics, reports, reloads and releases of artifacts.",
    },
]
_FIELD_NAMES = requests.field_names(
    requests.RecommendIn,
    requests.RecommendRowsIn,
    requests.GenerateIn,
    requests.ItemsIn,
    requests.SessionIn,
    requests.ProfileOnlyIn,
    requests.AnswerIn,
    requests.FeedbackIn,
    requests.TextIn,
    requests.AllTextIn,
    requests.UnderstandIn,
    requests.ListIn,
    requests.RowsIn,
    requests.OutcomeIn,
    requests.SubjectIn,
    admin.ReleaseIn,
) | {
    "body",
    "query",
    "path",
    "header",
    "if-match",
    "session_id",
    "limit",
    "offset",
    "n",
    "stream",
    "q",
    "days",
    "fewest",
    "format",
}


def create_app(service: Service) -> FastAPI:
    """Create the application; its lifespan starts the worker, and closes the store at shutdown.

    The schema is served at ``/openapi.json``. Swagger UI and ReDoc are disabled, since they load
    scripts from other origins.

    Args:
        service: worker, store, limits and metrics behind the routes.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.worker.start()
        reports = app.state.reports = Reports(service)
        tasks = [
            asyncio.create_task(_every(_SYNC_SECONDS, "follow", service.sync)),
            asyncio.create_task(_every(_PURGE_SECONDS, "purge", service.purge)),
            asyncio.create_task(_every(SAMPLE_SECONDS, "sample", reports.sample)),
        ]
        yield
        service.draining = True
        for task in tasks:
            task.cancel()
        stopped = await run_in_threadpool(service.worker.stop, service.settings.deadline)
        logs.event("stopped", finished=stopped)
        await run_in_threadpool(service.store.close)

    app = FastAPI(
        title="coldstart",
        version=__version__,
        description="Recommendations for people you know almost nothing about.",
        openapi_tags=_TAGS,
        # Its built-in telemetry would record the content of requests.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        openapi_url=None,  # the route below does not serialize it for each request
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would go to whatever Host the request names
        lifespan=lifespan,
    )
    app.state.service = service
    errors.install_handlers(app, _FIELD_NAMES)
    for router in (
        page,
        images,
        recommend,
        understand,
        outcomes,
        sessions,
        items,
        generate,
        ops,
        admin,
        report,
    ):
        app.include_router(router.router)

    @cache
    def schema() -> bytes:
        return json.dumps(app.openapi()).encode()

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(schema(), media_type="application/json")

    app.add_middleware(ServiceMiddleware, service=service)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
            ],
            expose_headers=["ETag", "Retry-After", "X-Request-Id"],
        )
    return app


async def _every(seconds: float, what: str, task: Callable[[], Awaitable[None]]) -> None:
    """Run a periodic background task; a failure is logged, and the task runs again next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await task()
        except Exception as e:
            logs.failure(what, e)
