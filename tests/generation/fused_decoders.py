"""Small decoders of every architecture that can be fused, and random inputs."""

from __future__ import annotations

import numpy as np
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config

SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


def decoder(config, seed=0):
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).eval()
    for name, weight in model.named_parameters():  # biases and norms start as constants
        if weight.ndim == 1:
            weight.data += 0.1 * torch.randn(weight.shape, generator=torch.manual_seed(len(name)))
    return model.model


def question(seed, size):
    rng = np.random.default_rng(seed)
    visible = np.tri(size, dtype=bool) & (rng.random((size, size)) < 0.5) | np.eye(size, dtype=bool)
    ids, position = rng.integers(0, 60, size), rng.integers(0, 90, size)
    return torch.from_numpy(ids), torch.from_numpy(visible), torch.from_numpy(position)


LIKE = {
    "llama": LlamaConfig(**SIZES),
    "llama-with-biases": LlamaConfig(**SIZES, attention_bias=True),
    "llama-stretched": LlamaConfig(
        **SIZES, rope_scaling={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}
    ),
    "llama-wide-heads": LlamaConfig(**SIZES, head_dim=16),
    "qwen2": Qwen2Config(**SIZES),
    "mistral": MistralConfig(**SIZES, sliding_window=None),
}
