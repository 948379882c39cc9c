"""Sentences of reasons, one module per language."""
