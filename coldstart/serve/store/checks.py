"""What may be written. Errors tell lengths and kinds, never what came."""

from __future__ import annotations

import json

from coldstart.serve.store.errors import StoreError

LONGEST = 200


def check_text(value: object, what: str, longest: int | None = LONGEST, least: int = 1) -> str:
    """``value`` if it is a text that every database takes.

    Raises:
        StoreError: it is no text, too short or long, or holds NUL or half a surrogate pair.
    """
    if not isinstance(value, str):
        raise StoreError(f"{what}: expected text, got {type(value).__name__}")
    if len(value) < least or (longest is not None and len(value) > longest):
        wanted = f"{least} to {longest}" if longest is not None else f"at least {least}"
        raise StoreError(f"{what}: expected {wanted} characters, got {len(value)}")
    if "\0" in value:
        raise StoreError(f"{what}: holds a NUL character", hint="remove it")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise StoreError(
            f"{what}: holds half a surrogate pair", hint="send valid Unicode"
        ) from None
    return value


def check_json(value: object, what: str) -> str:
    """``value`` if it is JSON text."""
    text = check_text(value, what, longest=None)
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise StoreError(f"{what}: expected JSON text, got something else") from None
    return text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
