"""Datasets: interactions, users and items from tables or public sources."""
