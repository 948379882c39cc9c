"""A language model whose weights are loaded when something asks for them, and not before.

Where another machine writes the titles, the prompt still has to be counted in the model's tokens;
that takes its tokenizer and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.lines import LineTokenizer
from coldstart.generation.models.quick import LaterLM, PlainTokenizer
from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir, new_folder

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch import Tensor

    from coldstart.generation.models.lean import LeanDecoder

_TOKENIZER, _ABOUT = "tokenizer.json", "about.json"


class _Kept(PlainTokenizer):
    """A tokenizer that knows what ends a sequence, too."""

    def __init__(
        self, inner: Tokenizer, bos_token_id: int | None, eos_token_id: int | None
    ) -> None:
        super().__init__(inner, bos_token_id)
        self.eos_token_id = eos_token_id


class DeferredLM(LaterLM):
    """A tokenizer now, and a language model later.

    Args:
        lines: the tokenizer.
        max_tokens: longest sequence the model takes.
        load: loads the model.
    """

    def __init__(self, lines: LineTokenizer, max_tokens: int, load: Callable[[], CausalLM]) -> None:
        super().__init__(load)
        self.lines, self._longest = lines, max_tokens

    @classmethod
    def of(cls, base: str, fingerprint: str, load: Callable[[], CausalLM]) -> DeferredLM:
        """Read the tokenizer of a base model; from the cache, if it was read before.

        Args:
            base: hub id, folder or packaged default.
            fingerprint: of the base model.
            load: loads it, with its adapter.

        Raises:
            ModelError: the tokenizer cannot be loaded.
        """
        name = hashlib.sha256(json.dumps([2, base, fingerprint]).encode()).hexdigest()[:20]
        folder = cache_dir() / "tokenizers" / name
        kept = _kept(folder)
        if kept is None:
            kept = _read(base, folder)
        return cls(*kept, load)

    @property
    def loaded(self) -> bool:
        """Whether the weights are there already."""
        return "whole" in self.__dict__

    @property
    def device(self) -> torch.device:
        """Where the model's inputs must be."""
        return self.whole.device

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self._longest

    @property
    def has_plain_head(self) -> bool:
        """As ``CausalLM``."""
        return self.whole.has_plain_head

    def _head(self) -> tuple[Tensor, Tensor | None]:
        return self.whole._head()

    def _lean(self) -> LeanDecoder | None:
        return self.whole._lean()


def _kept(folder: Path) -> tuple[LineTokenizer, int] | None:
    from tokenizers import Tokenizer

    if not folder.is_dir():
        return None
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        inner = Tokenizer.from_file(str(folder / _TOKENIZER))
        plain = _Kept(inner, about["bos_token_id"], about["eos_token_id"])
        return LineTokenizer(plain), int(about["max_tokens"])
    except Exception:  # tokenizers raises nothing more special; damaged: made anew
        return None


def _read(base: str, folder: Path) -> tuple[LineTokenizer, int]:
    from transformers import AutoConfig

    tokenizer = models.load_tokenizer(base)
    with models.quietly():
        config = AutoConfig.from_pretrained(models.resolve(base), trust_remote_code=False)
    longest = int(getattr(config, "max_position_embeddings", 1 << 20))
    inner = getattr(tokenizer, "backend_tokenizer", None)
    if inner is not None:
        with new_folder(folder) as work:
            inner.save(str(work / _TOKENIZER))
            about = {
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
                "max_tokens": longest,
            }
            (work / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return LineTokenizer(tokenizer), longest
