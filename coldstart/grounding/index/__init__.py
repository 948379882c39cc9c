"""Nearest-neighbour indexes: implementations of ``protocols.Index``."""
