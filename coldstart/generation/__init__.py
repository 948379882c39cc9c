"""Candidate titles by a language model: exact scoring, constrained and free generation."""
