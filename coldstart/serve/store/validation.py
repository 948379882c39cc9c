"""Validation of values to be stored. Errors name lengths and types, never the value."""

from __future__ import annotations

import json

from coldstart.serve.store.errors import StoreError

MAX_LENGTH = 200


def check_text(value: object, what: str, longest: int | None = MAX_LENGTH, least: int = 1) -> str:
    """Validate a text that SQLite and PostgreSQL can both store; return it.

    Raises:
        StoreError: not a string, too short or long, or contains NUL or a lone surrogate.
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
    """Validate JSON text; return it. Raises as ``check_text``."""
    text = check_text(value, what, longest=None)
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise StoreError(f"{what}: expected JSON text, got something else") from None
    return text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
