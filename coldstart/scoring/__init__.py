"""Signals of the ranker and the scorers that compute them."""
