"""Ranking metrics, beyond-accuracy metrics and statistical significance."""
