"""What every request passes before and after its route: counted, checked, logged, never echoed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.errors import ColdstartError
from coldstart.serve import errors, logs, security
from coldstart.serve.errors import Refusal
from coldstart.serve.limits import check_depth, read_body

if TYPE_CHECKING:
    from coldstart.serve.service import Service

_GUARDED = "/v1/"


class Gate:
    """ASGI middleware around the whole app.

    Args:
        app: the routes.
        service: whose limits and keys count.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; only ``http`` ones are served."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        metrics, start = self._service.metrics, time.perf_counter()
        request_id = secrets.token_hex(6)
        answer = _Answer(send, request_id, security.headers_for(scope["path"]))
        metrics.in_flight_now += 1
        try:
            await self._pass(scope, receive, answer)
        except Exception as e:
            await self._fail(scope, receive, answer, request_id, e)
        finally:
            metrics.in_flight_now -= 1
            spent = time.perf_counter() - start
            self._record(scope, answer.status, spent, request_id)

    async def _pass(
        self, scope: Scope, receive: Receive, send: Callable[..., Awaitable[None]]
    ) -> None:
        settings, headers = self._service.settings, Headers(scope=scope)
        scope["state"] = dict(scope.get("state") or {})
        security.check_host(headers, settings.names)
        security.check_origin(headers, settings.origins)
        if scope["path"].startswith(_GUARDED):
            self._service.admit()
            caller = await self._caller(headers)
            scope["state"]["caller"] = caller
            wait = self._service.rates.take(caller.key_id, caller.rate)
            if wait:
                raise Refusal(
                    429,
                    "rate_limited",
                    "too many requests with this key",
                    "wait as long as Retry-After says",
                    retry_after=wait,
                )
        body = await read_body(receive, headers.get("content-length"), settings.max_body)
        check_depth(body, settings.max_depth)
        if body:  # JSON whatever its type: ``curl -d`` calls it a form
            others = [h for h in scope["headers"] if h[0] != b"content-type"]
            scope["headers"] = [*others, (b"content-type", b"application/json")]
        await self._app(scope, _replay(body, receive), send)

    async def _caller(self, headers: Headers) -> security.Caller:
        settings, secret = self._service.settings, security.secret_of(headers)
        if settings.open:
            return security.Caller("open", admin=True)
        key = await run_in_threadpool(self._service.store.check_key, secret) if secret else None
        if key is None:
            raise Refusal(
                401,
                "unauthorized",
                "a valid key is needed",
                "send Authorization: Bearer KEY; coldstart serve keys add makes one",
            )
        return security.Caller(key.id, admin=key.admin, rate=key.rate_limit)

    async def _fail(
        self, scope: Scope, receive: Receive, answer: _Answer, request_id: str, e: Exception
    ) -> None:
        """Answer with fixed words; nothing gets further out, where its message would be logged."""
        if isinstance(e, Refusal):
            refusal = e
        elif isinstance(e, ColdstartError):
            refusal = errors.from_coldstart(e)
        else:
            refusal = errors.internal()
            logs.failure("error", e, request_id=request_id)
        scope["refusal"] = refusal.error
        if answer.status is None:
            await refusal.response()(scope, receive, answer)

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


class _Answer:
    """``send`` that adds the headers and remembers the status."""

    def __init__(
        self, send: Send, request_id: str, headers: tuple[tuple[bytes, bytes], ...]
    ) -> None:
        self._send = send
        self._headers = (*headers, (b"x-request-id", request_id.encode()))
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)


def _replay(body: bytes, receive: Receive) -> Receive:
    """``receive`` that gives the body again, then goes on listening for a disconnect."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed


def _method(name: str) -> str:
    """The method, if it is one that has routes: a label must not be chosen by a request."""
    known = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
    return name if name in known else "OTHER"
