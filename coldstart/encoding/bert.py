"""BERT's forward pass, without the library: importing Transformers takes longer than a sentence.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
2019.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_FILES = ("model.safetensors", "tokenizer.json")


class BertStates:
    """The last states of the tokens of some texts; equal to Transformers' to 1e-5.

    Args:
        folder: of a model for which ``is_bert`` holds.
        longest: tokens that are read of a text, special ones included.

    Raises:
        ValueError: weights are missing or of another shape.
    """

    def __init__(self, folder: Path, longest: int) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        config = _config(folder)
        self.size = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._eps = float(config.get("layer_norm_eps", 1e-12))
        weights = {
            name.removeprefix("bert."): value.float()
            for name, value in load_file(folder / _FILES[0]).items()
        }
        try:
            self._words, self._places, self._kinds = (
                weights[f"embeddings.{kind}_embeddings.weight"]
                for kind in ("word", "position", "token_type")
            )
            self._norm = _pair(weights, "embeddings.LayerNorm")
            self._layers = [
                _Layer(weights, f"encoder.layer.{n}") for n in range(config["num_hidden_layers"])
            ]
        except KeyError as e:
            raise ValueError(f"no weights {e}") from None
        self._tokenizer: Any = Tokenizer.from_file(str(folder / _FILES[1]))
        self._tokenizer.enable_truncation(longest)
        self._tokenizer.no_padding()
        self._pad = int(config.get("pad_token_id") or 0)

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States, shape (B, tokens, size), and which of them are no padding, (B, tokens)."""
        import torch
        from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

        found = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        length = max(map(len, found))
        ids = torch.tensor([one + [self._pad] * (length - len(one)) for one in found])
        sizes = torch.tensor([len(one) for one in found])
        real = torch.arange(length) < sizes[:, None]
        seen = real[:, None, None, :]

        def normed(x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
            return layer_norm(x, (self.size,), *norm, eps=self._eps)

        x = normed(self._words[ids] + self._places[:length] + self._kinds[0], self._norm)
        for layer in self._layers:
            joint = linear(x, *layer.attention).view(*x.shape[:2], 3, self._heads, -1)
            query, key, value = joint.permute(2, 0, 3, 1, 4)
            mixed = scaled_dot_product_attention(query, key, value, attn_mask=seen)
            x = normed(x + linear(mixed.transpose(1, 2).flatten(2), *layer.mixed), layer.norms[0])
            x = normed(x + linear(gelu(linear(x, *layer.up)), *layer.down), layer.norms[1])
        return x, real


class _Layer:
    """Weights of one layer, those of query, key and value as one."""

    def __init__(self, weights: dict[str, Tensor], name: str) -> None:
        import torch

        parts = [_pair(weights, f"{name}.attention.self.{p}") for p in ("query", "key", "value")]
        self.attention = tuple(torch.cat(part) for part in zip(*parts, strict=True))
        self.mixed = _pair(weights, f"{name}.attention.output.dense")
        self.up = _pair(weights, f"{name}.intermediate.dense")
        self.down = _pair(weights, f"{name}.output.dense")
        self.norms = (
            _pair(weights, f"{name}.attention.output.LayerNorm"),
            _pair(weights, f"{name}.output.LayerNorm"),
        )


def is_bert(folder: Path) -> bool:
    """Whether a folder holds a plain BERT and its fast tokenizer."""
    try:
        config = _config(folder)
    except (OSError, ValueError):
        return False
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and all((folder / name).is_file() for name in _FILES)
    )


def _config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def _pair(weights: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]
