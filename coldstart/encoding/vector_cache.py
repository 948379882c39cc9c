"""Disk and memory cache of text vectors."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
import zlib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.protocols import Encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

log = logging.getLogger(__name__)

_CHEAP_ROWS = 20_000  # a file of this many rows is rewritten at every addition
_WORTH_SAVING = 0.05  # larger ones once this share of their rows is new
_KEY_BYTES = 16


class CachedEncoder:
    """Encoder with a cache of catalog texts' vectors, in memory and in one file per encoder.

    Queries are looked up but not stored: only ``encode(texts, remember=True)`` adds rows. A damaged
    file is discarded with a warning, an unwritable folder is warned of once, and both cost time
    only. Large files are rewritten when 5 % of their rows are new, or by ``flush``.

    Args:
        encoder: computes the vectors.
        folder: of the file, created if missing; ``None`` caches in memory only.
        max_rows: capacity; the oldest rows are evicted.

    Raises:
        ConfigError: ``max_rows`` < 1.
    """

    def __init__(self, encoder: Encoder, folder: Path | None, max_rows: int = 2_000_000) -> None:
        if max_rows < 1:
            raise ConfigError(f"max_rows is {max_rows}, expected at least 1")
        self._encoder = encoder
        self._max_rows = max_rows
        self._file = _CacheFile(folder, encoder.name) if folder is not None else None
        self._rows: dict[bytes, Float] | None = None  # oldest first; None until first used
        self._unsaved = 0
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """Name of the cached encoder."""
        return self._encoder.name

    def __len__(self) -> int:
        with self._lock:
            return len(self._loaded())

    def encode(self, texts: Sequence[str], *, remember: bool = False) -> Float:
        """Return the encoder's vectors; each distinct unknown text is encoded once.

        Args:
            texts: any texts, duplicates included.
            remember: store the vectors; for catalog texts, not for one-off queries.
        """
        if not texts:
            return self._encoder.encode([])
        keys = [text_key(text) for text in texts]
        with self._lock:
            known = {key: row for key in keys if (row := self._loaded().get(key)) is not None}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            fresh = dict(zip(new, self._encoder.encode(list(new.values())), strict=True))
            known |= fresh
            if remember:
                self._remember(fresh)
        return np.stack([known[key] for key in keys])

    def encode_items(self, texts: Sequence[str]) -> Float:
        """Return vectors of catalog texts, and keep them; see ``catalog.item_encoding``."""
        return self.encode(texts, remember=True)

    def known_share(self, text: str) -> float:
        """Share of the letters of a text that the cached encoder knows; 1 if it cannot tell."""
        share = getattr(self._encoder, "known_share", None)
        return 1.0 if share is None else float(share(text))

    def flush(self) -> None:
        """Write unsaved rows to disk."""
        with self._lock:
            if self._file and self._unsaved:
                self._file.save(self._loaded())
                self._unsaved = 0

    def _loaded(self) -> dict[bytes, Float]:
        if self._rows is None:
            self._rows = self._file.load() if self._file else {}
        return self._rows

    def _remember(self, fresh: dict[bytes, Float]) -> None:
        with self._lock:
            rows = self._loaded()
            before = len(rows)
            rows |= {key: row.copy() for key, row in fresh.items() if key not in rows}
            self._unsaved += len(rows) - before
            for key in list(islice(rows, max(0, len(rows) - self._max_rows))):
                del rows[key]
            if len(rows) <= _CHEAP_ROWS or self._unsaved >= _WORTH_SAVING * len(rows):
                self.flush()


class _CacheFile:
    """Keys and vectors in one safetensors file, replaced atomically."""

    def __init__(self, folder: Path, encoder_name: str) -> None:
        self._encoder_name = encoder_name
        self._path = (
            folder / f"{hashlib.sha256(encoder_name.encode()).hexdigest()[:32]}.safetensors"
        )
        self._writable = True

    def load(self) -> dict[bytes, Float]:
        """Read all rows; none if the file is missing or damaged."""
        from safetensors import SafetensorError, safe_open

        if not self._path.exists():
            return {}
        try:
            with safe_open(self._path, framework="numpy") as file:
                keys, vectors = file.get_tensor("hash"), file.get_tensor("vectors")
                if file.metadata() != self._metadata(keys, vectors):
                    raise ValueError("the checksum does not match")
        except (SafetensorError, OSError, ValueError) as e:
            log.warning("discarding the damaged vector cache %s (%s)", self._path, e)
            return {}
        return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}

    def save(self, rows: dict[bytes, Float]) -> None:
        """Replace the file atomically: other processes see the old or the new one."""
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        if not self._writable:
            return
        keys = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        vectors = np.stack(list(rows.values()))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
                part = Path(folder, "part")
                metadata = self._metadata(keys, vectors)
                save_file({"hash": keys, "vectors": vectors}, part, metadata)
                os.replace(part, self._path)
        except (OSError, SafetensorError) as e:
            self._writable = False
            log.warning("cannot write the vector cache %s (%s)", self._path, e)

    def _metadata(self, keys: NDArray[np.uint8], vectors: Float) -> dict[str, str]:
        checksum = zlib.crc32(vectors.data, zlib.crc32(keys.data))
        return {"encoder": self._encoder_name, "crc32": str(checksum)}


def text_key(text: str) -> bytes:
    """Digest of a text, for caches that must not hold what people wrote; 16 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]
