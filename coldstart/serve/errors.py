"""Error responses with fixed messages that never echo the content of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from coldstart.errors import (
    AmbiguousPickError,
    ArtifactError,
    CatalogError,
    ColdstartError,
    GeneratorError,
    MisspeltInterestError,
    ProfileError,
    UnknownPickError,
)
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.serve.store.errors import (
    Conflict,
    KeyReused,
    SessionNotFound,
    StaleCatalog,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    WrongKey,
    WrongRevision,
)

# Pydantic's messages of these types name limits and types, never the input value.
_SAFE_TYPES = re.compile(
    r"missing|extra_forbidden|literal_error|json_invalid|finite_number|too_(long|short)"
    r"|(string|int|float|bool|list|dict|tuple|model|datetime|timezone)_[a-z_]+"
    r"|(greater|less)_than(_equal)?"
)
_NO_OBJECT = ("model_attributes_type", "model_type", "dict_type")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_MOST_PROBLEMS = 10
_BUSY = 503, "store", "the store does not answer", "try again later"
_STORE_ERRORS: dict[type[ColdstartError], tuple[int, str, str, str]] = {
    SessionNotFound: (404, "not_found", "no such session", "begin one with POST /v1/sessions"),
    KeyReused: (409, "key_reused", "the key came before, with something else", "take a new key"),
    Conflict: (409, "conflict", "others change this session at the same time", "send it again"),
    StaleCatalog: (409, "conflict", "others change the catalog at the same time", "send it again"),
    StoreBusy: _BUSY,
    StoreUnavailable: _BUSY,
    WrongKey: _BUSY,
    WrongRevision: _BUSY,
    StoreError: (422, "invalid", "something in it cannot be stored", "send plain text"),
}


class ErrorBody(BaseModel):
    """Body of every error response."""

    error: str = Field(description="Machine-readable error code.")
    message: str = Field(description="Human-readable message.")
    hint: str = Field(description="Suggested next step.")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "error": "rate_limited",
                    "message": "too many requests with this key",
                    "hint": "wait as long as Retry-After says",
                }
            ]
        }
    }


class ApiError(Exception):
    """An error response, raised from routes and middleware.

    Args:
        status: HTTP status code.
        error: machine-readable code; also the label ``reason`` in ``/metrics``.
        message: human-readable message; must not contain any part of the request.
        hint: suggested next step.
        retry_after: value of the ``Retry-After`` header, in seconds; rounded up.
        allow: value of the ``Allow`` header.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        hint: str = "",
        *,
        retry_after: float | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.message, self.hint = status, error, message, hint
        self.retry_after, self.allow = retry_after, allow

    def response(self) -> JSONResponse:
        """JSON response, with ``Retry-After``, ``Allow`` and ``WWW-Authenticate`` as they apply."""
        headers = {}
        if self.allow is not None:
            headers["Allow"] = self.allow
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, int(self.retry_after + 0.999)))
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"error": self.error, "message": self.message, "hint": self.hint}
        return JSONResponse(body, status_code=self.status, headers=headers)


def invalid(message: str, hint: str = "") -> ApiError:
    """422 Unprocessable Content."""
    return ApiError(422, "invalid", message, hint)


def not_found(what: str, hint: str = "") -> ApiError:
    """404 Not Found."""
    return ApiError(404, "not_found", f"no such {what}", hint)


def unauthorized() -> ApiError:
    """401 Unauthorized."""
    return ApiError(
        401,
        "unauthorized",
        "a valid key is needed",
        "send Authorization: Bearer KEY; coldstart serve keys add makes one",
    )


def internal() -> ApiError:
    """500 Internal Server Error."""
    return ApiError(500, "internal", "something failed here", "the log has the request's id")


