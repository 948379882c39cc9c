"""Multi-tenant application: routes ``/t/NAME/…`` to each tenant's own application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.errors import ColdstartError
from coldstart.serve import errors, logs, metrics, security
from coldstart.serve.errors import ApiError
from coldstart.serve.item_paths import strip_raw_path
from coldstart.serve.pictures import IMAGES
from coldstart.serve.routes import images, page
from coldstart.serve.routes.ops import Status, store_not_writable
from coldstart.serve.store import StoreError
from coldstart.serve.tenants import TenantServices

_PREFIX, _API_PREFIX = "/t/", "/v1/"


def create_tenants_app(services: TenantServices) -> FastAPI:
    """Create the application of all tenants: ``/t/NAME/…``, and health checks of the process."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await services.close()

    app = _bare("coldstart", lifespan)
    public = _bare("coldstart")
    public.include_router(page.router)
    public.include_router(images.router)

    @app.get("/healthz")
    @public.get("/healthz")
    async def healthz() -> Status:
        return Status(status="ok")

    @public.get("/readyz")
    async def tenant_readyz() -> Status:
        if services.draining:
            raise ApiError(
                503, "not_ready", "the service is going down", "ask another", retry_after=5
            )
        return Status(status="ready")

    @app.get("/readyz")
    async def readyz() -> Status:
        await tenant_readyz()
        try:
            await services.check_stores()
        except StoreError as e:
            raise store_not_writable(e) from None
        return Status(status="ready")

    @app.get("/metrics")
    async def numbers(request: Request) -> Response:
        by_tenant = services.may_see_tenants(request.headers)
        return Response(services.metrics_text(by_tenant), media_type=metrics.CONTENT_TYPE)

    app.add_middleware(_TenantRouter, services=services, public=public)
    return app


def _bare(title: str, lifespan: Callable[[FastAPI], object] | None = None) -> FastAPI:
    """Application with the service's error format and without OpenAPI."""
    app = FastAPI(
        title=title,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    app.router.redirect_slashes = False
    errors.install_handlers(app, frozenset())
    return app


class _TenantRouter:
    """ASGI middleware that routes a request to its tenant's application.

    Args:
        app: application for paths outside of ``/t/``.
        services: services of the tenants.
        public: application for the unauthenticated paths of a tenant that is not loaded (page,
            pictures and health checks), so that these requests do not load it.
    """

    def __init__(self, app: ASGIApp, services: TenantServices, public: ASGIApp) -> None:
        self._app, self._services, self._public = app, services, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request; other scopes are passed through."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        name, path = _split(scope["path"])
        started = False

        async def tracking_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        send_with_headers = _with_headers(tracking_send, path)
        try:
            security.check_host(Headers(scope=scope), self._services.settings.names)
            if name is None:
                return await self._app(scope, receive, send_with_headers)
            await self._dispatch(scope, receive, tracking_send, name, path)
        except ApiError as e:
            error = e
        except ColdstartError as e:  # from the store, during authentication
            error = errors.from_coldstart(e)
        except Exception as e:
            error = errors.internal()
            logs.failure("error", e, tenant=name)
        else:
            return
        if not started:
            await error.response()(scope, receive, send_with_headers)

    async def _dispatch(
        self, scope: Scope, receive: Receive, send: Send, name: str, path: str
    ) -> None:
        services = self._services
        if name not in services.tenants:
            raise errors.not_found("tenant", "paths begin with /t/NAME/")
        if not path:
            redirect = RedirectResponse(f"{name}/", status_code=308)
            return await redirect(scope, receive, _with_headers(send, path))
        # The tenant's application gets paths without the prefix. With the prefix as ``root_path``
        # Starlette would strip a repeated prefix once more, after the middleware's checks.
        inner = {**scope, "path": path, "raw_path": strip_raw_path(scope, path), "root_path": ""}
        if name not in services.loaded:
            if _is_public(path):
                if path.startswith(IMAGES):
                    inner["state"] = {"pictures": services.pictures.of(name)}
                hosts = await services.pictures.hosts(name) if path == "/" else ()
                return await self._public(inner, receive, _with_headers(send, path, hosts))
            await services.check_key(name, scope)
        async with services.using(name, touch=path.startswith(_API_PREFIX)) as app:
            await app(inner, receive, send)


def _split(path: str) -> tuple[str | None, str]:
    """(tenant name, path without the prefix); the name is ``None`` for paths outside of ``/t/``."""
    if not path.startswith(_PREFIX):
        return None, path
    name, slash, rest = path.removeprefix(_PREFIX).partition("/")
    return name, slash + rest


def _is_public(path: str) -> bool:
    public = path in ("/healthz", "/readyz") or path.startswith(IMAGES)
    return public or security.is_page(path)


def _with_headers(send: Send, path: str, picture_hosts: Sequence[str] = ()) -> Send:
    """ASGI ``send`` that adds the security headers."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = security.headers_for(path, picture_hosts, message["status"])
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sending
