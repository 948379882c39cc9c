"""Artifacts of trained recommenders: format, loading, model card, Hugging Face Hub."""
