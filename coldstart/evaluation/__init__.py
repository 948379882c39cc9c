"""Measuring recommenders on cold users."""
