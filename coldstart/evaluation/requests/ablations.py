"""Systems with less to go by: without text, with another's text, without mentioned items."""

from __future__ import annotations

from coldstart.evaluation.requests.inputs import (
    with_shuffled_texts,
    without_mentions,
    without_text,
)
from coldstart.evaluation.requests.ranks import Entrant

CHANGES = {
    "no-text": (without_text, "given no text"),
    "shuffled-text": (with_shuffled_texts, "given the text of a request of another dialogue"),
    "no-mentions": (without_mentions, "given no mentioned items; titles stay in the text"),
}
"""Name of each change of the requests → what makes it, and its description."""


def changed(entrant: Entrant, change: str) -> Entrant:
    """The same system, not fitted again, given changed requests.

    Args:
        entrant: the system.
        change: one of ``CHANGES``.
    """
    make, described = CHANGES[change]
    name = f"{entrant.label}:{change}"
    return Entrant(entrant.system, name, make, f"{entrant.label}, {described}")
