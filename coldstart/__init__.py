"""coldstart: recommendations for new users, from attributes, a few picks or free text.

>>> from coldstart import Recommender, UserProfile
>>> rec = Recommender.from_pretrained("adapters/movies")  # doctest: +SKIP
>>> rec.recommend(UserProfile(age=24, liked=["Toy Story"]), k=10)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.errors import ColdstartError
    from coldstart.recommender import Recommender
    from coldstart.schema import (
        Candidate,
        Context,
        Grounding,
        Item,
        Pick,
        Provenance,
        Recommendation,
        RecommendationList,
        RecommendationRows,
        UserProfile,
    )

_HOME = {
    "Catalog": "catalog.catalog",
    "ColdstartError": "errors",
    "Recommender": "recommender",
    **dict.fromkeys(
        (
            "Candidate",
            "Context",
            "Grounding",
            "Item",
            "Pick",
            "Provenance",
            "Recommendation",
            "RecommendationList",
            "RecommendationRows",
            "UserProfile",
        ),
        "schema",
    ),
}

__all__ = [
    "Candidate",
    "Catalog",
    "ColdstartError",
    "Context",
    "Grounding",
    "Item",
    "Pick",
    "Provenance",
    "Recommendation",
    "RecommendationList",
    "RecommendationRows",
    "Recommender",
    "UserProfile",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import public names at first use, so that ``import coldstart`` is fast and loads no torch."""
    if name not in _HOME:
        raise AttributeError(f"module 'coldstart' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"coldstart.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
