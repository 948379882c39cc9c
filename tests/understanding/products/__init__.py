"""Tests of reading requests for products."""
