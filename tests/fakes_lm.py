"""A tiny tokenizer and tiny random language models, made on the spot."""

from __future__ import annotations

from functools import cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from coldstart.generation.models.causal import CausalLM
from coldstart.generation.trie.trie import TitleTrie
from coldstart.testing.world import TITLES

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE of 320 tokens: three control tokens, all bytes, a few merges."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=CONTROL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(["\n".join(TITLES)] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )


# Wide initial weights, so that the next-token distributions are far from uniform.
_SIZE = {"vocab_size": 330, "initializer_range": 0.15, "max_position_embeddings": 1024}
_WIDTH = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_LLAMA = _SIZE | _WIDTH | {"intermediate_size": 64, "num_key_value_heads": 2}


def _seeded(architecture: type[PreTrainedModel], config: object) -> CausalLM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        lm = CausalLM(architecture(config).eval(), tiny_tokenizer())
    with torch.no_grad():  # random weights alone would hardly ever end a line
        lm.model.get_output_embeddings().weight[list(lm.lines.end)] *= 3
    return lm


@cache
def tiny_llama() -> CausalLM:
    """A random Llama; its vocabulary is padded beyond the tokenizer's, as real ones are."""
    return _seeded(LlamaForCausalLM, LlamaConfig(**_LLAMA))


@cache
def tiny_gpt2() -> CausalLM:
    """A random GPT-2: absolute positions, tied embeddings."""
    return _seeded(GPT2LMHeadModel, GPT2Config(**_SIZE, n_embd=32, n_layer=2, n_head=4))


@cache
def tiny_cohere() -> CausalLM:
    """A random Cohere, which scales its logits after the head."""
    return _seeded(CohereForCausalLM, CohereConfig(**_LLAMA, logit_scale=0.25))


def trie_of(titles: dict[str, str] | list[str]) -> TitleTrie:
    """The trie of some titles in tokens of the tiny tokenizer."""
    if isinstance(titles, list):
        titles = {f"i{n}": title for n, title in enumerate(titles)}
    lines = tiny_llama().lines
    return TitleTrie({item_id: lines.title(title) for item_id, title in titles.items()})
