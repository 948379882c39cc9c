"""Causal language models: loading, tokenizing, next-token scores, LoRA adapters."""
