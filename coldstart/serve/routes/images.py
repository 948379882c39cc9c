"""``/images/NAME``: pictures of items from the service's folder, as public as the page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from coldstart.serve.errors import not_found
from coldstart.serve.pictures import IMAGES, Pictures

router = APIRouter(include_in_schema=False)


def get_pictures(request: Request) -> Pictures:
    """Dependency: pictures of the service, or of a tenant, which need not be loaded."""
    pictures: Pictures = request.state.pictures
    return pictures


@router.get(IMAGES + "{name}")
async def image(
    name: Annotated[str, Path(max_length=200)], pictures: Annotated[Pictures, Depends(get_pictures)]
) -> FileResponse:
    """A picture that items name."""
    found = await run_in_threadpool(pictures.file, name)
    if found is None:
        raise not_found("picture")
    path, media_type = found
    return FileResponse(path, media_type=media_type)
