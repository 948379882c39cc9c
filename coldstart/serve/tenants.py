"""Many services in one process: each tenant's whole API under ``/t/NAME/``, loaded when asked for.

Each has a store of its own, so keys, sessions and changes of the catalog of one mean nothing to
another. What they share is the base model's weights, and the processor, by turns.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.errors import ColdstartError, ConfigError
from coldstart.serve import errors, logs, metrics, security
from coldstart.serve.app import create_app
from coldstart.serve.errors import Refusal
from coldstart.serve.routes import page
from coldstart.serve.routes.ops import Status
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.tenants_file import Tenant
from coldstart.serve.tenants_turns import Turns

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

_PREFIX, _GUARDED = "/t/", "/v1/"
_RETRY_SECONDS = 10.0  # after a tenant could not be loaded


@dataclass
class _Running:
    """A tenant that is loaded.

    Args:
        service: its service.
        app: the application around it.
        stack: closing it stops the service and closes its store.
        using: requests that are being answered.
    """

    service: Service
    app: FastAPI
    stack: AsyncExitStack
    using: int = 0


class TenantServices:
    """The tenants' services, loaded when first asked for and closed when others need their place.

    Used from one event loop.

    Args:
        tenants: by name.
        load: makes a tenant's recommender, a new one each time; called in threads.
        settings: limits that tenants do not set themselves, and those of the process.
        most: services kept at a time. The one not asked for longest goes first, and none that
            is answering; while all are, there may be more.

    Raises:
        ConfigError: ``most`` is less than 1.
    """

    def __init__(
        self,
        tenants: Mapping[str, Tenant],
        load: Callable[[str], Recommender],
        settings: ServeSettings,
        *,
        most: int = 8,
    ) -> None:
        if most < 1:
            raise ConfigError(f"most is {most}, expected at least 1")
        self.tenants, self.settings, self.most = dict(tenants), settings, most
        self._load, self._turns = load, Turns()
        self._running: OrderedDict[str, _Running] = OrderedDict()
        self._starts: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, float] = {}  # when it may be tried again
        self._waiting: Counter[str] = Counter()  # requests, by the tenant that is being loaded
        self._draining = False
        self._loading = asyncio.Lock()

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the tenants that are loaded, the one asked last at the end."""
        return tuple(self._running)

    @property
    def draining(self) -> bool:
        """Whether the process is about to end; new requests should go elsewhere."""
        return self._draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._draining = value
        for running in self._running.values():
            running.service.draining = value

    async def reload(self) -> None:
        """Load the artifacts of all loaded tenants anew; one that fails keeps its old one."""
        self._failed.clear()
        for running in [*self._running.values()]:
            with suppress(Exception):  # logged where it arose
                await running.service.reload()

    async def close(self) -> None:
        """Finish what is being answered, within each deadline, and close all stores."""
        self.draining = True
        await asyncio.gather(*self._starts.values(), return_exceptions=True)
        await self._close(self.loaded)

    def numbers(self) -> bytes:
        """What ``/metrics`` says of all loaded tenants, each number with its tenant's name."""
        registry = CollectorRegistry()
        registry.register(_Labelled({n: r.service.metrics for n, r in self._running.items()}))
        return generate_latest(registry)

    async def check_key(self, name: str, headers: Headers) -> None:
        """Refuse who has no key of a tenant, before anything is loaded for them.

        Raises:
            Refusal: 401; 503 if the store does not answer.
        """
        if self.settings.open:
            return
        secret = security.secret_of(headers)
        if not secret or not await run_in_threadpool(self._knows, name, secret):
            raise Refusal(
                401,
                "unauthorized",
                "a valid key is needed",
                "send Authorization: Bearer KEY; coldstart serve keys add makes one",
            )

    def _knows(self, name: str, secret: str) -> bool:
        with self.tenants[name].open() as store:
            return store.check_key(secret) is not None

    @asynccontextmanager
    async def using(self, name: str, *, counts: bool = True) -> AsyncIterator[FastAPI]:
        """A tenant's application, kept for as long as this lasts.

        Args:
            name: of the tenant.
            counts: whether it is then the one asked last; not for monitors.

        Raises:
            Refusal: 503, it cannot be loaded, or too many wait for it.
        """
        while (running := self._running.get(name)) is None:
            await self._started(name)
        if counts:
            self._running.move_to_end(name)
        running.using += 1
        try:
            yield running.app
        finally:
            running.using -= 1
            await self._make_room(0)

    async def _started(self, name: str) -> None:
        """Wait until a tenant is loaded; whoever else waits for it waits for the same."""
        if self._waiting[name] >= self.settings.queue:
            raise _not_now("too many requests wait for the tenant", 1)
        if self._draining:
            raise _not_now("the service is going down", 5)
        if name not in self._starts:
            if (left := self._failed.get(name, 0) - time.monotonic()) > 0:
                raise _not_now("the tenant could not be loaded", left)
            self._starts[name] = asyncio.create_task(self._start(name))
        self._waiting[name] += 1
        try:  # a client that goes away does not stop it
            await asyncio.shield(self._starts[name])
        finally:
            self._waiting[name] -= 1

    async def _start(self, name: str) -> None:
        try:
            async with self._loading:
                await self._make_room(1)
                start = time.monotonic()
                service = await run_in_threadpool(self._made, name)
                app, stack = create_app(service), AsyncExitStack()
                app.router.redirect_slashes = False  # it knows nothing of its prefix
                await stack.enter_async_context(app.router.lifespan_context(app))
            service.draining = self._draining
            self._running[name] = _Running(service, app, stack)
            logs.event("loaded", tenant=name, seconds=round(time.monotonic() - start, 2))
        except Exception as e:
            logs.failure("load", e, tenant=name)
            self._failed[name] = time.monotonic() + _RETRY_SECONDS
            raise _not_now("the tenant could not be loaded", _RETRY_SECONDS) from None
        finally:
            del self._starts[name]

    def _made(self, name: str) -> Service:
        tenant = self.tenants[name]
        store = tenant.open()
        try:
            return Service(
                lambda _: self._load(name),
                {"": tenant.artifact},
                tenant.settings(self.settings),
                store,
                turn=self._turns,
            )
        except BaseException:
            store.close()
            raise

    async def _make_room(self, places: int) -> None:
        """Close tenants that answer nobody, oldest first, until there are so many free places."""
        idle = [name for name, running in self._running.items() if not running.using]
        surplus = len(self._running) + places - self.most
        await self._close(idle[: max(0, surplus)])

    async def _close(self, names: Sequence[str]) -> None:
        gone = {name: self._running.pop(name) for name in names}  # no request gets there now
        ends = await asyncio.gather(
            *(running.stack.aclose() for running in gone.values()), return_exceptions=True
        )
        for name, end in zip(gone, ends, strict=True):
            if isinstance(end, BaseException):
                logs.failure("close", end, tenant=name)
            else:
                logs.event("closed", tenant=name)


