"""Security: API keys, Host and Origin checks, and response headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from coldstart.serve.errors import ApiError
from coldstart.serve.pictures import IMAGES

PAGE = "/page/"
"""Path prefix of the onboarding page's static files; the page itself is ``/``."""
ADMIN = "/admin"
"""Path of the operator's view; its static files are below it."""
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
FILE_HEADERS = (
    *_ALL,
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (b"cache-control", b"public, max-age=3600"),
)
"""Of pictures, of which an SVG is a document: it runs no scripts and loads nothing."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:{hosts}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def headers_for(
    path: str, picture_hosts: Sequence[str] = (), status: int = 200
) -> tuple[tuple[bytes, bytes], ...]:
    """Security headers of a response; only the pages may load resources, only pictures are kept.

    Args:
        path: of the request.
        picture_hosts: hosts that the onboarding page may load pictures from, over https.
        status: of the response; a picture that is missing now may be there a moment later.
    """
    if is_page(path):
        shown = () if path.startswith(ADMIN) else picture_hosts  # that view has no pictures
        hosts = "".join(f" https://{host}" for host in shown)
        return (*_ALL, (b"content-security-policy", _POLICY.format(hosts=hosts).encode()))
    found = status in (200, 206, 304)
    return FILE_HEADERS if found and path.startswith(IMAGES) else HEADERS


def is_page(path: str) -> bool:
    """Whether a path is that of a page or its static files, which need no key."""
    return path in ("/", ADMIN) or path.startswith((PAGE, ADMIN + "/"))


@dataclass(frozen=True)
class Caller:
    """Authenticated caller of a request.

    Args:
        key_id: public id of the API key, not the key itself.
        admin: whether the key may change the catalog and reload artifacts.
        rate: requests per minute, ``None`` for no limit.
    """

    key_id: str
    admin: bool = False
    rate: int | None = None


def secret_of(headers: Mapping[str, str]) -> str:
    """API key from ``Authorization: Bearer …`` or ``X-API-Key``; empty if there is none."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return secret.strip()
    return headers.get("x-api-key", "").strip()


def network_of(client: Sequence[object] | None) -> str:
    """Network that the limits per client address count: an IPv4 address, or the /64 of an IPv6 one.

    Args:
        client: (host, port) of ASGI; ``None`` if unknown.
    """
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


def check_host(headers: Mapping[str, str], names: Sequence[str]) -> None:
    """Reject unknown values of the Host header, which prevents DNS rebinding.

    Raises:
        ApiError: 421, not an allowed host name.
    """
    host = headers.get("host", "")
    bare = host if host.endswith("]") else host.rpartition(":")[0] or host
    if names and bare.lower() not in names:
        raise ApiError(421, "wrong_host", "the service has another name", "see --host-name")


def check_origin(headers: Mapping[str, str], origins: Sequence[str]) -> None:
    """Reject cross-origin requests unless the origin is allowed (CSRF protection).

    Browsers send Origin with every state-changing request, whatever its content type.

    Raises:
        ApiError: 403, not an allowed origin.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return
    if origin == "null" or urlsplit(origin).netloc != headers.get("host"):
        raise ApiError(
            403, "origin", "web pages of this origin may not call the service", "see --origin"
        )


def require_admin(caller: Caller) -> None:
    """Require a key with admin rights.

    Raises:
        ApiError: 403, the key has no admin rights.
    """
    if not caller.admin:
        raise ApiError(
            403,
            "forbidden",
            "this key has no admin rights",
            "make one with coldstart serve keys add NAME --admin",
        )
