"""``/``: the onboarding page, and ``/admin``: static files that use the public HTTP API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from coldstart.serve.routes.static_files import StaticFolder
from coldstart.serve.security import ADMIN, PAGE

router = APIRouter(include_in_schema=False)
_PAGE, _ADMIN = StaticFolder("page"), StaticFolder("admin_page")
Known = Annotated[str | None, Header()]


@router.get("/")
async def page(if_none_match: Known = None) -> Response:
    """The page; it prompts for an API key where one is needed."""
    return _PAGE.response("index.html", if_none_match)


@router.get(PAGE + "{name}")
async def asset(name: str, if_none_match: Known = None) -> Response:
    """A static file of the page."""
    return _PAGE.response(name, if_none_match)


@router.get(ADMIN)
async def admin(if_none_match: Known = None) -> Response:
    """The operator's view; it prompts for an admin key, and shows nothing without one."""
    return _ADMIN.response("index.html", if_none_match)


@router.get(ADMIN + "/{name}")
async def admin_asset(name: str, if_none_match: Known = None) -> Response:
    """A static file of the operator's view."""
    return _ADMIN.response(name, if_none_match)
