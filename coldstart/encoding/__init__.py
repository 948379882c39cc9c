"""Turning texts into unit vectors."""
