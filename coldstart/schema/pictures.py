"""References to pictures of items: an https address, or the name of a file."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

PICTURE_TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
"""Media type by the ending of a picture's file name."""

_HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,62}(?<!-))?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,62}(?<!-))?)*(?::\d{1,5})?",
    re.IGNORECASE,
)
_FILE = re.compile(rf"\w[\w .()+,@-]{{0,190}}\.(?:{'|'.join(PICTURE_TYPES)})", re.IGNORECASE)


def is_picture_file(text: str) -> bool:
    """Whether a text is the name of a picture's file, without a folder.

    >>> [is_picture_file(t) for t in ("tent-2.jpg", "../tent.jpg", "tent", ".jpg")]
    [True, False, False, False]
    """
    return bool(_FILE.fullmatch(text))


def picture_host(text: str) -> str:
    """Host, with a port if it is not 443, of the https address of a picture; empty otherwise.

    >>> picture_host("https://img.example.org/a.jpg"), picture_host("http://img.example.org/a.jpg")
    ('img.example.org', '')
    """
    if not text.lower().startswith("https://") or not text.isprintable() or " " in text:
        return ""
    try:
        host = urlsplit(text).netloc
    except ValueError:
        return ""
    return host.lower() if _HOST.fullmatch(host) else ""


def check_picture(text: str) -> str:
    """The reference to a picture, as given.

    Raises:
        ValueError: neither an https address nor the name of a picture's file.
    """
    if text and not picture_host(text) and not is_picture_file(text):
        kinds = ", ".join(PICTURE_TYPES)
        raise ValueError(
            f"expected an https address, or a file name without folder that ends in {kinds}"
        )
    return text
