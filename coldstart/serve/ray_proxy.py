"""Ray's own refusals in the form of the service's, with ``Retry-After``.

Ray answers by itself when its queue is full, when no replica is there and where no application is,
in words of its own. Its proxies speak like the service if they are started with

    RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=coldstart.serve.ray_proxy:middlewares

in the environment.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldstart.serve import security
from coldstart.serve.errors import Refusal

_TOLD = {
    404: Refusal(404, "not_found", "no application here", "see route_prefix"),
    408: Refusal(408, "too_late", "the answer took longer than allowed", "ask for less"),
    429: Refusal(429, "overloaded", "too many requests wait already", "try again later"),
    503: Refusal(503, "overloaded", "too many requests wait already", "try again later"),
}
_RETRY = 1.0


def middlewares() -> list[Middleware]:
    """What Ray's proxies put around themselves."""
    return [Middleware(OneForm)]


class OneForm:
    """ASGI middleware that words errors which are not JSON anew.

    Args:
        app: Ray's proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; what the service itself says is not touched."""
        told = False

        async def reworded(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start" and _is_rays(message):
                told = True
                await _refusal(message)(scope, receive, send)
            elif not told:
                await send(message)

        await self._app(scope, receive, reworded if scope["type"] == "http" else send)


def _is_rays(message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return message["status"] in _TOLD and not kind.startswith("application/json")


def _refusal(message: Message) -> ASGIApp:
    known, status = Headers(raw=message.get("headers", [])), message["status"]
    response = _TOLD[status].response()
    if status in (429, 503):
        response.headers["Retry-After"] = known.get("retry-after", str(int(_RETRY)))
    if "x-request-id" in known:
        response.headers["X-Request-Id"] = known["x-request-id"]
    response.raw_headers += security.HEADERS
    return response
