"""Profile regimes: which parts of a profile a cold user provides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.cases import ColdCase
from coldstart.schema import UserProfile
from coldstart.training.simulation import simulate_words, top_categories

Part = Literal["attributes", "interests", "text", "picks"]

REGIMES: dict[str, tuple[Part, ...]] = {
    "attributes": ("attributes",),
    "interests": ("attributes", "interests"),
    "text": ("attributes", "text"),
    "picks": ("attributes", "picks"),
}
"""Each adds one thing to the attributes; ``restricted`` takes any other combination as well."""


def restricted(
    data: Dataset, cases: Sequence[ColdCase], parts: Collection[Part], seed: int = 0
) -> list[ColdCase]:
    """Restrict profiles to some of their parts.

    Interests and text are simulated from the support items, all of them and no others, so that
    they leak no target and are the same for every number of picks.

    Args:
        data: attributes and categories.
        cases: from ``support_cases``.
        parts: see ``REGIMES``. Interests are up to three categories, text is one sentence; users
            without an over-represented category have neither.
        seed: of the sentence; a user's does not depend on the other cases.

    Returns:
        Cases in the order given; without ``picks`` one per user, with no n_picks.

    Raises:
        ConfigError: an unknown part.
    """
    if unknown := sorted(set(parts) - set(get_args(Part))):
        raise ConfigError(f"no part {unknown[0]!r}", hint=f"known: {', '.join(get_args(Part))}")
    if "picks" not in parts:
        cases = [replace(c, n_picks=0) for c in {c.user: c for c in cases}.values()]
    out = []
    for case in cases:
        said: dict[str, Any] = {}
        if "picks" in parts:
            said |= {"liked": case.profile.liked, "history": case.profile.history}
        if "interests" in parts:
            said["interests"] = tuple(top_categories(data.catalog, case.support))
        if "text" in parts:
            rng = np.random.default_rng([seed, *case.user.encode()])
            said["about"] = simulate_words(data.catalog, case.support, rng, 0.0, 1.0)[1]
        base = data.users[case.user] if "attributes" in parts else UserProfile()
        out.append(replace(case, profile=base.model_copy(update=said)))
    return out
