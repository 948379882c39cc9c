"""ASGI middleware: authentication, rate and size limits, security headers, metrics and logs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.errors import ColdstartError
from coldstart.serve import errors, logs, security
from coldstart.serve.admission import CLAIM, Claim
from coldstart.serve.errors import ApiError
from coldstart.serve.item_paths import encode_item_id
from coldstart.serve.limits import check_depth, read_body

if TYPE_CHECKING:
    from coldstart.serve.service import Service

_PROTECTED = "/v1/"


class ServiceMiddleware:
    """Outermost ASGI middleware of the application.

    Paths under ``/v1/`` need a valid API key unless the service is open.

    Args:
        app: the inner ASGI application.
        service: service whose limits, keys and metrics apply.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request; other scopes are passed through."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        start = time.perf_counter()
        request_id = secrets.token_hex(6)
        hosts = self._service.pictures.hosts
        response = _ResponseSender(send, request_id, scope["path"], hosts)
        try:
            await self._dispatch(scope, receive, response)
        except Exception as e:
            await self._fail(scope, receive, response, request_id, e)
        finally:
            spent = time.perf_counter() - start
            self._record(scope, response.status, spent, request_id)

    async def _dispatch(
        self, scope: Scope, receive: Receive, send: Callable[..., Awaitable[None]]
    ) -> None:
        settings, headers = self._service.settings, Headers(scope=scope)
        scope["state"] = {**(scope.get("state") or {}), "pictures": self._service.pictures}
        security.check_host(headers, settings.names)
        security.check_origin(headers, settings.origins)
        if not scope["path"].startswith(_PROTECTED):  # these routes take no body
            return await self._app(scope, _without_body(receive), send)
        caller = await self._authenticate(scope, headers)
        scope["state"]["caller"] = caller
        with self._service.in_flight.enter(caller.key_id):
            claim = Claim(caller.key_id, caller.rate, self._service.rates)
            claim.charge(1)
            CLAIM.set(claim)
            encode_item_id(scope)
            await self._handle(scope, receive, send, headers)

    async def _handle(
        self,
        scope: Scope,
        receive: Receive,
        send: Callable[..., Awaitable[None]],
        headers: Headers,
    ) -> None:
        """Read the body of an admitted request, and pass the request on."""
        settings = self._service.settings
        body = await read_body(receive, headers.get("content-length"), settings.max_body)
        check_depth(body, settings.max_depth)
        if body:  # JSON whatever the declared type: ``curl -d`` declares a form
            others = [h for h in scope["headers"] if h[0] != b"content-type"]
            scope["headers"] = [*others, (b"content-type", b"application/json")]
        await self._app(scope, _replay(body, receive), send)

    async def _authenticate(self, scope: Scope, headers: Headers) -> security.Caller:
        settings, secret = self._service.settings, security.secret_of(headers)
        if settings.open:
            return security.Caller("open", admin=True)
        if not secret:
            raise errors.unauthorized()
        address, guesses = security.network_of(scope.get("client")), self._service.guesses
        guesses.check(address, secret)
        key = await self._service.keys.find(secret)
        guesses.note(address, secret, valid=key is not None)
        if key is None:
            raise errors.unauthorized()
        return security.Caller(key.id, admin=key.admin, rate=key.rate_limit)

    async def _fail(
        self,
        scope: Scope,
        receive: Receive,
        response: _ResponseSender,
        request_id: str,
        e: Exception,
    ) -> None:
        """Send an error response with a fixed message; nothing propagates to the server."""
        if isinstance(e, ApiError):
            error = e
        elif isinstance(e, ColdstartError):
            error = errors.from_coldstart(e)
        else:
            error = errors.internal()
            logs.failure("error", e, request_id=request_id)
        scope["refusal"] = error.error
        if response.status is None:
            await error.response()(scope, receive, response)

    def _record(self, scope: Scope, status: int | None, spent: float, request_id: str) -> None:
        metrics, method = self._service.metrics, _method(scope["method"])
        route = getattr(scope.get("route"), "path", "none")
        metrics.requests.labels(method, route, str(status or 499)).inc()
        metrics.seconds.labels(route).observe(spent)
        if "refusal" in scope:
            metrics.refusals.labels(scope["refusal"]).inc()
        caller = scope["state"].get("caller") if "state" in scope else None
        logs.event(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status or 499,
            ms=round(1000 * spent, 1),
            key=logs.shortened(caller.key_id) if caller else None,
            refusal=scope.get("refusal"),
        )


class _ResponseSender:
    """ASGI ``send`` that adds the response headers and records the status."""

    def __init__(
        self, send: Send, request_id: str, path: str, picture_hosts: Sequence[str]
    ) -> None:
        self._send, self._path, self._hosts = send, path, picture_hosts
        self._request_id = (b"x-request-id", request_id.encode())
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = status = message["status"]
            added = security.headers_for(self._path, self._hosts, status)
            message["headers"] = [*message.get("headers", ()), *added, self._request_id]
        await self._send(message)


def _replay(body: bytes, receive: Receive) -> Receive:
    """ASGI ``receive`` that returns the buffered body, then waits for a disconnect."""
    pending = [body]

    async def replayed() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replayed


def _without_body(receive: Receive) -> Receive:
    """ASGI ``receive`` of a request whose body is not read."""
    pending = [b""]

    async def received() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        while (message := await receive())["type"] == "http.request":
            pass
        return message

    return received


def _method(name: str) -> str:
    """HTTP method as a metrics label; unknown methods share one, which bounds the label values."""
    return name if name in errors.METHODS else "OTHER"
