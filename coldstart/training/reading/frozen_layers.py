"""Decoder whose lower layers are frozen: their states are computed once per text and kept.

With adapters in the upper layers only, the lower ones give the same states in every epoch. For a
prompt of fixed text they need one forward pass in all, and no backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from coldstart.errors import ConfigError


class FrozenLayers:
    """A decoder in two parts.

    Args:
        decoder: with ``layers`` and ``norm``, as of Llama, Qwen, SmolLM2, …
        frozen: number of lower layers without training, 0 to all but one.

    Raises:
        ConfigError: another architecture, or a number out of range.
    """

    def __init__(self, decoder: Any, frozen: int) -> None:
        layers = getattr(decoder, "layers", None)
        if not isinstance(layers, torch.nn.ModuleList) or not hasattr(decoder, "norm"):
            raise ConfigError(
                f"{type(decoder).__name__} has no list of layers to freeze",
                hint="freeze no layers, or use a model of the Llama family",
            )
        if not 0 <= frozen < len(layers):
            raise ConfigError(f"{frozen} frozen layers of {len(layers)}", hint="leave one at least")
        self._decoder, self._frozen = decoder, frozen
        self._lower, self._upper = layers[:frozen], layers[frozen:]
        for parameter in self._lower.parameters():
            parameter.requires_grad_(False)
        self._kept: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, ids: Tensor, mask: Tensor, where: Tensor, sizes: Sequence[int]) -> Tensor:
        """States after the last layer and the norm, shape (B, longest, H).

        Args:
            ids: token ids, right-padded, shape (B, longest).
            mask: additive attention mask, shape (B, 1, longest, longest).
            where: positions, shape (B, longest).
            sizes: number of real tokens of each row.
        """
        keys = [tuple(row[:n].tolist()) for row, n in zip(ids, sizes, strict=True)]
        if any(key not in self._kept for key in keys):
            with torch.no_grad(), self._only(self._lower, torch.nn.Identity()):
                states = self._run({"input_ids": ids}, mask, where)
            self._kept |= {k: s[:n] for k, s, n in zip(keys, states, sizes, strict=True)}
        lower = torch.nn.utils.rnn.pad_sequence([self._kept[key] for key in keys], batch_first=True)
        with self._only(self._upper, self._decoder.norm):
            return self._run({"inputs_embeds": lower}, mask, where)

    def _run(self, inputs: dict[str, Tensor], mask: Tensor, where: Tensor) -> Tensor:
        states: Tensor = self._decoder(
            **inputs, attention_mask=mask, position_ids=where, use_cache=False
        ).last_hidden_state
        return states

    @contextmanager
    def _only(self, layers: torch.nn.ModuleList, norm: torch.nn.Module) -> Iterator[None]:
        """Have the decoder run a part of its layers."""
        whole = self._decoder.layers, self._decoder.norm
        self._decoder.layers, self._decoder.norm = layers, norm
        try:
            yield
        finally:
            self._decoder.layers, self._decoder.norm = whole
