"""Who may do what, and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from coldstart.serve.errors import Refusal

PAGE = "/page/"
"""Where the page's files are; the page itself is ``/``."""
_ALL = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
HEADERS = (
    *_ALL,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
PAGE_HEADERS = (
    *_ALL,
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


def headers_for(path: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of every answer at a path; only the page may load anything."""
    return PAGE_HEADERS if path == "/" or path.startswith(PAGE) else HEADERS


@dataclass(frozen=True)
class Caller:
    """Whose request it is.

    Args:
        key_id: id of the key, which is not the key.
        admin: whether it may change the catalog and reload.
        rate: requests per minute, ``None`` for no limit.
    """

    key_id: str
    admin: bool = False
    rate: int | None = None


def secret_of(headers: Mapping[str, str]) -> str:
    """The key in ``Authorization: Bearer …`` or ``X-API-Key``; empty if there is none."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return secret.strip()
    return headers.get("x-api-key", "").strip()


def check_host(headers: Mapping[str, str], names: Sequence[str]) -> None:
    """Refuse a Host that is not ours: a web page may have pointed its own name at this machine.

    Raises:
        Refusal: 421.
    """
    host = headers.get("host", "")
    bare = host if host.endswith("]") else host.rpartition(":")[0] or host
    if names and bare.lower() not in names:
        raise Refusal(421, "wrong_host", "the service has another name", "see --host-name")


def check_origin(headers: Mapping[str, str], origins: Sequence[str]) -> None:
    """Refuse requests from web pages of other origins than these and our own.

    Browsers send Origin with every request that can change something, whatever its content type.

    Raises:
        Refusal: 403.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return
    if origin == "null" or urlsplit(origin).netloc != headers.get("host"):
        raise Refusal(
            403, "origin", "web pages of this origin may not call the service", "see --origin"
        )


def require_admin(caller: Caller) -> None:
    """Refuse who may only read.

    Raises:
        Refusal: 403.
    """
    if not caller.admin:
        raise Refusal(
            403,
            "forbidden",
            "this key may not change the catalog or reload",
            "make one with coldstart serve keys add NAME --admin",
        )
