"""Attributes of items whose names have a meaning here."""

from __future__ import annotations

MINUTES = "minutes"
"""Running time, a number."""
LANGUAGE = "original_language"
"""Language that is mainly spoken in a film, by its English name."""
FOREIGN = "foreign"
"""``FOREIGN_VALUE`` for films that are not mainly in English."""
FOREIGN_VALUE = "foreign language"
STOCK = "available"
"""Attribute under which a piece of a request asks for what is in stock."""
NOT_COMPARED = frozenset({"age_basis", "currency", MINUTES, LANGUAGE, FOREIGN})
"""Attributes about the data, or too coarse, which make no two items alike."""
