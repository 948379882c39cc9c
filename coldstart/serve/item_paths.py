"""Item ids in paths: any id, percent-encoded or not, with slashes, percent signs and dots.

``/v1/items/ID`` is matched with the id still encoded, so that ``a%2Faudience`` is an id and
``a/audience`` the audience of ``a``.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import AfterValidator
from starlette.types import Scope

_ITEMS = "/v1/items/"
_MOST = 200


def encode_item_id(scope: Scope) -> None:
    """Percent-encode the item id in the scope's path; as it was sent, if that is known."""
    path = scope["path"]
    if not path.startswith(_ITEMS):
        return
    raw = bytes(scope.get("raw_path") or b"").decode("ascii", "replace").partition("?")[0]
    scope["path"] = raw if raw.startswith(_ITEMS) else quote(path)  # which leaves slashes


def strip_raw_path(scope: Scope, path: str) -> bytes:
    """Raw path of a scope whose path lost a prefix; empty if the two disagree.

    Args:
        scope: with the prefix.
        path: the rest of its path.
    """
    prefix = scope["path"].removesuffix(path)
    raw = bytes(scope.get("raw_path") or b"").partition(b"?")[0]
    parts = raw.split(b"/", prefix.count("/") + 1)
    rest = b"/" + parts[-1]
    return rest if unquote(rest.decode("ascii", "replace")) == path else b""


def _decoded(text: str) -> str:
    item_id = unquote(text)
    if not 1 <= len(item_id) <= _MOST:
        raise ValueError(f"an id has 1 to {_MOST} characters")
    return item_id


ItemPath = Annotated[
    str,
    Path(
        description="Id of the item, percent-encoded: / as %2F.",
        json_schema_extra={"minLength": 1, "maxLength": _MOST},
    ),
    AfterValidator(_decoded),
]
