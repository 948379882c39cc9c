"""Turning generated titles into catalog ids."""
