"""Language models that differ by their adapter only, on one copy of the base model's weights."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor

from coldstart.errors import ModelError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.models.lean import LeanDecoder
from coldstart.generation.models.lora import Beside, LoRA, active, watch


class Base:
    """A base model that adapters are run beside.

    Args:
        lm: the model, without an adapter.
    """

    def __init__(self, lm: CausalLM) -> None:
        self.lm, self.lean = lm, lm._lean()
        self._watched: set[str] = set()
        self._lock = threading.Lock()

    def with_adapter(self, lora: LoRA) -> AdaptedLM:
        """The model with an adapter beside it.

        Raises:
            ModelError: the adapter changes more than the decoder's matrices, or does not fit.
        """
        if self.lean is None:
            self.watch(lora)
            return AdaptedLM(self, lora, None)
        shape = self.lean.shape
        beside = Beside(lora, self.lean.weights, shape.heads, shape.shared)
        return AdaptedLM(self, beside.lora, LeanDecoder(shape, self.lean.weights, beside))

    def watch(self, lora: LoRA) -> None:
        """Have the whole model's modules add what an adapter holds for them while it is active.

        Raises:
            ModelError: it holds something for what is no linear module of the decoder.
        """
        from transformers.pytorch_utils import Conv1D

        with self._lock:
            for name in sorted(lora.pairs.keys() - self._watched):
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
                watch(module, name)
                self._watched.add(name)


class AdaptedLM(CausalLM):
    """A base model with one adapter; made by ``Base.with_adapter``.

    Args:
        base: shared with others.
        lora: the adapter.
        lean: the decoder with the adapter beside it, if there is one.
    """

    def __init__(self, base: Base, lora: LoRA, lean: LeanDecoder | None) -> None:
        self.base, self.lora, self._with_adapter = base, lora, lean
        self.lines = base.lm.lines

    @property
    def model(self) -> Any:
        """The Hugging Face model; called, it has the adapter."""
        return self._adapted(self.base.lm.model)

    @property
    def decoder(self) -> Any:
        """The model without its head; called, it has the adapter."""
        return self._adapted(self.base.lm.decoder)

    def _adapted(self, module: Any) -> _Adapted:
        self.base.watch(self.lora)  # a whole model that was not needed before has just been loaded
        return _Adapted(module, self.lora)

    @property
    def tokenizer(self) -> Any:
        """That of the base model."""
        return self.base.lm.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the base model is."""
        return self.base.lm.device

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return self.base.lm.max_tokens

    @property
    def has_plain_head(self) -> bool:
        """As of the base model: adapters of the head are not run beside it."""
        return self.base.lm.has_plain_head

    def _head(self) -> tuple[Tensor, Tensor | None]:
        return self.base.lm._head()

    def _lean(self) -> LeanDecoder | None:
        return self._with_adapter


class _Adapted:
    """A module that has an adapter when it is called, and is itself in all else."""

    def __init__(self, module: Any, lora: LoRA) -> None:
        self._module, self._lora = module, lora

    def __call__(self, *args: Any, **more: Any) -> Any:
        with active(self._lora):
            return self._module(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _turned(module: Any) -> bool:
    """Whether its weight is (in, out), as in GPT-2."""
    return type(module) is not torch.nn.Linear
