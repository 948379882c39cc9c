"""``/``: the onboarding page, static files that use the public HTTP API."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Header, Response

from coldstart.serve.errors import not_found
from coldstart.serve.security import PAGE

router = APIRouter(include_in_schema=False)
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


@router.get("/")
async def page(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The page; it prompts for an API key where one is needed."""
    return _file_response("index.html", if_none_match)


@router.get(PAGE + "{name}")
async def asset(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """A static file of the page."""
    return _file_response(name, if_none_match)


def _file_response(name: str, known: str | None) -> Response:
    """Response with a file, or 304 if the client's ETag matches."""
    if name not in _files():
        raise not_found("file")
    body, tag = _files()[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if known and tag in (t.strip().removeprefix("W/") for t in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Content and ETag of each file, by name."""
    found = {
        f.name: f.read_bytes()
        for f in files("coldstart.serve").joinpath("page").iterdir()
        if f.name.rpartition(".")[2] in _TYPES
    }
    return {n: (body, f'"{hashlib.sha256(body).hexdigest()[:16]}"') for n, body in found.items()}
