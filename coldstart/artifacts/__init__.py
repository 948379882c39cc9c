"""Saving, loading and sharing trained recommenders."""
