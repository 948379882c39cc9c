"""Untuned language models as rankers of a catalog."""
