"""Recorded requests: what people asked for in their own words, and what they chose."""
