"""Turning profiles into candidate titles."""
