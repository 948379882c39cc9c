"""Libraries that some rivals need, and how to install them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from coldstart.errors import MissingExtraError

PACKAGES: Mapping[str, str] = MappingProxyType(
    {"implicit": "'coldstart-rec[rivals]'", "lightfm": "lightfm-next"}
)
"""What to install for a library, by the name it is imported by."""


def installed(library: str | None) -> bool:
    """Whether a library that something requires can be imported; nothing required is there."""
    return library is None or find_spec(library) is not None


def needed(module: str, rival: str) -> Any:
    """A module of a library in ``PACKAGES``.

    Args:
        module: dotted name.
        rival: who needs it, for the message.

    Raises:
        MissingExtraError: it cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as e:
        library = module.partition(".")[0]
        raise MissingExtraError(
            f"{rival} needs the library {library}, which cannot be imported",
            hint=f"pip install {PACKAGES[library]}",
        ) from e
