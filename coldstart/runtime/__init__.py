"""Caches, downloads, hardware and base weights: what the package needs of the machine."""
