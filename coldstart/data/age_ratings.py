"""Minimum ages of films: from MPAA ratings, and inferred from genres where there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

MPAA: Mapping[str, int] = MappingProxyType({"G": 0, "PG": 8, "PG-13": 13, "R": 17, "NC-17": 18})
"""MPAA rating → minimum age in years.

PG-13 ("inappropriate for children under 13") and NC-17 ("no one 17 and under admitted") name their
ages. R admits people under 17 with an adult, whom a recommender cannot see. PG ("some material may
not be suitable for children") names no age; that it stands for 8 is a choice made here.
"""
RATED, INFERRED = "MPAA rating", "inferred from genres"
"""Values of the attribute ``age_basis``: where a film's minimum age comes from."""
CODE_UNTIL = 1967
"""Last full year of the Production Code, which kept films fit for a general audience."""
GROWN_UP = frozenset({"Crime", "Drama", "Film-Noir", "Horror", "Mystery", "Thriller", "War"})
"""Genres of which at least two thirds of the rated films of the catalog are rated R."""
ROUGH = frozenset({"Action", "Crime", "Horror", "Thriller", "War"})
"""Genres with which a film for children is not for the youngest."""


def inferred_min_age(genres: Collection[str], year: int | None) -> int:
    """Infer the minimum age of an unrated film, to be too high rather than too low.

    Of the catalog's 2,130 rated films it would put 24 % higher than their rating and 15 % lower,
    but 4 of the 106 for children only below 13 although they are rated PG-13.

    - Children: 0; 8 with one of ``ROUGH``.
    - One of ``GROWN_UP``, or no genre at all: 17; 13 under the Production Code.
    - Anything else: 13; 8 under the Production Code.

    Args:
        genres: in MovieLens' spelling.
        year: of release; ``None`` counts as recent.

    Returns:
        Minimum age in years, one of 0, 8, 13, 17.

    >>> inferred_min_age(["Crime", "Drama"], 1972)
    17
    """
    if "Children" in genres:
        return 8 if ROUGH.intersection(genres) else 0
    under_code = year is not None and year <= CODE_UNTIL
    if not genres or GROWN_UP.intersection(genres):
        return 13 if under_code else 17
    return 8 if under_code else 13
