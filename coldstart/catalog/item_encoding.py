"""Encode the content of catalog items, as opposed to one-off queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from coldstart.protocols import Encoder, Float


@runtime_checkable
class ItemEncoder(Protocol):
    """Encoder that treats catalog texts differently from queries, such as ``CachedEncoder``."""

    def encode_items(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        ...


def encode_items(encoder: Encoder, texts: Sequence[str]) -> Float:
    """Encode catalog texts, by ``encode_items`` where the encoder has it, else by ``encode``."""
    return (
        encoder.encode_items(texts) if isinstance(encoder, ItemEncoder) else encoder.encode(texts)
    )