def from_coldstart(e: ColdstartError) -> ApiError:
    """Map a package error to an error response without its message, which may quote the request.

    Hints that only name what the catalog holds are kept.
    """
    if isinstance(e, AmbiguousPickError):
        return invalid(
            "a pick is the title of one item and the id of another",
            'send {"item": …, "by": "title"} or {"item": …, "by": "id"}',
        )
    if isinstance(e, MisspeltInterestError):
        return invalid("an interest is no category of the catalog, but nearly one", e.hint)
    if isinstance(e, UnknownPickError) and e.hint.startswith("did you mean"):
        return invalid("a pick is not in the catalog", f'{e.hint} Or "unknown_picks": "ignore"')
    if isinstance(e, ProfileError):
        return invalid(
            "a pick is not in the catalog, or a part of the profile does not fit",
            'use item ids, or send "unknown_picks": "ignore"',
        )
    if isinstance(e, GeneratorError):
        message = "the text generator does not answer", 'try again later, or "strategy": "prior"'
        return ApiError(503, "generator", *message, retry_after=max(1.0, e.retry_after or 0.0))
    if isinstance(e, ArtifactError):  # such as scores that are no numbers
        message = "the recommender's artifact is damaged", "load another"
        return ApiError(503, "artifact", *message, retry_after=60)
    if isinstance(e, IndexUnavailable):
        message = "the index of titles does not answer", "try again later"
        return ApiError(503, "index", *message, retry_after=1)
    for kind, refusal in _STORE_ERRORS.items():
        if isinstance(e, kind):
            return ApiError(*refusal, retry_after=1 if refusal[0] == 503 else None)
    if isinstance(e, CatalogError):
        return ApiError(409, "conflict", "the catalog does not allow that", "look at GET /v1/items")
    return invalid(f"the request cannot be answered ({type(e).__name__})", "try another strategy")


def from_validation(errors: Sequence[Mapping[str, Any]], names: frozenset[str]) -> ApiError:
    """422 that names the invalid fields and the reason, but not their values.

    Args:
        errors: error list of pydantic.
        names: known field names, which may appear in the message; other path parts come from the
            request and are omitted.
    """
    # An array that is too short only for what is wrong with its elements is not wrong itself.
    outer = {tuple(e["loc"][:n]) for e in errors for n in range(len(e["loc"]))}
    own = [e for e in errors if tuple(e["loc"]) not in outer]
    lines = [_line(e, names) for e in own[:_MOST_PROBLEMS]]
    more = len(own) - _MOST_PROBLEMS
    return invalid(
        "; ".join(dict.fromkeys(lines)) + (f"; and {more} more" if more > 0 else ""),
        "the fields are described in /openapi.json",
    )


def _line(error: Mapping[str, Any], names: frozenset[str]) -> str:
    path = [str(p) for p in error["loc"] if isinstance(p, int) or p in names]
    if error["type"] == "json_invalid":
        return "the body is not JSON"
    if error["type"] == "extra_forbidden":  # named only as far as it is a name of ours
        near = get_close_matches(str(error["loc"][-1]), names, n=1)
        asked = f": did you mean {near[0]!r}?" if near and near[0] not in path[-1:] else ""
        return f"{'.'.join(path) or 'body'}: a field that is not known here{asked}"
    if error["type"] in _NO_OBJECT:
        return f"{'.'.join(path) or 'body'}: expected a JSON object"
    safe = _SAFE_TYPES.fullmatch(error["type"])
    message = error["msg"] if safe else "the value does not fit"
    return f"{'.'.join(path) or 'body'}: {message}"


def install_handlers(app: FastAPI, names: frozenset[str]) -> None:
    """Register exception handlers that turn every error of ``app`` into an ``ErrorBody``."""
    allowed = _AllowedMethods(app)

    @app.exception_handler(ApiError)
    async def _(request: Request, e: ApiError) -> JSONResponse:
        request.scope["refusal"] = e.error
        return e.response()

    @app.exception_handler(ColdstartError)
    async def _(request: Request, e: ColdstartError) -> JSONResponse:
        return from_coldstart(e).response()

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, e: RequestValidationError) -> JSONResponse:
        return from_validation(e.errors(), names).response()

    @app.exception_handler(HTTPException)
    async def _(request: Request, e: HTTPException) -> JSONResponse:
        status = HTTPStatus(e.status_code)
        hint = "the paths are listed in /openapi.json" if status in (404, 405) else ""
        allow = allowed.of(request) if status == HTTPStatus.METHOD_NOT_ALLOWED else None
        error = ApiError(status, status.name.lower(), status.phrase.lower(), hint, allow=allow)
        return error.response()


class _AllowedMethods:
    """Methods of a path, for ``Allow``; Starlette's exception names those of one route only.

    Args:
        app: application with the routes.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._known: dict[str, str] = {}  # by the template of the path

    def of(self, request: Request) -> str:
        """Value of the header for the path of a request."""
        template = getattr(request.scope.get("route"), "path", None)
        if not isinstance(template, str):
            return self._find(request)
        if template not in self._known:
            self._known[template] = self._find(request)
        return self._known[template]

    def _find(self, request: Request) -> str:
        def is_known(method: str) -> bool:
            scope = {**request.scope, "method": method}
            routes = self._app.router.routes
            return any(route.matches(dict(scope))[0] is Match.FULL for route in routes)

        return ", ".join(filter(is_known, METHODS))
