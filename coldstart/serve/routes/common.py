"""Shared FastAPI dependencies, parameter types and documented error responses."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from coldstart.ranking.wording.sentences import preferred
from coldstart.serve.errors import ErrorBody, invalid
from coldstart.serve.security import Caller, require_admin
from coldstart.serve.service import Service

_DESCRIPTIONS = {
    401: "Missing or invalid API key.",
    403: "The API key lacks the permission.",
    404: "Not found.",
    409: "Conflict with the current state.",
    412: "The item's version is not the one of the precondition.",
    413: "The request body is too large.",
    422: "Validation error.",
    429: "Too many requests with the API key, or wrong keys from an address; see Retry-After.",
    503: "Overloaded or unavailable; see Retry-After.",
    504: "Deadline exceeded.",
}


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI ``responses`` of the error codes common to all routes, and of ``more``."""
    codes = sorted({401, 413, 422, 429, 503, 504, *more})
    return {code: {"model": ErrorBody, "description": _DESCRIPTIONS[code]} for code in codes}


# The middleware checks keys before a body is read; these two only document it in OpenAPI.
KEYS = [
    Depends(
        HTTPBearer(auto_error=False, description="API key, as created by coldstart serve keys add.")
    ),
    Depends(APIKeyHeader(name="X-API-Key", auto_error=False)),
]


def get_service(request: Request) -> Service:
    """Dependency: the application's service."""
    service: Service = request.app.state.service
    return service


def get_caller(request: Request) -> Caller:
    """Dependency: the authenticated caller."""
    caller: Caller = request.state.caller
    return caller


def get_admin(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
    """Dependency: the authenticated caller, if it has admin rights."""
    require_admin(caller)
    return caller


def get_language(
    accept_language: Annotated[
        str | None,
        Header(description="Languages of the answer where the request names none."),
    ] = None,
) -> str:
    """Dependency: the language that the client prefers among those with reasons."""
    return preferred(accept_language or "")


def check_k(service: Service, k: int) -> None:
    """Reject list lengths above the service's limit.

    Raises:
        ApiError: 422, ``k`` is too large.
    """
    if k > service.settings.max_k:
        raise invalid(f"at most {service.settings.max_k} are given at a time", "ask for fewer")


Served = Annotated[Service, Depends(get_service)]
Accepted = Annotated[str, Depends(get_language)]
Admin = Annotated[Caller, Depends(get_admin)]
SessionPath = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{32}$", description="Id of the session.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,200}$",
        description="Makes retries safe: a request with a known key is not applied again.",
    ),
]
