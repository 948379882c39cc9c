"""Nearest-neighbour indexes behind one protocol."""
