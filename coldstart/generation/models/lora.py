"""LoRA adapter as plain matrices, unmerged, so that several adapters share one base model.

Low-rank adaptation (Hu et al., 2021) adds ``s · B (A x)`` to a product ``W x``. Adapters that hold
anything else are refused; they can be merged into a model of their own.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from coldstart.errors import ModelError

_CONFIG, _WEIGHTS = "adapter/adapter_config.json", "adapter/adapter_model.safetensors"
_ROOT = "base_model.model."
_HINT = "it runs merged into a model of its own"
# Settings of PEFT that may have any value; every other one must be off.
_FREE = frozenset(
    "peft_type peft_version task_type auto_mapping base_model_name_or_path revision inference_mode "
    "r lora_alpha lora_dropout use_rslora target_modules exclude_modules layers_to_transform "
    "layers_pattern fan_in_fan_out megatron_core qalora_group_size init_lora_weights".split()
)
_STARTS = (True, False, "gaussian")  # others change the base model's weights, too
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_PLACES = re.compile(r"(?:.*\.)?layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)_proj")
_FUSED = {"q": "qkv", "k": "qkv", "v": "qkv", "o": "out"}
_FUSED |= {"gate": "gate_up", "up": "gate_up", "down": "down"}


class LoRAPair(NamedTuple):
    """Low-rank update of one linear module, unscaled: A, shape (r, in), and B, shape (out, r)."""

    down: Tensor
    up: Tensor


@dataclass(frozen=True)
class LoRA:
    """Low-rank updates of an adapter.

    Args:
        pairs: by the name of the module in the base model, such as ``model.layers.0.mlp.up_proj``.
        scale: s, common to all pairs.
    """

    pairs: Mapping[str, LoRAPair]
    scale: float

    @classmethod
    def read(cls, files: Mapping[str, bytes], device: torch.device, dtype: torch.dtype) -> LoRA:
        """Read an adapter in PEFT's format.

        Args:
            files: of an artifact.
            device: of the matrices.
            dtype: of the matrices.

        Raises:
            ModelError: it is damaged, or holds more than plain low-rank updates.
        """
        try:
            scale = _scale(json.loads(files[_CONFIG]))
            tensors = _views(files[_WEIGHTS])
        except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as e:
            raise ModelError(f"no LoRA adapter: {type(e).__name__}: {e}", hint=_HINT) from e
        halves: dict[str, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            found = re.fullmatch(re.escape(_ROOT) + r"(.+)\.lora_([AB])\.weight", key)
            if found is None or tensor.ndim != 2:
                raise ModelError(f"the adapter holds {key}", hint=_HINT)
            halves.setdefault(found[1], {})[found[2]] = tensor.to(device, dtype)
        pairs = {}
        for name, half in halves.items():
            if len(half) < 2 or len(half["A"]) != half["B"].shape[1]:
                raise ModelError(f"the adapter's matrices of {name} do not go together", hint=_HINT)
            pairs[name] = LoRAPair(half["A"], half["B"])
        return cls(pairs, scale)

    def add(self, name: str, inputs: Tensor, output: Tensor) -> Tensor:
        """Return a module's output with its low-rank update added."""
        pair = self.pairs.get(name)
        if pair is None:
            return output
        return output + functional.linear(
            functional.linear(inputs, pair.down) * self.scale, pair.up
        )


def _views(data: bytes) -> dict[str, Tensor]:
    """Tensors of a safetensors file without a copy, which the library's reader would make."""
    begin = 8 + int.from_bytes(data[:8], "little")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")
        whole = torch.frombuffer(data, dtype=torch.uint8)
    return {
        name: whole[begin:][slice(*about["data_offsets"])]
        .view(_DTYPES[about["dtype"]])
        .view(about["shape"])
        for name, about in json.loads(data[8:begin]).items()
        if name != "__metadata__"
    }


def _scale(config: Mapping[str, Any]) -> float:
    """Scale s of an adapter's configuration; other forms of update are refused."""
    if config.get("peft_type") != "LORA":
        raise ModelError(f"the adapter is {config.get('peft_type')!r}, not LORA", hint=_HINT)
    rest = {n: v for n, v in config.items() if n not in _FREE and v not in (None, False, "none")}
    odd = sorted(n for n, value in rest.items() if value != {} and value != [])
    if config.get("init_lora_weights", True) not in _STARTS:
        odd.append("init_lora_weights")
    if odd:
        raise ModelError(f"the adapter has {', '.join(odd)}", hint=_HINT)
    rank = int(config["r"])
    return float(config["lora_alpha"]) / (math.sqrt(rank) if config.get("use_rslora") else rank)


