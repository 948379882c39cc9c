"""Text → unit vectors: any sentence-transformers model, and a cache in front of it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import tempfile
import threading
import zlib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError, ModelError
from coldstart.protocols import Encoder
from coldstart.runtime.models import quieten_transformers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from coldstart.protocols import Float

log = logging.getLogger(__name__)

_PROGRESS_FROM = 2000  # texts; fewer are done before a bar is worth drawing
_CHEAP_ROWS = 20_000  # a file of this many rows is rewritten at every addition
_WORTH_SAVING = 0.05  # larger ones once this share of their rows is new
_KEY_BYTES = 16


class SentenceEncoder:
    """A sentence-transformers model; safe to call from several threads.

    Args:
        model: a loaded model; see ``from_pretrained``.
        label: human part of ``name``.
        batch_size: texts per forward pass; changes speed, not results.
    """

    def __init__(self, model: SentenceTransformer, label: str, batch_size: int = 64) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}, expected at least 1")
        self._model = model
        self._batch_size = batch_size
        self._name = f"{label}-{_fingerprint(model)}"
        self._lock = threading.Lock()  # fast tokenizers cannot be shared while running

    @classmethod
    def from_pretrained(
        cls, path_or_hub_id: str | Path, device: str | None = None, batch_size: int = 64
    ) -> SentenceEncoder:
        """Load a folder or a model of the Hugging Face hub; remote code is never run.

        Args:
            path_or_hub_id: what to load.
            device: torch device such as ``"cuda"``; by default the best one present.
            batch_size: texts per forward pass.

        Raises:
            ModelError: if it cannot be found or loaded.
        """
        from sentence_transformers import SentenceTransformer

        quieten_transformers()
        source = os.path.expanduser(path_or_hub_id)
        try:
            model = SentenceTransformer(
                source, device=device, trust_remote_code=False, model_kwargs={"dtype": "float32"}
            )
        except Exception as e:  # whatever the hub, the tokenizer or torch raise
            reason = (str(e).strip() or type(e).__name__).splitlines()[0]
            raise ModelError(
                f"cannot load the encoder {source!r}: {reason}",
                "give a sentence-transformers folder or hub id",
            ) from e
        return cls(model, label=Path(source).resolve().name, batch_size=batch_size)

    @property
    def name(self) -> str:
        """Folder or hub name and a fingerprint of weights and settings."""
        return self._name

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        if not texts:
            return np.empty((0, self._model.get_embedding_dimension() or 0), dtype=np.float32)
        with self._lock:
            vectors = self._model.encode(
                [text.encode("utf-8", "replace").decode() for text in texts],  # no lone surrogates
                batch_size=self._batch_size,
                normalize_embeddings=True,
                show_progress_bar=len(texts) > _PROGRESS_FROM and sys.stderr.isatty(),
            )
        return np.asarray(vectors, dtype=np.float32)


class CachedEncoder:
    """Remembers vectors of texts that will come back, in memory and in one file per encoder.

    Queries are looked up but not kept: only ``encode(texts, remember=True)`` adds rows. A damaged
    file is thrown away with a warning, an unwritable folder is warned of once, and either only
    costs time. Large files are rewritten when 5 % of their rows are new, or by ``flush``.

    Args:
        encoder: does the work.
        folder: where the file goes, made if missing; ``None`` keeps vectors in memory only.
        max_rows: the oldest rows beyond this many are forgotten.
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
        """The name of the encoder behind the cache."""
        return self._encoder.name

    def __len__(self) -> int:
        with self._lock:
            return len(self._loaded())

    def encode(self, texts: Sequence[str], *, remember: bool = False) -> Float:
        """Return vectors as the encoder would; each unknown text is encoded once.

        Args:
            texts: any texts, repeats included.
            remember: keep the vectors; for catalog texts, not for one-off queries.
        """
        if not texts:
            return self._encoder.encode([])
        keys = [_key(text) for text in texts]
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

    def flush(self) -> None:
        """Write rows that are not on disk yet."""
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
    """Keys and vectors in one safetensors file, replaced as a whole."""

    def __init__(self, folder: Path, encoder_name: str) -> None:
        self._encoder_name = encoder_name
        self._path = (
            folder / f"{hashlib.sha256(encoder_name.encode()).hexdigest()[:32]}.safetensors"
        )
        self._writable = True

    def load(self) -> dict[bytes, Float]:
        """Read all rows at once; nothing if the file is missing or damaged."""
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
        """Replace the file; other processes see the old one or the new one, never a part."""
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


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]


def _fingerprint(model: SentenceTransformer) -> str:
    """Hash the settings and a sample of every weight, so that retrained weights get a new name."""
    digest = hashlib.sha256()
    settings = [model.max_seq_length, model.truncate_dim, model.prompts, model.default_prompt_name]
    modules = [m.get_config_dict() for m in model if hasattr(m, "get_config_dict")]
    digest.update(json.dumps([settings, modules], sort_keys=True, default=str).encode())
    for name, weight in sorted(model.state_dict().items()):
        flat = weight.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu().numpy()
        digest.update(name.encode() + str(tuple(weight.shape)).encode() + sample.tobytes())
    return digest.hexdigest()[:16]
