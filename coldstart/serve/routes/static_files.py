"""Static files of the package: one folder, with ETags."""

from __future__ import annotations

import hashlib
from functools import cached_property
from importlib.resources import files

from fastapi import Response

from coldstart.serve.errors import not_found

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class StaticFolder:
    """Files of a folder of ``coldstart.serve``, read once; nothing else is served.

    Args:
        name: of the folder.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def response(self, name: str, known: str | None) -> Response:
        """Response with a file, or 304 if the client's ETag matches.

        Args:
            name: of the file.
            known: value of the header If-None-Match.

        Raises:
            ApiError: 404, no such file.
        """
        if name not in self._files:
            raise not_found("file")
        body, tag = self._files[name]
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if known and tag in (t.strip().removeprefix("W/") for t in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)

    @cached_property
    def _files(self) -> dict[str, tuple[bytes, str]]:
        """Content and ETag of each file, by name."""
        found = {
            f.name: f.read_bytes()
            for f in files("coldstart.serve").joinpath(self._name).iterdir()
            if f.name.rpartition(".")[2] in _TYPES
        }
        return {n: (b, f'"{hashlib.sha256(b).hexdigest()[:16]}"') for n, b in found.items()}