class _Part(NamedTuple):
    """Low-rank update of one part of a fused projection.

    Args:
        rank: its columns of the concatenated low-rank state.
        columns: its columns of the output.
        up: B.
    """

    rank: slice
    columns: slice
    up: Tensor


class FusedLoRA:
    """Adapter of a ``FusedDecoder``: one concatenated A per fused projection.

    Args:
        lora: the adapter; its A become views of the concatenated ones.
        weights: of the decoder.
        heads: query heads per layer.
        shared: key and value heads per layer.

    Raises:
        ModelError: the adapter changes other modules, or its shapes do not fit.
    """

    def __init__(self, lora: LoRA, weights: Mapping[str, Tensor], heads: int, shared: int) -> None:
        found: dict[str, dict[str, str]] = {}  # joint product → part → name
        for name in lora.pairs:
            place = _PLACES.fullmatch(name)
            if place is None or place[2] not in _FUSED:
                raise ModelError(f"the adapter changes {name}", hint=_HINT)
            found.setdefault(f"{place[1]}.{_FUSED[place[2]]}", {})[place[2]] = name
        pairs: dict[str, LoRAPair] = {}
        self._joint: dict[str, tuple[Tensor, tuple[_Part, ...]]] = {}
        for joint, names in found.items():
            if joint not in weights:
                raise ModelError(f"the base model has no {', '.join(names.values())}", hint=_HINT)
            columns = _columns(joint, len(weights[joint]), heads, shared)
            own = {part: lora.pairs[name] for part, name in names.items()}
            for part, pair in own.items():
                size = columns[part].stop - columns[part].start, weights[joint].shape[1]
                if (len(pair.up), pair.down.shape[1]) != size:
                    raise ModelError(f"the adapter does not fit {names[part]}", hint=_HINT)
            stacked, start, parts = torch.cat([p.down for p in own.values()]), 0, []
            for part, pair in own.items():
                rank = slice(start, start + len(pair.down))
                parts.append(_Part(rank, columns[part], pair.up))
                pairs[names[part]] = LoRAPair(stacked[rank], pair.up)
                start = rank.stop
            self._joint[joint] = stacked, tuple(parts)
        #: The adapter, as views of the concatenated matrices.
        self.lora = LoRA(pairs, lora.scale)

    def add(self, name: str, inputs: Tensor, output: Tensor) -> None:
        """Add the low-rank update to the output of a fused projection, in place.

        Args:
            name: of the projection, such as ``3.qkv``.
            inputs: shape (T, in).
            output: shape (T, out).
        """
        found = self._joint.get(name)
        if found is None:
            return
        stacked, parts = found
        low = functional.linear(inputs, stacked) * self.lora.scale
        for part in parts:
            output[:, part.columns] += functional.linear(low[:, part.rank], part.up)


def _columns(joint: str, size: int, heads: int, shared: int) -> dict[str, slice]:
    """Columns of each part of a fused projection."""
    kind = joint.partition(".")[2]
    if kind == "qkv":
        width = size // (heads + 2 * shared)
        ends = [heads * width, (heads + shared) * width, size]
        return dict(zip("qkv", map(slice, [0, *ends], ends), strict=True))
    if kind == "gate_up":
        return {"gate": slice(0, size // 2), "up": slice(size // 2, size)}
    return {"o" if kind == "out" else "down": slice(0, size)}


_ACTIVE: ContextVar[LoRA | None] = ContextVar("active adapter", default=None)


@contextmanager
def active(lora: LoRA) -> Iterator[None]:
    """Activate an adapter for the hooked modules, in this thread only."""
    token = _ACTIVE.set(lora)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def add_hook(module: torch.nn.Module, name: str) -> None:
    """Hook a module so that the active adapter's update for ``name`` is added to its output."""

    def hook(_: torch.nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        lora = _ACTIVE.get()
        return output if lora is None else lora.add(name, inputs[0], output)

    module.register_forward_hook(hook)
