"""Tests of `coldstart.profile`."""