class _Labelled(Collector):
    """The numbers of several services as one.

    Args:
        services: their metrics, by tenant.
    """

    def __init__(self, services: Mapping[str, metrics.Metrics]) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Every number with the label ``tenant``."""
        found: dict[str, Metric] = {}
        for tenant, service in self._services.items():
            for one in service.registry.collect():
                own = found.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                own.samples += [
                    s._replace(labels={"tenant": tenant, **s.labels}) for s in one.samples
                ]
        yield from found.values()


def create_tenants_app(services: TenantServices) -> FastAPI:
    """The application of all tenants: ``/t/NAME/…``, and the health of the whole process."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await services.close()

    app = _bare("coldstart", lifespan)
    front = _bare("coldstart")
    front.include_router(page.router)

    @app.get("/healthz")
    @front.get("/healthz")
    async def healthz() -> Status:
        return Status(status="ok")

    @app.get("/readyz")
    @front.get("/readyz")
    async def readyz() -> Status:
        if services.draining:
            raise Refusal(
                503, "not_ready", "the service is going down", "ask another", retry_after=5
            )
        return Status(status="ready")

    @app.get("/metrics")
    async def numbers() -> Response:
        return Response(services.numbers(), media_type=metrics.CONTENT_TYPE)

    app.add_middleware(_Door, services=services, front=front)
    return app


def _bare(title: str, lifespan: Callable[[FastAPI], object] | None = None) -> FastAPI:
    """An application whose errors are ours, and that describes nothing."""
    app = FastAPI(
        title=title,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    app.router.redirect_slashes = False
    errors.install(app, frozenset())
    return app


class _Door:
    """ASGI middleware: to a tenant's own application, or to what is outside of them all.

    Args:
        app: outside.
        services: the tenants.
        front: answers for a tenant that is not loaded to whoever has no key: the page and health,
            so that neither strangers nor monitors have anything loaded.
    """

    def __init__(self, app: ASGIApp, services: TenantServices, front: ASGIApp) -> None:
        self._app, self._services, self._front = app, services, front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; only ``http`` ones are served."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        name, path = _split(scope["path"])
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        outside = _with_headers(sending, path)
        try:
            security.check_host(Headers(scope=scope), self._services.settings.names)
            if name is None:
                return await self._app(scope, receive, outside)
            await self._inside(scope, receive, sending, name, path)
        except Refusal as e:
            refusal = e
        except ColdstartError as e:  # of the store, when a key is looked up
            refusal = errors.from_coldstart(e)
        except Exception as e:
            refusal = errors.internal()
            logs.failure("error", e, tenant=name)
        else:
            return
        if not begun:
            await refusal.response()(scope, receive, outside)

    async def _inside(
        self, scope: Scope, receive: Receive, send: Send, name: str, path: str
    ) -> None:
        services = self._services
        if name not in services.tenants:
            raise errors.not_found("tenant", "paths begin with /t/NAME/")
        if not path:
            there = RedirectResponse(f"{name}/", status_code=308)
            return await there(scope, receive, _with_headers(send, path))
        # The tenant's application sees its own paths only. With the prefix as ``root_path`` it
        # would cut it off once more where a path repeats it, behind the gate's back.
        inner = {k: v for k, v in scope.items() if k != "raw_path"}
        inner |= {"path": path, "root_path": ""}
        if name not in services.loaded:
            if _of_front(path):
                return await self._front(inner, receive, _with_headers(send, path))
            await services.check_key(name, Headers(scope=scope))
        async with services.using(name, counts=path.startswith(_GUARDED)) as app:
            await app(inner, receive, send)


def _split(path: str) -> tuple[str | None, str]:
    """Name of the tenant, and the path inside; no name for what is outside."""
    if not path.startswith(_PREFIX):
        return None, path
    name, slash, rest = path.removeprefix(_PREFIX).partition("/")
    return name, slash + rest


def _of_front(path: str) -> bool:
    return path in ("/", "/healthz", "/readyz") or path.startswith(security.PAGE)


def _with_headers(send: Send, path: str) -> Send:
    """``send`` that adds the headers every answer has."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *security.headers_for(path)]
        await send(message)

    return sending


def _not_now(why: str, seconds: float) -> Refusal:
    return Refusal(503, "not_loaded", why, "try again later", retry_after=seconds)
