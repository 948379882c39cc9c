"""Export to CTranslate2, and its C++ engine as a ``CausalLM``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coldstart.errors import MissingExtraError, ModelError
from coldstart.generation.models.causal import CausalLM, Ints
from coldstart.generation.models.line_tokenizer import LineTokenizer
from coldstart.runtime.models import load_tokenizer, quietly

_TOGETHER = 8  # sequences per pass; each token of each has logits of the whole vocabulary


def need_ctranslate2() -> Any:
    """Import the library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("ctranslate2")
    except ImportError:
        raise MissingExtraError(
            "this export needs the ctranslate2 library",
            hint="pip install 'coldstart-rec[ctranslate2]'",
        ) from None


def write_ctranslate2(merged: Path, out: Path, dtype: str) -> None:
    """Convert a merged model to CTranslate2.

    Args:
        merged: folder in Transformers' format, with its tokenizer.
        out: output folder; replaced.
        dtype: of the weights: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        ModelError: the converter does not know the architecture.
        MissingExtraError: the library is not installed.
    """
    converters = need_ctranslate2().converters
    extra = [p.name for p in merged.glob("tokenizer*")] + ["chat_template.jinja"]
    converter = converters.TransformersConverter(
        str(merged), copy_files=[name for name in extra if (merged / name).is_file()]
    )
    try:
        with quietly():
            converter.convert(str(out), quantization=dtype, force=True)
    except (ValueError, NotImplementedError) as e:
        raise ModelError(f"CTranslate2 cannot convert this model: {str(e)[:200]}") from e


class CTranslate2LM(CausalLM):
    """Converted model as a scorer of titles.

    The engine returns logits instead of states, so the head is the identity. It has no tree
    attention: every branch is a sequence of its own.

    Args:
        folder: as written by ``write_ctranslate2``.
        max_tokens: longest sequence the model takes.
    """

    def __init__(self, folder: Path, max_tokens: int) -> None:
        self.lines = LineTokenizer(load_tokenizer(folder))
        self._max_tokens = max_tokens
        self._generator = need_ctranslate2().Generator(
            str(folder), device="cpu", compute_type="float32", intra_threads=torch.get_num_threads()
        )

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self._max_tokens

    def read_trees(self, requests: Sequence[tuple[Sequence[int], Ints, Ints]]) -> list[Tensor]:
        """Compute logits at the trees' tokens and, last, at the prompts' ends, (T + 1, V)."""
        return [self._read(list(prompt), tokens, parents) for prompt, tokens, parents in requests]

    def _read(self, prompt: list[int], tokens: Ints, parents: Ints) -> Tensor:
        self._check(prompt)
        paths = _paths(parents)
        sequences = [[*prompt, *tokens[path].tolist()] for path in paths]
        out: Tensor | None = None
        for at in range(0, len(paths), _TOGETHER):
            found = self._generator.forward_batch(sequences[at : at + _TOGETHER])
            logits = torch.from_numpy(np.array(found))
            if out is None:
                out = torch.empty(len(tokens) + 1, logits.shape[-1])
            for path, own in zip(paths[at : at + _TOGETHER], logits, strict=True):
                out[path] = own[len(prompt) : len(prompt) + len(path)]
                out[-1] = own[len(prompt) - 1]
        assert out is not None
        return out

    def hidden_to_logits(self, hidden: Tensor, vocabulary: Tensor | None = None) -> Tensor:
        """Return the logits, of the vocabulary or a part of it."""
        return hidden if vocabulary is None else hidden[:, vocabulary]


def _paths(parents: Ints) -> list[list[int]]:
    """Positions from the root to each leaf; one empty path without a tree."""
    leaves = sorted(set(range(len(parents))) - set(parents.tolist()))
    paths = []
    for leaf in leaves:
        path = [leaf]
        while (above := int(parents[path[-1]])) >= 0:
            path.append(above)
        paths.append(path[::-1])
    return paths or [[]]
