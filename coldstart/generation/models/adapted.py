"""Language models with unmerged LoRA adapters on one copy of the base model's weights."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor

from coldstart.errors import ModelError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.fused_decoder import FusedDecoder
from coldstart.generation.models.lora import FusedLoRA, LoRA, active, add_hook


class SharedBase:
    """Base model shared by several adapters.

    Args:
        lm: the model, without an adapter.
    """

    def __init__(self, lm: CausalLM) -> None:
        self.lm, self.fused = lm, lm.fused_decoder()
        self._hooked: set[str] = set()
        self._lock = threading.Lock()

    def with_adapter(self, lora: LoRA) -> AdaptedLM:
        """Return the model with an unmerged adapter.

        Raises:
            ModelError: the adapter changes more than the decoder's matrices, or does not fit.
        """
        if self.fused is None:
            self.hook(lora)
            return AdaptedLM(self, lora, None)
        shape, weights = self.fused.shape, self.fused.weights
        adapter = FusedLoRA(lora, weights, shape.heads, shape.shared)
        return AdaptedLM(self, adapter.lora, FusedDecoder(shape, weights, adapter))

    def hook(self, lora: LoRA) -> None:
        """Hook the whole model's modules that an adapter changes; idempotent.

        Raises:
            ModelError: the adapter changes something other than a linear module of the decoder.
        """
        from transformers.pytorch_utils import Conv1D

        with self._lock:
            for name in sorted(lora.pairs.keys() - self._hooked):
                prefix, pair = f"{self.lm.model.base_model_prefix}.", lora.pairs[name]
                try:
                    module = self.lm.decoder.get_submodule(name.removeprefix(prefix))
                except AttributeError:
                    module = None
                if not name.startswith(prefix) or type(module) not in (torch.nn.Linear, Conv1D):
                    raise ModelError(f"{name} is no linear module of the decoder")
                size = tuple(module.weight.shape)
                if (len(pair.up), pair.down.shape[1]) != size[:: -1 if _turned(module) else 1]:
                    raise ModelError(f"the adapter does not fit {name}")
                add_hook(module, name)
                self._hooked.add(name)


class AdaptedLM(CausalLM):
    """Base model with one unmerged adapter; made by ``SharedBase.with_adapter``.

    Args:
        base: shared by other adapters.
        lora: the adapter.
        fused: the fused decoder with the adapter, where the architecture is supported.
    """

    def __init__(self, base: SharedBase, lora: LoRA, fused: FusedDecoder | None) -> None:
        self.base, self.lora, self._fused = base, lora, fused
        self.lines = base.lm.lines

    @property
    def model(self) -> Any:
        """The Hugging Face model, adapter applied."""
        return self._adapted(self.base.lm.model)

    @property
    def decoder(self) -> Any:
        """The model without its head, adapter applied."""
        return self._adapted(self.base.lm.decoder)

    def _adapted(self, module: Any) -> _Adapted:
        self.base.hook(self.lora)  # the whole model may have been loaded just now
        return _Adapted(module, self.lora)

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer of the base model."""
        return self.base.lm.tokenizer

    @property
    def device(self) -> torch.device:
        """Device of the base model."""
        return self.base.lm.device

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self.base.lm.max_tokens

    @property
    def has_plain_head(self) -> bool:
        """As of the base model: adapters never change the head."""
        return self.base.lm.has_plain_head

    def head(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of the base model's output embedding."""
        return self.base.lm.head()

    def fused_decoder(self) -> FusedDecoder | None:
        """The fused decoder with the adapter, where the architecture is supported."""
        return self._fused


class _Adapted:
    """Proxy of a module that activates an adapter during calls."""

    def __init__(self, module: Any, lora: LoRA) -> None:
        self._module, self._lora = module, lora

    def __call__(self, *args: Any, **more: Any) -> Any:
        with active(self._lora):
            return self._module(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _turned(module: Any) -> bool:
    """Whether a module's weight is transposed, (in, out), as in GPT-2."""
    return type(module) is not torch.nn.Linear
