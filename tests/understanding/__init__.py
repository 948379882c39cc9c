"""Tests of `coldstart.understanding`."""
