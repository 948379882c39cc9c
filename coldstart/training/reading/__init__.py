"""Labelled sentences that teach a language model to read requests."""
