"""A Llama-like decoder in fewer and larger operations, for short passes on a CPU.

On two cores a pass of some hundred tokens through thirty small layers spends more time between the
matrix products than in them. Here queries, keys and values are one product, so are gate and up;
attention is two batched products under an additive mask. It shares the model's weights: fusing
replaces each of the original matrices by a view of the joint one, so that it takes no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

FAMILIES = frozenset({"llama", "mistral", "qwen2"})
"""Architectures that consist of nothing but what is written here."""


@dataclass(frozen=True)
class _Layer:
    """Weights of one layer: ``qkv`` and ``gate_up`` are joint ones, with their biases if any."""

    before_attention: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    before_mlp: Tensor
    gate_up: Tensor
    down: Tensor


class LeanDecoder:
    """The decoder of a Hugging Face model, for one sequence at a time; see ``fits``.

    Args:
        model: the causal LM without its head, such as ``LlamaModel``; its weights become views.
    """

    def __init__(self, model: Any) -> None:
        config = model.config
        self._embedding, self._rotary = model.embed_tokens, model.rotary_emb
        self._norm, self._eps = model.norm.weight, float(config.rms_norm_eps)
        self._heads = config.num_attention_heads
        self._shared = config.num_key_value_heads
        self._first = model.layers[0]
        with torch.inference_mode(mode=False), torch.no_grad():  # they may be trained on later
            self._layers = [_fused(layer) for layer in model.layers]

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether a model is of a kind that this can run, on a CPU, its adapters merged."""
        config: Any = getattr(model, "config", None)
        if getattr(config, "model_type", None) not in FAMILIES or model.device.type != "cpu":
            return False
        kinds = set(getattr(config, "layer_types", None) or ())
        if config.hidden_act != "silu" or kinds - {"full_attention"}:
            return False
        if config.model_type == "mistral" and config.sliding_window:
            return False
        parts = [getattr(x, name) for x, name in _parts(model.layers[0])]
        # What is not merged, or of few bits, is no plain product.
        return all(type(p) is torch.nn.Linear for p in parts) and all(
            p.bias is None for p in parts[4:]
        )

    @property
    def current(self) -> bool:
        """Whether the model still has the weights that this was made of."""
        part, layer = self._first.self_attn.q_proj, self._layers[0]
        return bool(part.weight.data_ptr() == layer.qkv.data_ptr())

    @torch.inference_mode()
    def __call__(self, ids: Tensor, visible: Tensor, position: Tensor) -> Tensor:
        """Last-layer states after the final norm.

        Args:
            ids: token ids, shape (T,).
            visible: which tokens each token attends to, bool, shape (T, T).
            position: of each token, shape (T,).

        Returns:
            Shape (T, H).
        """
        hidden: Tensor = self._embedding(ids)
        hidden_from = torch.zeros(visible.shape).masked_fill_(~visible, float("-inf"))
        cos, sin = (x[0, :, None] for x in self._rotary(hidden, position[None]))
        for layer in self._layers:
            hidden = hidden + self._attend(layer, hidden, hidden_from, cos, sin)
            both = functional.linear(self._normed(hidden, layer.before_mlp), layer.gate_up)
            gate, up = both.chunk(2, dim=-1)
            hidden = hidden + functional.linear(functional.silu(gate) * up, layer.down)
        return self._normed(hidden, self._norm)

    def _attend(
        self, layer: _Layer, hidden: Tensor, hidden_from: Tensor, cos: Tensor, sin: Tensor
    ) -> Tensor:
        size, heads, shared = len(hidden), self._heads, self._shared
        joint = functional.linear(
            self._normed(hidden, layer.before_attention), layer.qkv, layer.qkv_bias
        ).view(size, heads + 2 * shared, -1)
        turned, values = joint[:, : heads + shared], joint[:, heads + shared :]
        left, right = turned.chunk(2, dim=-1)
        turned = turned * cos + torch.cat((-right, left), dim=-1) * sin
        query, key = turned[:, :heads].transpose(0, 1), turned[:, heads:].transpose(0, 1)
        # Heads that share a key are stacked: one product per key.
        query = query.reshape(shared, -1, query.shape[-1])
        scores = torch.bmm(query, key.transpose(1, 2)).view(heads, size, size).float()
        scores = scores.mul_(query.shape[-1] ** -0.5).add_(hidden_from).softmax(-1)
        weights = scores.to(values.dtype).view(shared, -1, size)
        mixed = torch.bmm(weights, values.transpose(0, 1)).view(heads, size, -1)
        return functional.linear(mixed.transpose(0, 1).reshape(size, -1), layer.out, layer.out_bias)

    def _normed(self, hidden: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(hidden, weight.shape, weight, self._eps)


def _parts(layer: Any) -> list[tuple[Any, str]]:
    """Where a layer's matrices are; those of the MLP, the last three, have no bias here."""
    attention = [(layer.self_attn, f"{name}_proj") for name in "qkvo"]
    return attention + [(layer.mlp, f"{name}_proj") for name in ("gate", "up", "down")]


def _fused(layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    biases = [p.bias for p in parts]
    return _Layer(
        before_attention=layer.input_layernorm.weight,
        qkv=_joined(parts),
        qkv_bias=None if biases[0] is None else torch.cat([b.detach() for b in biases]),
        out=attention.o_proj.weight,
        out_bias=attention.o_proj.bias,
        before_mlp=layer.post_attention_layernorm.weight,
        gate_up=_joined((mlp.gate_proj, mlp.up_proj)),
        down=mlp.down_proj.weight,
    )


def _joined(parts: tuple[Any, ...]) -> Tensor:
    """One matrix of several; each of the several becomes a view of its part."""
    joint = torch.cat([p.weight.detach() for p in parts])
    start = 0
    for part in parts:
        end = start + len(part.weight)
        part.weight.data = joint[start:end]
        start = end
    return joint
