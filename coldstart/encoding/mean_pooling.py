"""Mean-pooling sentence encoders without sentence-transformers, and BERT without Transformers.

Importing sentence-transformers takes two seconds, and Transformers two more, which dominates a cold
start that encodes one sentence. A model that is a transformer, the mean of its last states and a
normalisation needs neither: the forward pass of BERT (Devlin et al., "BERT: Pre-training of Deep
Bidirectional Transformers for Language Understanding", 2019) is written out here, and other
architectures need Transformers only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.runtime.models import quieten_transformers

if TYPE_CHECKING:
    from torch import Tensor

    from coldstart.protocols import Float

_BATCH = 64
_MEAN = {"pooling_mode_mean_tokens"}
_FILES = ("model.safetensors", "tokenizer.json")


class MeanPoolingEncoder:
    """Unit-length means of a transformer's last states; equal to sentence-transformers to 1e-6.

    Args:
        folder: a sentence-transformers folder for which ``is_mean_pooling`` holds.
    """

    def __init__(self, folder: Path) -> None:
        import torch

        longest = int(_read(folder / "sentence_bert_config.json")["max_seq_length"])
        plain = is_bert(folder) and not torch.cuda.is_available()
        self._states = BertStates(folder, longest) if plain else _AnyStates(folder, longest)
        self._lock = threading.Lock()  # fast tokenizers cannot be shared while running

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        out = np.empty((len(texts), self._states.size), dtype=np.float32)
        clean = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        order = np.argsort([-len(text) for text in clean], kind="stable")  # less padding
        with self._lock:
            for start in range(0, len(clean), _BATCH):
                rows = order[start : start + _BATCH]
                out[rows] = self._encode([clean[n] for n in rows])
        return out

    def _encode(self, texts: list[str]) -> Float:
        import torch

        with torch.inference_mode():
            states, real = self._states(texts)
            mask = real.unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
            vectors: Float = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
        return vectors


class BertStates:
    """BERT's last hidden states; equal to Transformers' to 1e-5.

    Args:
        folder: of a model for which ``is_bert`` holds.
        longest: longest sequence, special tokens included; longer texts are truncated.

    Raises:
        ValueError: weights are missing or of another shape.
    """

    def __init__(self, folder: Path, longest: int) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        config = _read(folder / "config.json")
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
                _BertLayer(weights, f"encoder.layer.{n}")
                for n in range(config["num_hidden_layers"])
            ]
        except KeyError as e:
            raise ValueError(f"no weights {e}") from None
        self._tokenizer: Any = Tokenizer.from_file(str(folder / _FILES[1]))
        self._tokenizer.enable_truncation(longest)
        self._tokenizer.no_padding()
        self._pad = int(config.get("pad_token_id") or 0)

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return states, shape (B, T, size), and the attention mask, bool, shape (B, T)."""
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


class _BertLayer:
    """Weights of one layer, with query, key and value as one projection."""

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


class _AnyStates:
    """Last hidden states of any architecture of Transformers; see ``BertStates``."""

    def __init__(self, folder: Path, longest: int) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        quieten_transformers()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModel.from_pretrained(folder, dtype="float32", trust_remote_code=False).eval()
        self._model: Any = model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.size = int(self._model.config.hidden_size)
        self._longest = longest

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        inputs = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(self._model.device)
        return self._model(**inputs).last_hidden_state, inputs["attention_mask"]


def is_mean_pooling(folder: Path) -> bool:
    """Whether a folder holds a transformer, mean pooling and optional normalisation only."""
    try:
        kinds = [m["type"].rsplit(".", 1)[-1] for m in _read(folder / "modules.json")]
        pooling = _read(folder / "1_Pooling" / "config.json")
        settings = _read(folder / "sentence_bert_config.json")
    except (OSError, ValueError, KeyError, TypeError):
        return False
    modes = {name for name, on in pooling.items() if name.startswith("pooling_mode") and on}
    return (
        kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and modes == _MEAN
        and isinstance(settings.get("max_seq_length"), int)
        and not settings.get("do_lower_case")
    )


def is_bert(folder: Path) -> bool:
    """Whether a folder holds a plain BERT and its fast tokenizer."""
    try:
        config = _read(folder / "config.json")
    except (OSError, ValueError):
        return False
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and all((folder / name).is_file() for name in _FILES)
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _pair(weights: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]
