"""Exact scoring, beam search and free generation of titles."""
