"""What a cold user says: which parts of a profile, and whether it is their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.cases import SupportCase
from coldstart.schema import UserProfile
from coldstart.splitting.user_splits import shuffled_ids
from coldstart.training.simulation import simulate_words, top_categories

Part = Literal["attributes", "interests", "text", "picks"]
Whose = Literal["true", "shuffled", "empty"]

REGIMES: dict[str, tuple[Part, ...]] = {
    "attributes": ("attributes",),
    "interests": ("attributes", "interests"),
    "text": ("attributes", "text"),
    "picks": ("attributes", "picks"),
}
"""Each adds one thing to the attributes; ``told`` takes any other combination as well."""


def told(
    data: Dataset, cases: Sequence[SupportCase], parts: Collection[Part], seed: int = 0
) -> list[SupportCase]:
    """Rewrite profiles so that they say these parts and nothing else.

    Interests and text are simulated from the support items, all of them and no others, so that
    what is said gives no target away and is the same for every number of picks.

    Args:
        data: attributes and categories.
        cases: from ``support_cases``.
        parts: see ``REGIMES``. Interests are up to three categories, text is one sentence; people
            whose support has no category that stands out say neither.
        seed: of the sentence; a user's does not depend on the other cases.

    Returns:
        Cases in the order given; without ``picks`` one per user, with no shots.

    Raises:
        ConfigError: an unknown part.
    """
    if unknown := sorted(set(parts) - set(get_args(Part))):
        raise ConfigError(f"no part {unknown[0]!r}", hint=f"known: {', '.join(get_args(Part))}")
    if "picks" not in parts:
        cases = [replace(c, shots=0) for c in {c.user: c for c in cases}.values()]
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


def controls(cases: Sequence[SupportCase], seed: int = 0) -> dict[Whose, list[SupportCase]]:
    """Ask for the same targets with the own profile, with another user's, and with none.

    Every user is paired with one other. The other's support is excluded, whoever's profile is
    shown and however many picks, and no longer a target: so nothing but the profile differs
    between the three lists, nor between numbers of picks. Figures differ a little from those of
    ``cases``, whose targets are more.

    Args:
        cases: from ``support_cases`` or ``told``.
        seed: of the pairing.

    Returns:
        Three lists in the order of ``cases``. Users without another, or without a target left,
        are in none of them.
    """
    found = {(c.user, c.shots): c for c in cases}
    ring = shuffled_ids({c.user for c in cases}, seed)
    other = dict(zip(ring, (*ring[1:], *ring[:1]), strict=True)) if len(ring) > 1 else {}
    out: dict[Whose, list[SupportCase]] = {"true": [], "shuffled": [], "empty": []}
    for case in cases:
        stranger = found.get((other.get(case.user, ""), case.shots))
        if stranger is None or case.targets <= set(stranger.support):
            continue
        own = replace(
            case,
            targets=case.targets - set(stranger.support),
            excluded=case.excluded | set(stranger.support),
            disliked=case.disliked - set(stranger.support),
        )
        out["true"].append(own)
        out["shuffled"].append(replace(own, profile=stranger.profile))
        out["empty"].append(replace(own, profile=UserProfile()))
    return out
