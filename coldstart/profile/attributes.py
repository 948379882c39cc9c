"""Attributes of a user that are nearly those of the training data, most likely misspelt."""

from __future__ import annotations

from collections.abc import Mapping

from coldstart.catalog.names import nearest_names
from coldstart.interactions.interaction_stats import attribute_groups
from coldstart.schema import UserProfile

_FIELDS = ("age", "gender", "occupation", "location", "language")


def attribute_notes(profile: UserProfile, group_sizes: Mapping[str, int]) -> list[str]:
    """Notes on attributes whose name or value is nearly a known one.

    Args:
        profile: of the user.
        group_sizes: demographic groups of the training users, such as ``occupation=student``.

    >>> attribute_notes(UserProfile(occupation="techician"), {"occupation=technician": 27})
    ["occupation 'techician' is unknown: did you mean 'technician'?"]
    """
    notes = []
    for group in attribute_groups(profile):
        if group in group_sizes:
            continue
        name, _, value = group.partition("=")
        known: dict[str, list[str]] = {}
        for other in group_sizes:
            of, _, at = other.partition("=")
            known.setdefault(of, []).append(at)
        if name in known:
            near = "" if name == "age" else _nearest(value, tuple(known[name]))
            notes += [f"{name} {value!r} is unknown: did you mean {near!r}?"] if near else []
        elif name in profile.attributes and (near := _nearest(name, (*known, *_FIELDS))):
            notes.append(f"attribute {name!r} is unknown: did you mean {near!r}?")
    return notes


def _nearest(name: str, known: tuple[str, ...]) -> str:
    return next(iter(nearest_names(name, known)), "")
