"""A signal without state."""

import numpy as np

from coldstart.scoring.scorer import signal


@signal(
    "title_length",
    "Length of the title.",
    "characters",
    low=0.0,
    weight=(-0.05, 0.0),
    reason="short_title",
    wording={"en": "its title is short", "zh": "片名短"},
)
def title_length(user, items):
    """Characters of each title."""
    return np.array([len(item.title) for item in items.items], dtype=float)
