"""Causal language model: next-token logits along a tree of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.errors import ModelError
from coldstart.generation.models.fused_decoder import FusedDecoder
from coldstart.generation.models.line_tokenizer import MAX_TITLE_TOKENS, LineTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Ints = NDArray[np.int64]


class CausalLM:
    """Hugging Face causal language model and its line tokenizer.

    Args:
        model: any causal LM, with or without a LoRA adapter, in evaluation mode.
        tokenizer: its tokenizer.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model
        self.lines = LineTokenizer(tokenizer)
        self._fused: FusedDecoder | None = None

    @property
    def model(self) -> Any:
        """The Hugging Face model."""
        return self._model

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer."""
        return self.lines.tokenizer

    @property
    def device(self) -> torch.device:
        """Device of the model's inputs."""
        device: torch.device = self.model.device
        return device

    @property
    def max_tokens(self) -> int:
        """Longest sequence the model takes."""
        return int(getattr(self.model.config, "max_position_embeddings", 1 << 20))

    @torch.inference_mode()
    def read(self, prompt: Sequence[int]) -> TreeReader:
        """Encode a prompt into a key-value cache that many branches can extend."""
        self._check(prompt)
        return TreeReader(self, prompt)

    @torch.inference_mode()
    def read_tree(self, prompt: Sequence[int], tokens: Ints, parents: Ints) -> Tensor:
        """Compute the states of a prompt and a tree after it in one forward pass.

        Args:
            prompt: token ids.
            tokens: token ids of the tree, shape (T,); a parent comes before its children.
            parents: for each, the index of the token it follows, -1 for the prompt's end.

        Returns:
            States at the tree's tokens and, last, at the prompt's end, shape (T + 1, H).
        """
        (states,) = self.read_trees([(prompt, tokens, parents)])
        return states

    @torch.inference_mode()
    def read_trees(self, requests: Sequence[tuple[Sequence[int], Ints, Ints]]) -> list[Tensor]:
        """Compute the states of several prompts, each with a tree after it, in one forward pass.

        Args:
            requests: (prompt, tokens, parents) of each, as for ``read_tree``.

        Returns:
            The states of each, as of ``read_tree``.
        """
        sequences = []
        for prompt, tokens, parents in requests:
            self._check(prompt)
            sequences.append(_sequence(prompt, tokens, parents))
        ends = [len(prompt) for prompt, _, _ in requests]
        states = self._states(sequences)
        return [torch.cat([s[n:], s[n - 1 : n]]) for s, n in zip(states, ends, strict=True)]

    def fused_decoder(self) -> FusedDecoder | None:
        """The decoder as fused operations, where its architecture is supported."""
        if self._fused is None or not self._fused.is_shared_with(self.decoder):
            supported = FusedDecoder.supports(self.decoder)
            self._fused = FusedDecoder.from_model(self.decoder) if supported else None
        return self._fused

    def _states(self, sequences: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Sequence[Tensor]:
        """States of sequences given as token ids (T,), attention mask (T, T) and positions (T,)."""
        sizes = [len(ids) for ids, _, _ in sequences]
        fused = self.fused_decoder()
        if fused is not None:
            tokens, seen, places = zip(*sequences, strict=True)
            return torch.split(fused(torch.cat(tokens), seen, torch.cat(places)), sizes)
        shape = len(sizes), max(sizes)
        padded, where = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        mask = torch.full((*shape, shape[1]), torch.finfo(self.model.dtype).min)
        for n, (ids, visible, position) in enumerate(sequences):
            size = len(ids)
            padded[n, :size], where[n, :size] = ids, position
            mask[n, :size, :size].masked_fill_(visible, 0)
        states: Tensor = self.decoder(
            input_ids=padded.to(self.device),
            attention_mask=mask[:, None].to(self.device, self.model.dtype),
            position_ids=where.to(self.device),
            use_cache=False,
        ).last_hidden_state
        return [own[:size] for own, size in zip(states, sizes, strict=True)]

    def _check(self, prompt: Sequence[int]) -> None:
        if not prompt:
            raise ModelError("the prompt has no tokens", hint="a template must print something")
        if len(prompt) + MAX_TITLE_TOKENS > self.max_tokens:
            raise ModelError(
                f"the prompt has {len(prompt)} tokens; the model takes {self.max_tokens}, "
                f"{MAX_TITLE_TOKENS} of them for a title",
                hint="lower prompt_tokens so that long profiles are trimmed",
            )

    def hidden_to_logits(self, hidden: Tensor, vocabulary: Tensor | None = None) -> Tensor:
        """Next-token logits of last-layer states, float32, over the vocabulary or a part of it.

        Args:
            hidden: states after the final norm, shape (R, H).
            vocabulary: token ids to score, shape (V,); ``None`` for all.

        Returns:
            Shape (R, V).
        """
        if not self.has_plain_head:
            raise ModelError(f"{self.model.config.model_type} post-processes its logits")
        weight, bias = self.head()
        if vocabulary is not None:
            weight = weight[vocabulary]
            bias = None if bias is None else bias[vocabulary]
        return torch.nn.functional.linear(hidden, weight, bias).float()

    def head(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of the output embedding."""
        head = self.model.get_output_embeddings()
        return head.weight, getattr(head, "bias", None)

    @cached_property
    def has_plain_head(self) -> bool:
        """Whether logits are the output embedding times the state and nothing else.

        Some architectures scale or cap them afterwards (Cohere, Gemma 2); the head of those cannot
        be restricted to a part of the vocabulary.
        """
        ids = torch.tensor([self.lines.encode("a\n")], device=self.device)
        with torch.inference_mode():
            plain = self.model(input_ids=ids, use_cache=False).logits.float()
            state = self.decoder(input_ids=ids, use_cache=False).last_hidden_state
            ours = torch.nn.functional.linear(state, *self.head())
        tolerance = 0.02 * plain.abs().max().item() + 1e-3
        return bool((plain - ours.float()).abs().max() < tolerance)

    @cached_property
    def decoder(self) -> Any:
        """The model without its head: last-layer states after the final norm."""
        whole = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        inner = getattr(whole, whole.base_model_prefix, None)
        if inner is None or inner is whole:
            raise ModelError(
                f"{type(whole).__name__} does not separate its decoder from its head",
                hint="use a causal LM of a standard family (GPT-2, Llama, Qwen, SmolLM2, …)",
            )
        return inner


def _sequence(prompt: Sequence[int], tokens: Ints, parents: Ints) -> tuple[Tensor, Tensor, Tensor]:
    """Prompt and tree as one sequence: token ids, attention mask, positions."""
    n, size = len(prompt), len(tokens)
    visible = np.zeros((n + size, n + size), dtype=np.bool_)
    visible[:n, :n] = np.tri(n, dtype=np.bool_)
    visible[n:, :n] = True
    visible[n:, n:] = np.eye(size, dtype=np.bool_)
    position = np.arange(n + size)
    for row, parent in enumerate(parents.tolist(), start=n):
        position[row] = n
        if parent >= 0:
            visible[row, n:row] = visible[n + parent, n:row]
            position[row] = position[n + parent] + 1
    ids = torch.tensor([*prompt, *tokens.tolist()])
    return ids, torch.from_numpy(visible), torch.from_numpy(position)


class TreeReader:
    """Prompt in a key-value cache, extended by the branches of a tree.

    Branches share every common token: position i attends to the prompt, to its ancestors and to
    itself, and has the position number of its depth. One forward pass so gives the next-token
    distribution at every node of a tree of titles.
    """

    def __init__(self, lm: CausalLM, prompt: Sequence[int]) -> None:
        from transformers import DynamicCache

        self._lm = lm
        self._prompt = len(prompt)
        self._cache = DynamicCache(config=lm.model.config)
        ids = torch.tensor([list(prompt)], device=lm.device)
        self._ancestors = torch.zeros(0, 0, dtype=torch.bool, device=lm.device)
        self._depth = torch.zeros(0, dtype=torch.long, device=lm.device)
        #: State at the prompt's last token, shape (1, H).
        self.end: Tensor = self._forward(ids, None, None)[0, -1:]

    def _forward(self, ids: Tensor, mask: Tensor | None, positions: Tensor | None) -> Tensor:
        out = self._lm.decoder(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
        )
        states: Tensor = out.last_hidden_state
        return states

    @torch.inference_mode()
    def extend(self, tokens: Sequence[int], parents: Sequence[int]) -> Tensor:
        """Append tokens to the tree.

        Args:
            tokens: token ids, length T; a parent comes before its children.
            parents: for each, the index of the token it follows among all tree tokens so far
                (this call's included), or -1 for the prompt's end.

        Returns:
            States at the new tokens, shape (T, H).
        """
        device, before, new = self._lm.device, len(self._depth), len(tokens)
        if not new:
            return self.end[:0]
        seen = torch.zeros(new, before + new, dtype=torch.bool)
        depth = torch.zeros(new, dtype=torch.long)
        old, old_depth = self._ancestors.cpu(), self._depth.cpu()
        for row, parent in enumerate(parents):
            if parent >= before:
                seen[row] = seen[parent - before]
                depth[row] = depth[parent - before] + 1
            elif parent >= 0:
                seen[row, :before] = old[parent, :before]
                depth[row] = old_depth[parent] + 1
            seen[row, before + row] = True
        visible = torch.cat([torch.ones(new, self._prompt, dtype=torch.bool), seen], dim=1)
        mask = torch.zeros(visible.shape, dtype=self._lm.model.dtype)
        mask.masked_fill_(~visible, torch.finfo(mask.dtype).min)
        states = self._forward(
            torch.tensor([list(tokens)], device=device),
            mask[None, None].to(device),
            (self._prompt + depth)[None].to(device),
        )
        grown = torch.zeros(before, before + new, dtype=torch.bool)
        grown[:, :before] = old
        self._ancestors = torch.cat([grown, seen]).to(device)
        self._depth = torch.cat([old_depth, depth]).to(device)
        return states[0]
