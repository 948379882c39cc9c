"""Sentence encoders: any sentence-transformers model, loaded now or on first use."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.encoding.coverage import known_share
from coldstart.encoding.foreign_code import refuse_code
from coldstart.encoding.mean_pooling import MeanPoolingEncoder, is_mean_pooling
from coldstart.errors import ConfigError, ModelError
from coldstart.runtime.models import quieten_transformers

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from coldstart.protocols import Float

_TOKENIZER = "tokenizer.json"
_PROGRESS_FROM = 2000  # texts; fewer are done before a bar is worth drawing


class SentenceEncoder:
    """Sentence-transformers model; thread-safe.

    Args:
        model: a loaded model; see ``from_pretrained``.
        label: human-readable part of ``name``.
        batch_size: texts per forward pass; changes speed, not results.

    Raises:
        ConfigError: ``batch_size`` < 1.
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
        """Load a folder or a model of the Hugging Face hub; code that it brings is never run.

        A folder that names code is refused (``foreign_code``); a model of the hub by
        sentence-transformers 6.2 itself.

        Args:
            path_or_hub_id: folder or hub id.
            device: torch device such as ``"cuda"``; by default the best one available.
            batch_size: texts per forward pass.

        Raises:
            ModelError: the model cannot be found or loaded.
        """
        from sentence_transformers import SentenceTransformer

        quieten_transformers()
        source = os.path.expanduser(path_or_hub_id)
        if Path(source).is_dir():
            refuse_code(Path(source))
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
        """Folder or hub name with a fingerprint of weights and settings."""
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

    def known_share(self, text: str) -> float:
        """Share of the letters of a text that the tokenizer knows; see ``encoding.coverage``."""
        with self._lock:
            return known_share(self._whole_texts, text)

    @cached_property
    def _whole_texts(self) -> Any:
        """The tokenizer without truncation."""
        from tokenizers import Tokenizer

        inner = getattr(self._model.tokenizer, "backend_tokenizer", None)
        return None if inner is None else _untruncated(Tokenizer.from_str(inner.to_str()))


class LazyEncoder:
    """Sentence-transformers folder or hub id, imported and loaded on first use.

    Behind a ``CachedEncoder``, a request without new texts never loads the model.

    Args:
        where: folder or hub id.
    """

    def __init__(self, where: str) -> None:
        self.where, self._lock = where, threading.Lock()

    @cached_property
    def name(self) -> str:
        """Folder name with a hash of its files; for a hub id, the loaded model's name."""
        folder = Path(self.where)
        if not folder.is_dir():
            return self._with_library.name
        digest = hashlib.sha256()
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(folder).as_posix()}:{file.stat().st_size};".encode())
            with file.open("rb") as f:
                digest.update(f.read(1 << 20))  # sizes and beginnings tell models apart
        return f"{folder.name}-{digest.hexdigest()[:16]}"

    def known_share(self, text: str) -> float:
        """Share of the letters of a text that the tokenizer knows; see ``encoding.coverage``.

        Loads the tokenizer only, where the folder has it in one file.
        """
        if not Path(self.where, _TOKENIZER).is_file():
            return self._with_library.known_share(text)
        with self._lock:
            return known_share(self._whole_texts, text)

    @cached_property
    def _whole_texts(self) -> Any:
        """The tokenizer without truncation."""
        from tokenizers import Tokenizer

        return _untruncated(Tokenizer.from_file(str(Path(self.where, _TOKENIZER))))

    @cached_property
    def _with_library(self) -> SentenceEncoder:
        return SentenceEncoder.from_pretrained(self.where)

    @cached_property
    def _loaded(self) -> SentenceEncoder | MeanPoolingEncoder:
        folder = Path(self.where)
        if folder.is_dir():
            refuse_code(folder)
        if not is_mean_pooling(folder):
            return self._with_library
        try:
            return MeanPoolingEncoder(folder)
        except Exception as e:  # of its files, whatever their readers raise
            reason = (str(e).strip() or type(e).__name__).splitlines()[0]
            raise ModelError(
                f"cannot load the encoder {self.where!r}: {reason}",
                "give a sentence-transformers folder or hub id",
            ) from e

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        return self._loaded.encode(texts)


def _untruncated(tokenizer: Any) -> Any:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


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
