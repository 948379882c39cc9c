"""Causal language model with weights on demand; its decoder or its tokenizer comes from a cache.

Importing Transformers and PEFT, reading the base model and merging the adapter take four of the
five seconds from ``from_pretrained`` to the first list. Two parts are therefore cached on disk, to
be read by torch and ``tokenizers`` alone: the merged, fused decoder with its tokenizer, which is
sufficient to score titles; and the tokenizer of a base model, which is sufficient to render prompts
where a server generates. Free generation, beam search and training load the whole model.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coldstart.errors import ModelError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.fused_decoder import FusedDecoder
from coldstart.generation.models.line_tokenizer import FastTokenizer, LineTokenizer
from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir, new_folder

FORMAT = 1
MOST_KEPT = 4  # of a few hundred MB each
_TOKENIZER, _ABOUT = "tokenizer.json", "about.json"


class LazyLM(CausalLM):
    """Causal language model that loads its weights on first use.

    Args:
        lines: its tokenizer.
        max_tokens: longest sequence the model takes.
        load: loads the whole model.
        fused: its decoder on the CPU, if cached; then only free generation, beam search and
            training load the whole model, which shares the decoder's weights.
    """

    def __init__(
        self,
        lines: LineTokenizer,
        max_tokens: int,
        load: Callable[[], CausalLM],
        fused: FusedDecoder | None = None,
    ) -> None:
        self.lines, self._max_tokens, self._cached = lines, max_tokens, fused
        self._load, self._loading = load, threading.Lock()

    @cached_property
    def whole(self) -> CausalLM:
        """The whole model, loaded on first access."""
        with self._loading:
            lm: CausalLM | None = self.__dict__.get("whole")
            if lm is None:
                lm = self._load()
                if self._cached is not None:
                    self._cached.share_with(lm.model)
                self.__dict__["whole"] = lm
            return lm

    @property
    def loaded(self) -> bool:
        """Whether the whole model is loaded."""
        return "whole" in self.__dict__

    @property
    def model(self) -> Any:
        """The Hugging Face model."""
        return self.whole.model

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer."""
        return self.whole.tokenizer

    @property
    def decoder(self) -> Any:
        """The model without its head."""
        return self.whole.decoder

    @property
    def device(self) -> torch.device:
        """Device of the model's inputs."""
        return self.whole.device if self._cached is None else torch.device("cpu")

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self._max_tokens

    @property
    def has_plain_head(self) -> bool:
        """As of ``CausalLM``; only models with a plain head are cached."""
        return self._cached is not None or self.whole.has_plain_head

    def head(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of the output embedding."""
        return self.whole.head() if self._cached is None else (self._cached.head, None)

    def fused_decoder(self) -> FusedDecoder | None:
        """The decoder as fused operations, where its architecture is supported."""
        return self.whole.fused_decoder() if self._cached is None else self._cached


def decoder_folder(
    base: str, fingerprint: str, files: Mapping[str, bytes], dtype: torch.dtype
) -> Path:
    """Cache folder of one base model in one number format, with one adapter or none."""
    adapter = sorted(n for n in files if n.startswith("adapter/"))
    digest = hashlib.sha256(json.dumps([FORMAT, base, fingerprint, str(dtype)]).encode())
    for name in adapter:
        digest.update(name.encode() + hashlib.sha256(files[name]).digest())
    kind = "merged" if adapter else "bases"  # evicted separately
    return cache_dir() / kind / digest.hexdigest()[:20]


def load_decoder(folder: Path, load: Callable[[], CausalLM]) -> LazyLM:
    """Load a decoder that ``store_decoder`` wrote.

    Args:
        folder: of the decoder.
        load: loads the whole model.

    Raises:
        ModelError: the folder is missing or damaged.
    """
    fused = FusedDecoder.load(folder)
    lines, _ = _load_tokenizer(folder)
    return LazyLM(lines, fused.shape.max_tokens, load, fused)


def store_decoder(lm: CausalLM, folder: Path) -> None:
    """Store a model's decoder and tokenizer if supported, and evict all but the latest few."""
    inner = getattr(lm.tokenizer, "backend_tokenizer", None)
    if inner is None or not FusedDecoder.supports(lm.decoder) or not lm.has_plain_head:
        return
    head = lm.model.get_output_embeddings()
    if getattr(head, "bias", None) is not None:
        return
    fused = FusedDecoder.from_model(lm.decoder)
    own = head.weight.data_ptr() != fused.weights["embedding"].data_ptr()
    try:
        with new_folder(folder) as work:
            fused.save(work, head.weight if own else None)
            _save_tokenizer(lm.tokenizer, work)
        others = [p for p in folder.parent.iterdir() if p.is_dir() and p != folder]
        for old in sorted(others, key=lambda p: -p.stat().st_mtime)[MOST_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as e:  # a full disk is no reason not to recommend
        logging.getLogger(__name__).info("the merged model is not cached: %s", e)


def load_deferred(base: str, fingerprint: str, load: Callable[[], CausalLM]) -> LazyLM:
    """Load the tokenizer of a base model, from the cache if possible, and defer the weights.

    Args:
        base: hub id, folder or packaged default.
        fingerprint: of the base model.
        load: loads it, with its adapter.

    Raises:
        ModelError: the tokenizer cannot be loaded.
    """
    name = hashlib.sha256(json.dumps([2, base, fingerprint]).encode()).hexdigest()[:20]
    folder = cache_dir() / "tokenizers" / name
    if folder.is_dir():
        try:
            lines, about = _load_tokenizer(folder)
            return LazyLM(lines, int(about["max_tokens"]), load)
        except (ModelError, KeyError, TypeError, ValueError):
            pass  # damaged: written again below
    from transformers import AutoConfig

    tokenizer = models.load_tokenizer(base)
    with models.quietly():
        config = AutoConfig.from_pretrained(models.resolve(base), trust_remote_code=False)
    longest = int(getattr(config, "max_position_embeddings", 1 << 20))
    if getattr(tokenizer, "backend_tokenizer", None) is not None:
        with new_folder(folder) as work:
            _save_tokenizer(
                tokenizer, work, eos_token_id=tokenizer.eos_token_id, max_tokens=longest
            )
    return LazyLM(LineTokenizer(tokenizer), longest, load)


def _save_tokenizer(tokenizer: Any, folder: Path, **more: int | None) -> None:
    tokenizer.backend_tokenizer.save(str(folder / _TOKENIZER))
    about = {"bos_token_id": tokenizer.bos_token_id, **more}
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _load_tokenizer(folder: Path) -> tuple[LineTokenizer, Mapping[str, Any]]:
    from tokenizers import Tokenizer

    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        inner = Tokenizer.from_file(str(folder / _TOKENIZER))
        plain = FastTokenizer(inner, about["bos_token_id"], about.get("eos_token_id"))
        return LineTokenizer(plain), about
    except Exception as e:  # tokenizers raises nothing more special
        raise ModelError(f"no tokenizer in {folder}: {e}", hint="delete the folder") from e
