"""Decoding: exact scoring, trie-constrained beam search, free generation."""
