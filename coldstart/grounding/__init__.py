"""Grounding of generated titles in the catalog."""
