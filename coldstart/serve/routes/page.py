"""``/``: the onboarding page, a few static files that use the service like anybody else."""

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
    """The page itself; it asks for a key where one is needed."""
    return _answer("index.html", if_none_match)


@router.get(PAGE + "{name}")
async def asset(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """What the page is made of."""
    return _answer(name, if_none_match)


def _answer(name: str, known: str | None) -> Response:
    """A file, or 304 if it is the one that the browser has."""
    if name not in _files():
        raise not_found("file")
    body, tag = _files()[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if known and tag in (t.strip().removeprefix("W/") for t in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Content and ETag of every file, by name."""
    found = {
        f.name: f.read_bytes()
        for f in files("coldstart.serve").joinpath("page").iterdir()
        if f.name.rpartition(".")[2] in _TYPES
    }
    return {n: (body, f'"{hashlib.sha256(body).hexdigest()[:16]}"') for n, body in found.items()}
