"""Llama-like decoder in fused operations, for short forward passes on a CPU.

On two cores a pass of some hundred tokens through thirty small layers spends more time between the
matrix products than in them. Here queries, keys and values are one product, and so are gate and up;
attention is two batched products under an additive mask. A decoder made from a Hugging Face model
shares its weights: each original matrix becomes a view of the fused one. A saved decoder loads in a
fraction of a second, without importing Transformers.
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
    from coldstart.generation.models.lora import FusedLoRA

FAMILIES = frozenset({"llama", "mistral", "qwen2"})
"""Supported architectures."""
ROTATIONS = frozenset({"default", "linear", "llama3", "yarn"})
"""Supported rotary embeddings: their frequencies do not depend on the length of the sequence."""
_WEIGHTS, _SHAPE = "lean.safetensors", "lean.json"
_ROWS = 64  # rows of packed sequences are padded to a multiple: torch caches code per row count


@dataclass(frozen=True)
class DecoderShape:
    """Hyperparameters of a decoder.

    Args:
        layers: number of layers.
        heads: query heads per layer.
        shared: key and value heads per layer; each serves heads / shared query heads.
        eps: of the RMS norms.
        rotation: scale of the rotary cosines and sines.
        max_tokens: longest sequence.
    """

    layers: int
    heads: int
    shared: int
    eps: float
    rotation: float
    max_tokens: int


class FusedDecoder:
    """Decoder with fused projections, for one sequence or several packed ones.

    Args:
        shape: its hyperparameters.
        weights: ``embedding``, ``norm``, ``frequencies`` and, for each layer n, ``n.qkv``,
            ``n.out``, ``n.gate_up``, ``n.down`` and the two norms, with biases if there are any.
            ``head`` where it is not the embedding.
        adapter: LoRA adapter that is added to the projections, if any.
    """

    def __init__(
        self,
        shape: DecoderShape,
        weights: Mapping[str, Tensor],
        adapter: FusedLoRA | None = None,
    ) -> None:
        self.shape, self.weights, self.adapter = shape, dict(weights), adapter

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether a model has a supported architecture, is on the CPU and has no unmerged adapter.

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
        # Unmerged or quantized modules are no plain products.
        return all(type(p) is torch.nn.Linear for p in parts) and all(
            p.bias is None for p in parts[4:]
        )

    @classmethod
    def from_model(cls, model: Any) -> FusedDecoder:
        """Fuse a supported model; its weights become views of the fused ones."""
        config, rotary = model.config, model.rotary_emb
        with torch.inference_mode(mode=False), torch.no_grad():  # they may be trained on later
            weights = {
                "embedding": model.embed_tokens.weight.detach(),
                "norm": model.norm.weight.detach(),
                "frequencies": rotary.inv_freq.detach(),
            }
            for n, layer in enumerate(model.layers):
                weights |= {f"{n}.{name}": weight for name, weight in _fused(layer).items()}
        shape = DecoderShape(
            len(model.layers),
            config.num_attention_heads,
            config.num_key_value_heads,
            float(config.rms_norm_eps),
            float(rotary.attention_scaling),
            int(config.max_position_embeddings),
        )
        return cls(shape, weights)

    def is_shared_with(self, model: Any) -> bool:
        """Whether a model still shares these weights; it does not after ``model.to(…)``."""
        query = model.layers[0].self_attn.q_proj
        return bool(query.weight.data_ptr() == self.weights["0.qkv"].data_ptr())

    def share_with(self, model: Any) -> None:
        """Replace the weights of an equal model by views of these, so that there is one copy.

        Args:
            model: causal LM with a supported decoder.
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
        """Write weights and hyperparameters.

        Args:
            folder: an existing folder.
            head: the output embedding, shape (V, H), if it is not the input embedding.
        """
        from safetensors.torch import save_file

        more = {} if head is None else {"head": head.detach()}
        save_file({k: v.contiguous() for k, v in (self.weights | more).items()}, folder / _WEIGHTS)
        (folder / _SHAPE).write_text(json.dumps(asdict(self.shape)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> FusedDecoder:
        """Load a saved decoder; weights are memory-mapped.

        Raises:
            ModelError: the files are missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            shape = DecoderShape(**json.loads((folder / _SHAPE).read_text(encoding="utf-8")))
            return cls(shape, load_file(folder / _WEIGHTS))
        except (OSError, ValueError, TypeError, SafetensorError) as e:
            raise ModelError(f"no decoder in {folder}: {e}", hint="delete the folder") from e

    @torch.inference_mode()
    def __call__(self, ids: Tensor, visible: Tensor | Sequence[Tensor], position: Tensor) -> Tensor:
        """Last-layer states after the final norm.

        Args:
            ids: token ids, shape (T,).
            visible: attention mask, true where row attends to column, bool, shape (T, T). Of packed
                sequences, one mask each, shape (T_n, T_n); the T_n sum to T.
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
        """Attention output of one sequence, shape (T, heads · width)."""
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
        if self.adapter is not None:
            self.adapter.add(name, hidden, out)
        return out

    def _normed(self, hidden: Tensor, name: str) -> Tensor:
        weight = self.weights[name]
        return functional.rms_norm(hidden, weight.shape, weight, self.shape.eps)


def _parts(layer: Any) -> list[tuple[Any, str]]:
    """Module and attribute of each projection; the last three, of the MLP, lack biases."""
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
    """Concatenate matrices; each becomes a view of its part."""
    joint = torch.cat([p.weight.detach() for p in parts])
    _cut(joint, parts)
    return joint


def _cut(joint: Tensor, parts: tuple[Any, ...]) -> None:
    """Replace each of several matrices by a view of its part of the fused one."""
    start = 0
    for part in parts:
        end = start + len(part.weight)
        part.weight.data = joint[start:end]
        start = end
