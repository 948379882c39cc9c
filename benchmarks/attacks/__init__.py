"""Attacks on artifacts, the store and the network; ``benchmarks/attack.py`` runs them.

A module has ``NAME``, ``options(parser)``, and ``attack(options) -> Outcome``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    """What became of the attempts of one module.

    Args:
        attempts: number of attempts.
        bad: counts that must be 0, by what happened: deaths, untyped errors, lost events, …
        fine: counts of the other ends, by what happened.
        text: Markdown paragraphs: what was tried, and how.
        figures: anything else for the JSON file.
    """

    attempts: int
    bad: dict[str, int]
    fine: dict[str, int]
    text: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
