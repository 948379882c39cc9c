"""Recommenders from a catalog alone: no interactions, no training."""
