"""Recommenders from nothing: lists after no, few and many observed likes."""
