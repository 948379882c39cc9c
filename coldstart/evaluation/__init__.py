"""Offline evaluation of cold-start recommenders: benchmark, replay, audits, off-policy."""
