"""Small deterministic stand-ins for heavy parts."""

from __future__ import annotations

from coldstart.testing.trigrams import TrigramEncoder


class FakeEncoder(TrigramEncoder):
    """Similar spelling, similar vector."""

    def __init__(self, name: str = "fake", dim: int = 256) -> None:
        super().__init__(name, dim)
