"""ASGI middleware for Ray's HTTP proxies: Ray's own errors in the service's format.

Ray's proxy itself responds when its queue is full, when no replica is available and when no
application matches, with plain-text errors. To convert them, start the proxies with the environment
variable

    RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=coldstart.serve.ray_proxy:middlewares
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.serve import security
from coldstart.serve.errors import ApiError

_ERRORS = {
    404: ApiError(404, "not_found", "no application here", "see route_prefix"),
    408: ApiError(408, "too_late", "the answer took longer than allowed", "ask for less"),
    429: ApiError(429, "overloaded", "too many requests wait already", "try again later"),
    503: ApiError(503, "overloaded", "too many requests wait already", "try again later"),
}
_RETRY_SECONDS = 1.0


def middlewares() -> list[Middleware]:
    """Middlewares to install in Ray's proxies."""
    return [Middleware(ErrorFormatMiddleware)]


class ErrorFormatMiddleware:
    """ASGI middleware that converts Ray's plain-text errors to the service's JSON errors.

    Args:
        app: ASGI application of the proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request; responses of the service itself are passed through."""
        replaced = False

        async def converting_send(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_ray_error(message):
                replaced = True
                await _error_response(message)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, converting_send if scope["type"] == "http" else send)


def _is_ray_error(message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return message["status"] in _ERRORS and not kind.startswith("application/json")


def _error_response(message: Message) -> ASGIApp:
    known, status = Headers(raw=message.get("headers", [])), message["status"]
    response = _ERRORS[status].response()
    if status in (429, 503):
        response.headers["Retry-After"] = known.get("retry-after", str(int(_RETRY_SECONDS)))
    if "x-request-id" in known:
        response.headers["X-Request-Id"] = known["x-request-id"]
    response.raw_headers += security.HEADERS
    return response
