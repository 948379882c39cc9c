"""Prequential evaluation: test-then-train on a stream of likes, and recovery from drift."""
