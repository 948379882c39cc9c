"""An encoder that is loaded when it is first needed, and known by name before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.encoding.encoders import SentenceEncoder
from coldstart.encoding.mean import MeanEncoder, is_plain
from coldstart.errors import ModelError

if TYPE_CHECKING:
    from coldstart.protocols import Float


class LazyEncoder:
    """A sentence-transformers folder or hub id; importing and loading wait for the first text.

    With a ``CachedEncoder`` in front, a request that brings no new text never loads the model.

    Args:
        where: folder or hub id.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    @cached_property
    def name(self) -> str:
        """Folder name with a hash of its files; for a hub id, the loaded model's own name."""
        folder = Path(self.where)
        if not folder.is_dir():
            return self._with_library.name
        digest = hashlib.sha256()
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(folder).as_posix()}:{file.stat().st_size};".encode())
            with file.open("rb") as f:
                digest.update(f.read(1 << 20))  # sizes and beginnings tell models apart
        return f"{folder.name}-{digest.hexdigest()[:16]}"

    @cached_property
    def _with_library(self) -> SentenceEncoder:
        return SentenceEncoder.from_pretrained(self.where)

    @cached_property
    def _loaded(self) -> SentenceEncoder | MeanEncoder:
        folder = Path(self.where)
        if not is_plain(folder):
            return self._with_library
        try:
            return MeanEncoder(folder)
        except (OSError, ValueError) as e:
            reason = (str(e).strip() or type(e).__name__).splitlines()[0]
            raise ModelError(
                f"cannot load the encoder {self.where!r}: {reason}",
                "give a sentence-transformers folder or hub id",
            ) from e

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        return self._loaded.encode(texts)
