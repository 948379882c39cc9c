"""Causal language models: loading, tokenization, next-token logits, LoRA adapters."""
