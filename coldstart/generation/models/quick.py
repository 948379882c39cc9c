"""A language model that is ready at once: merged, fused, and kept in the cache folder.

Importing Transformers and PEFT, reading the base model and merging the adapter take four of the
five seconds from ``from_pretrained`` to the first list. The merged decoder is therefore kept, with
its tokenizer, and read by torch and ``tokenizers`` alone. Whatever needs the whole model (free
writing, beams, training) loads it then.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from coldstart.errors import ModelError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.lean import LeanDecoder
from coldstart.generation.models.lines import LineTokenizer
from coldstart.runtime.cache import cache_dir, new_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = 1
MOST_KEPT = 4  # of a few hundred MB each
_TOKENIZER, _ABOUT = "tokenizer.json", "about.json"


class PlainTokenizer:
    """What ``LineTokenizer`` needs of a tokenizer, without Transformers.

    Args:
        inner: of the ``tokenizers`` library.
        bos_token_id: token that begins a sequence, if there is one.
    """

    def __init__(self, inner: Tokenizer, bos_token_id: int | None) -> None:
        self.backend_tokenizer, self.bos_token_id = inner, bos_token_id
        self._lock = threading.Lock()

    def __call__(
        self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False
    ) -> dict[str, list[int]]:
        """Encode a text, control tokens in it as such or as the characters they are made of."""
        with self._lock:  # the setting is the tokenizer's, not the call's
            if self.backend_tokenizer.encode_special_tokens != split_special_tokens:
                self.backend_tokenizer.encode_special_tokens = split_special_tokens
            found = self.backend_tokenizer.encode(text, None, False, add_special_tokens)
        return {"input_ids": found.ids}

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Text of tokens."""
        text: str = self.backend_tokenizer.decode(list(ids), skip_special_tokens)
        return text


class LaterLM(CausalLM):
    """A language model that is loaded as a whole when something asks for that, and not before.

    Args:
        load: loads it.
    """

    def __init__(self, load: Callable[[], CausalLM]) -> None:
        self._load, self._loading = load, threading.Lock()

    @cached_property
    def whole(self) -> CausalLM:
        """The whole model, loaded when first asked for."""
        with self._loading:
            return self.__dict__.get("whole") or self._load()

    @property
    def model(self) -> Any:
        """The Hugging Face model."""
        return self.whole.model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self.whole.tokenizer

    @property
    def decoder(self) -> Any:
        """The model without its head."""
        return self.whole.decoder


class QuickLM(LaterLM):
    """A kept decoder; the whole model is loaded when something asks for it.

    Args:
        folder: as ``keep`` wrote it.
        load: loads the whole model.

    Raises:
        ModelError: the folder is missing or damaged.
    """

    def __init__(self, folder: Path, load: Callable[[], CausalLM]) -> None:
        from tokenizers import Tokenizer

        self._kept = kept = LeanDecoder.load(folder)

        def lent() -> CausalLM:
            made = load()
            kept.lend(made.model)  # its weights are then the kept ones
            return made

        super().__init__(lent)
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            inner = Tokenizer.from_file(str(folder / _TOKENIZER))
            self.lines = LineTokenizer(PlainTokenizer(inner, about["bos_token_id"]))
        except Exception as e:  # tokenizers raises nothing more special
            raise ModelError(f"no tokenizer in {folder}: {e}", hint="delete the folder") from e

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self._kept.shape.max_tokens

    @property
    def has_plain_head(self) -> bool:
        """Always: others are not kept."""
        return True

    def _head(self) -> tuple[Tensor, Tensor | None]:
        return self._kept.head, None

    def _lean(self) -> LeanDecoder:
        return self._kept


def place(base: str, fingerprint: str, files: Mapping[str, bytes], dtype: torch.dtype) -> Path:
    """Folder in the cache for one base model, with one adapter or none, in one number format."""
    adapter = sorted(n for n in files if n.startswith("adapter/"))
    digest = hashlib.sha256(json.dumps([FORMAT, base, fingerprint, str(dtype)]).encode())
    for name in adapter:
        digest.update(name.encode() + hashlib.sha256(files[name]).digest())
    kind = "merged" if adapter else "bases"  # neither pushes the other out
    return cache_dir() / kind / digest.hexdigest()[:20]


def keep(lm: CausalLM, folder: Path) -> None:
    """Keep a model's decoder, if it is of a kind that can be, beside the latest few others."""
    inner = getattr(lm.tokenizer, "backend_tokenizer", None)
    if inner is None or not LeanDecoder.fits(lm.decoder) or not lm.has_plain_head:
        return
    head = lm.model.get_output_embeddings()
    if getattr(head, "bias", None) is not None:
        return
    lean = LeanDecoder.of(lm.decoder)
    own = head.weight.data_ptr() != lean.weights["embedding"].data_ptr()
    try:
        with new_folder(folder) as work:
            lean.save(work, head.weight if own else None)
            inner.save(str(work / _TOKENIZER))
            about = {"bos_token_id": lm.tokenizer.bos_token_id}
            (work / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        others = [p for p in folder.parent.iterdir() if p.is_dir() and p != folder]
        for old in sorted(others, key=lambda p: -p.stat().st_mtime)[MOST_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as e:  # a full disk is no reason not to recommend
        logging.getLogger(__name__).info("the merged model is not kept: %s", e)
