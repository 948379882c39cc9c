"""Plots of reports: what is drawn as plain data, and how it is drawn."""
