"""A Llama-like decoder in fewer and larger operations, for short passes on a CPU.

On two cores a pass of some hundred tokens through thirty small layers spends more time between the
matrix products than in them. Here queries, keys and values are one product, so are gate and up;
attention is two batched products under an additive mask. Made of a Hugging Face model it shares its
weights: fusing replaces each of the original matrices by a view of the joint one. Saved by itself
it is there again in a fraction of a second, without importing Transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from coldstart.errors import ModelError

if TYPE_CHECKING:
    from coldstart.generation.models.lora import Beside

FAMILIES = frozenset({"llama", "mistral", "qwen2"})
"""Architectures that consist of nothing but what is written here."""
ROTATIONS = frozenset({"default", "linear", "llama3", "yarn"})
"""Kinds of rotary positions whose frequencies do not depend on the length of the text."""
_WEIGHTS, _SHAPE = "lean.safetensors", "lean.json"
_ROWS = 64  # rows of joint sequences are filled up to a multiple: torch keeps code for each number


@dataclass(frozen=True)
class Shape:
    """What a decoder is besides its weights.

    Args:
        layers: number of layers.
        heads: query heads per layer.
        shared: key and value heads per layer; each serves heads / shared queries.
        eps: of the norms.
        rotation: factor of the rotary cosines and sines.
        max_tokens: longest sequence.
    """

    layers: int
    heads: int
    shared: int
    eps: float
    rotation: float
    max_tokens: int


class LeanDecoder:
    """A decoder for one sequence, or several one after another.

    Args:
        shape: its shape.
        weights: ``embedding``, ``norm``, ``frequencies`` and, for each layer n, ``n.qkv``,
            ``n.out``, ``n.gate_up``, ``n.down`` and the two norms, with biases if there are any.
            ``head`` where it is not the embedding.
        beside: an adapter that is run beside the weights.
    """

    def __init__(
        self, shape: Shape, weights: Mapping[str, Tensor], beside: Beside | None = None
    ) -> None:
        self.shape, self.weights, self.beside = shape, dict(weights), beside

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether a model is of a kind that this can run, on a CPU, its adapters merged.

        Args:
            model: the causal LM without its head, such as ``LlamaModel``.
        """
        config: Any = getattr(model, "config", None)
        if getattr(config, "model_type", None) not in FAMILIES or model.device.type != "cpu":
            return False
        kinds = set(getattr(config, "layer_types", None) or ())
        if config.hidden_act != "silu" or kinds - {"full_attention"}:
            return False
        if config.model_type == "mistral" and config.sliding_window:
            return False
        if getattr(model.rotary_emb, "rope_type", None) not in ROTATIONS:
            return False
        parts = [getattr(x, name) for x, name in _parts(model.layers[0])]
        # What is not merged, or of few bits, is no plain product.
        return all(type(p) is torch.nn.Linear for p in parts) and all(
            p.bias is None for p in parts[4:]
        )

    @classmethod
    def of(cls, model: Any) -> LeanDecoder:
        """Make one of a model that ``fits``; the model's weights become views of this one's."""
        config, rotary = model.config, model.rotary_emb
        with torch.inference_mode(mode=False), torch.no_grad():  # they may be trained on later
            weights = {
                "embedding": model.embed_tokens.weight.detach(),
                "norm": model.norm.weight.detach(),
                "frequencies": rotary.inv_freq.detach(),
            }
            for n, layer in enumerate(model.layers):
                weights |= {f"{n}.{name}": weight for name, weight in _fused(layer).items()}
        shape = Shape(
            len(model.layers),
            config.num_attention_heads,
            config.num_key_value_heads,
            float(config.rms_norm_eps),
            float(rotary.attention_scaling),
            int(config.max_position_embeddings),
        )
        return cls(shape, weights)

    def is_of(self, model: Any) -> bool:
        """Whether these are still a model's weights; they are not after ``model.to(…)``."""
        query = model.layers[0].self_attn.q_proj
        return bool(query.weight.data_ptr() == self.weights["0.qkv"].data_ptr())

    def lend(self, model: Any) -> None:
        """Make the weights of an equal model views of these, so that there is one copy.

        Args:
            model: a causal LM that ``fits`` without its head.
        """
        inner, w = model.get_decoder(), self.weights
        inner.embed_tokens.weight.data, inner.norm.weight.data = w["embedding"], w["norm"]
        model.get_output_embeddings().weight.data = self.head
        for n, layer in enumerate(inner.layers):
            attention, mlp = layer.self_attn, layer.mlp
            layer.input_layernorm.weight.data = w[f"{n}.before_attention"]
            layer.post_attention_layernorm.weight.data = w[f"{n}.before_mlp"]
            attention.o_proj.weight.data = w[f"{n}.out"]
            mlp.down_proj.weight.data = w[f"{n}.down"]
            _cut(w[f"{n}.qkv"], (attention.q_proj, attention.k_proj, attention.v_proj))
            _cut(w[f"{n}.gate_up"], (mlp.gate_proj, mlp.up_proj))

    @property
    def head(self) -> Tensor:
        """Output embedding, shape (V, H)."""
        return self.weights.get("head", self.weights["embedding"])

    def save(self, folder: Path, head: Tensor | None = None) -> None:
        """Write weights and shape.

        Args:
            folder: an existing folder.
            head: the output embedding, shape (V, H), if it is not the input embedding.
        """
        from safetensors.torch import save_file

        more = {} if head is None else {"head": head.detach()}
        save_file({k: v.contiguous() for k, v in (self.weights | more).items()}, folder / _WEIGHTS)
        (folder / _SHAPE).write_text(json.dumps(asdict(self.shape)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LeanDecoder:
        """Read what ``save`` wrote; weights are memory-mapped.

        Raises:
            ModelError: there is none, or it is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            shape = Shape(**json.loads((folder / _SHAPE).read_text(encoding="utf-8")))
            return cls(shape, load_file(folder / _WEIGHTS))
        except (OSError, ValueError, TypeError, SafetensorError) as e:
            raise ModelError(f"no decoder in {folder}: {e}", hint="delete the folder") from e

    @torch.inference_mode()
    def __call__(self, ids: Tensor, visible: Tensor | Sequence[Tensor], position: Tensor) -> Tensor:
        """Last-layer states after the final norm.

        Args:
            ids: token ids, shape (T,).
            visible: which tokens each token attends to, bool, shape (T, T). Of several sequences
                one after another, those of each, shape (T_n, T_n), all T_n together T.
            position: of each token, shape (T,).

        Returns:
            Shape (T, H).
        """
        w, size = self.weights, len(ids)
        blocks = [visible] if isinstance(visible, Tensor) else visible
        if len(blocks) > 1:
            spare = -size % _ROWS
            ids, position = functional.pad(ids, (0, spare)), functional.pad(position, (0, spare))
        hidden = functional.embedding(ids, w["embedding"])
        masks = [torch.zeros(b.shape).masked_fill_(~b, float("-inf")) for b in blocks]
        angles = position[:, None].float() * w["frequencies"].float()
        angles = torch.cat((angles, angles), dim=-1)[:, None]
        cos, sin = (
            (turn * self.shape.rotation).to(hidden.dtype) for turn in (angles.cos(), angles.sin())
        )
        for n in range(self.shape.layers):
            hidden = hidden + self._attend(n, hidden, masks, cos, sin)
            both = self._linear(self._normed(hidden, f"{n}.before_mlp"), f"{n}.gate_up")
            gate, up = both.chunk(2, dim=-1)
            hidden = hidden + self._linear(functional.silu(gate) * up, f"{n}.down")
        return self._normed(hidden[:size], "norm")

    def _attend(
        self, n: int, hidden: Tensor, masks: Sequence[Tensor], cos: Tensor, sin: Tensor
    ) -> Tensor:
        heads, shared = self.shape.heads, self.shape.shared
        joint = self._linear(self._normed(hidden, f"{n}.before_attention"), f"{n}.qkv")
        joint = joint.view(len(hidden), heads + 2 * shared, -1)
        turned, values = joint[:, : heads + shared], joint[:, heads + shared :]
        left, right = turned.chunk(2, dim=-1)
        turned = turned * cos + torch.cat((-right, left), dim=-1) * sin
        out, start = hidden.new_zeros(len(hidden), heads * joint.shape[-1]), 0
        for mask in masks:
            end = start + len(mask)
            out[start:end] = self._mixed(turned[start:end], values[start:end], mask)
            start = end
        return self._linear(out, f"{n}.out")

    def _mixed(self, turned: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """What each token of one sequence takes from those it sees, shape (T, heads · width)."""
        size, heads, shared = len(mask), self.shape.heads, self.shape.shared
        query, key = turned[:, :heads].transpose(0, 1), turned[:, heads:].transpose(0, 1)
        # Heads that share a key are stacked: one product per key.
        query = query.reshape(shared, -1, query.shape[-1])
        scores = torch.bmm(query, key.transpose(1, 2)).view(heads, size, size).float()
        scores = scores.mul_(query.shape[-1] ** -0.5).add_(mask).softmax(-1)
        weights = scores.to(values.dtype).view(shared, -1, size)
        mixed = torch.bmm(weights, values.transpose(0, 1)).view(heads, size, -1)
        return mixed.transpose(0, 1).reshape(size, -1)

    def _linear(self, hidden: Tensor, name: str) -> Tensor:
        out = functional.linear(hidden, self.weights[name], self.weights.get(f"{name}_bias"))
        if self.beside is not None:
            self.beside.add(name, hidden, out)
        return out

    def _normed(self, hidden: Tensor, name: str) -> Tensor:
        weight = self.weights[name]
        return functional.rms_norm(hidden, weight.shape, weight, self.shape.eps)


def _parts(layer: Any) -> list[tuple[Any, str]]:
    """Where a layer's matrices are; those of the MLP, the last three, have no bias here."""
    attention = [(layer.self_attn, f"{name}_proj") for name in "qkvo"]
    return attention + [(layer.mlp, f"{name}_proj") for name in ("gate", "up", "down")]


def _fused(layer: Any) -> dict[str, Tensor]:
    attention, mlp = layer.self_attn, layer.mlp
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    out = {
        "before_attention": layer.input_layernorm.weight.detach(),
        "qkv": _joined(parts),
        "out": attention.o_proj.weight.detach(),
        "before_mlp": layer.post_attention_layernorm.weight.detach(),
        "gate_up": _joined((mlp.gate_proj, mlp.up_proj)),
        "down": mlp.down_proj.weight.detach(),
    }
    if parts[0].bias is not None:
        out["qkv_bias"] = torch.cat([p.bias.detach() for p in parts])
    if attention.o_proj.bias is not None:
        out["out_bias"] = attention.o_proj.bias.detach()
    return out


def _joined(parts: tuple[Any, ...]) -> Tensor:
    """One matrix of several; each of the several becomes a view of its part."""
    joint = torch.cat([p.weight.detach() for p in parts])
    _cut(joint, parts)
    return joint


def _cut(joint: Tensor, parts: tuple[Any, ...]) -> None:
    """Make each of several matrices a view of its part of the joint one."""
    start = 0
    for part in parts:
        end = start + len(part.weight)
        part.weight.data = joint[start:end]
        start = end
