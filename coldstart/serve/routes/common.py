"""What routes share: who calls, the service, and the errors that OpenAPI tells about."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from coldstart.serve.errors import ErrorBody, invalid
from coldstart.serve.security import Caller, require_admin
from coldstart.serve.service import Service

_WHY = {
    401: "No valid key.",
    403: "The key may not do this.",
    404: "No such thing.",
    409: "It does not go with what is there.",
    413: "The body is too long.",
    422: "A field does not fit.",
    429: "Too many requests with this key; see Retry-After.",
    503: "Too many requests wait; see Retry-After.",
    504: "It took too long.",
}


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's ``responses`` for what any route may refuse with, and ``more``."""
    codes = sorted({401, 413, 422, 429, 503, 504, *more})
    return {code: {"model": ErrorBody, "description": _WHY[code]} for code in codes}


# The gate checks keys before a body is read; these two only tell OpenAPI.
KEYS = [
    Depends(HTTPBearer(auto_error=False, description="A key of coldstart serve keys add.")),
    Depends(APIKeyHeader(name="X-API-Key", auto_error=False)),
]


def get_service(request: Request) -> Service:
    """The service of the app."""
    service: Service = request.app.state.service
    return service


def get_caller(request: Request) -> Caller:
    """Whose request it is."""
    caller: Caller = request.state.caller
    return caller


def get_admin(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
    """The same, if it may change things."""
    require_admin(caller)
    return caller


def check_k(service: Service, k: int) -> None:
    """Refuse lists longer than the service makes.

    Raises:
        Refusal: 422.
    """
    if k > service.settings.max_k:
        raise invalid(f"at most {service.settings.max_k} are given at a time", "ask for fewer")


Served = Annotated[Service, Depends(get_service)]
Admin = Annotated[Caller, Depends(get_admin)]
ItemPath = Annotated[str, Path(min_length=1, max_length=200, description="Id of the item.")]
SessionPath = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{32}$", description="Id of the session.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,200}$",
        description="The same key again changes nothing: send it to be able to try again.",
    ),
]
