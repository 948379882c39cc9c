"""Obedience to plain sentences: whether what is shown fulfils what was asked for."""
