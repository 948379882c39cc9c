"""Rank of an item per demographic user segment, for items without interactions too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, Field

from coldstart.ranking.filters import AgeRating
from coldstart.schema import Context, Item, UserProfile

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

_PREFERRED = {"age": 7, "gender": 3, "occupation": 5}  # attribute → maximum number of values
_OTHER_VALUES, _MOST_ATTRIBUTES, _MOST_SEGMENTS = 5, 3, 105
_AGE_RATING, _NO_CONTEXT = AgeRating(), Context()
_MIN_GAP, _MIN_RATIO = 5, 2  # between worst and best rank, for segments to count as different


class Group(BaseModel):
    """One demographic user segment and the item's rank in it."""

    profile: dict[str, str] = Field(description="Attributes of the segment.")
    described: str
    rank: int = Field(description="Rank of the item among all items; 1 is best.")
    score: float = Field(description="Score of the item, without the language model.")
    advantage: float = Field(
        description="Standardized score: standard deviations above the mean score of all items."
    )


class Audience(BaseModel):
    """Rank of an item per user segment, best rank first."""

    item_id: str
    title: str
    of: int = Field(description="Number of items in the catalog.")
    groups: list[Group]
    sentence: str


def segment_profiles(group_sizes: Mapping[str, int]) -> list[UserProfile]:
    """One profile per combination of the most frequent attribute values of the training users.

    Args:
        group_sizes: number of users by group, such as ``age=20s`` or ``occupation=student``.

    Returns:
        At most 105 profiles; one empty profile if there are no groups.
    """
    kinds: dict[str, list[tuple[int, str]]] = {}
    for group, size in group_sizes.items():
        name, _, value = group.partition("=")
        kinds.setdefault(name, []).append((-size, value))
    chosen = [name for name in _PREFERRED if name in kinds]
    chosen += sorted(kinds.keys() - _PREFERRED.keys(), key=lambda n: sum(s for s, _ in kinds[n]))
    values = [
        [(name, value) for _, value in sorted(kinds[name])[: _PREFERRED.get(name, _OTHER_VALUES)]]
        for name in chosen[:_MOST_ATTRIBUTES]
    ]
    return [_profile(dict(pairs)) for pairs in product(*values)][:_MOST_SEGMENTS]


def segment_ranks(
    rec: Recommender, item_id: str, profiles: Sequence[UserProfile]
) -> Iterator[Group]:
    """Rank of the item for each segment profile, without the language model."""
    for profile in profiles:
        user = rec.resolve(profile)
        scores = rec.ranker.scores(rec.features(user), rec.ranker.weights("prior", 0))
        row = rec.catalog.rows[item_id]
        spread = float(scores.std())
        yield Group(
            profile=profile.demographics(),
            described=describe_segment(profile),
            rank=1 + int((scores > scores[row]).sum()),
            score=float(scores[row]),
            advantage=float((scores[row] - scores.mean()) / spread) if spread > 0 else 0.0,
        )


def rank_audience(item: Item, groups: Sequence[Group], size: int) -> Audience:
    """Segments ordered by the item's rank, with a one-sentence summary.

    Args:
        item: the item.
        groups: segments, as returned by ``segment_ranks``.
        size: number of items in the catalog.
    """
    ordered = sorted(groups, key=lambda g: (g.rank, -g.advantage))
    return Audience(
        item_id=item.item_id,
        title=item.title,
        of=size,
        groups=ordered,
        sentence=_sentence(ordered, size),
    )


def is_suitable(item: Item, profile: UserProfile) -> bool:
    """Whether the item's age rating admits the profile's age."""
    return _AGE_RATING.reject(item, profile, _NO_CONTEXT) is None


def describe_segment(profile: UserProfile) -> str:
    """Short description of a segment, such as "student, m, 20 to 29"."""
    words = [profile.occupation, profile.gender, profile.location, profile.language]
    words += [f"{name} {value}" for name, value in profile.attributes.items()]
    if profile.age is not None:
        band = profile.age // 10 * 10
        usual = f"{band} to {band + 9}"
        words.append({0: "under 10", 60: "60 or older"}.get(band, usual))
    return ", ".join(w for w in words if w) or "everyone"


def _profile(values: Mapping[str, str]) -> UserProfile:
    known: dict[str, object] = {}
    attributes: dict[str, str] = {}
    for name, value in values.items():
        if name == "age" and value.endswith("0s") and value[:-2].isdecimal():
            known["age"] = 10 * int(value[:-2]) + 5
        elif name in ("gender", "occupation", "location", "language"):
            known[name] = value
        else:
            attributes[name] = value
    return UserProfile.model_validate({**known, "attributes": attributes})


def _sentence(ordered: Sequence[Group], size: int) -> str:
    if not ordered:
        return "No kind of person in the training data is old enough for it."
    best, worst = ordered[0], ordered[-1]
    ranks = np.array([g.rank for g in ordered])
    middle = int(np.median(ranks))
    if worst.rank < max(best.rank + _MIN_GAP, _MIN_RATIO * best.rank):
        return f"All kinds of people are about equally likely to like it: rank {middle} of {size}."
    return (
        f"Most at home with {best.described} (rank {best.rank} of {size}), least with "
        f"{worst.described} (rank {worst.rank}); rank {middle} for the kind in the middle."
    )
