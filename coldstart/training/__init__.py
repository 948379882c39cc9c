"""Fine-tuning a causal language model on people's likes."""
