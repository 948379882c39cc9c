"""Who would like an item that nobody has met: where it ranks for people of every kind."""

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

_NAMED = {"age": 7, "gender": 3, "occupation": 5}  # attribute → most values taken
_OTHERS, _MOST_KINDS, _MOST = 5, 3, 105
_AGES, _ANY_TIME = AgeRating(), Context()
_PLACES, _TIMES = 5, 2  # by which the worst rank is behind the best one if kinds differ


class Group(BaseModel):
    """People of one kind, and what the item is to them."""

    profile: dict[str, str] = Field(description="What is known about them.")
    described: str
    rank: int = Field(description="Of the item among all items, 1 is best.")
    score: float = Field(description="Its score, without the language model.")
    advantage: float = Field(
        description="Standard deviations by which it is above the mean score of all items."
    )


class Audience(BaseModel):
    """The kinds of people, those who would like it most first."""

    item_id: str
    title: str
    of: int = Field(description="Items in the catalog.")
    groups: list[Group]
    sentence: str


def sample_profiles(group_sizes: Mapping[str, int]) -> list[UserProfile]:
    """One profile for every combination of the commonest groups of the training users.

    Args:
        group_sizes: users by group, such as ``age=20s`` or ``occupation=student``.

    Returns:
        105 profiles at most; one that says nothing where there are no groups.
    """
    kinds: dict[str, list[tuple[int, str]]] = {}
    for group, size in group_sizes.items():
        name, _, value = group.partition("=")
        kinds.setdefault(name, []).append((-size, value))
    chosen = [name for name in _NAMED if name in kinds]
    chosen += sorted(kinds.keys() - _NAMED.keys(), key=lambda n: sum(s for s, _ in kinds[n]))
    values = [
        [(name, value) for _, value in sorted(kinds[name])[: _NAMED.get(name, _OTHERS)]]
        for name in chosen[:_MOST_KINDS]
    ]
    return [_profile(dict(pairs)) for pairs in product(*values)][:_MOST]


def places(rec: Recommender, item_id: str, people: Sequence[UserProfile]) -> Iterator[Group]:
    """Where the item ranks for each of ``people`` for whom it is suitable."""
    for person in people:
        user = rec.resolve(person)
        scores = rec.ranker.scores(rec.features(user), rec.ranker.weights("prior", 0))
        row = rec.catalog.rows[item_id]
        spread = float(scores.std())
        yield Group(
            profile=person.demographics(),
            described=describe(person),
            rank=1 + int((scores > scores[row]).sum()),
            score=float(scores[row]),
            advantage=float((scores[row] - scores.mean()) / spread) if spread > 0 else 0.0,
        )


def audience(item: Item, groups: Sequence[Group], size: int) -> Audience:
    """Order the groups, and say it in a sentence.

    Args:
        item: the one in question.
        groups: as ``places`` gives them.
        size: of the catalog.
    """
    ordered = sorted(groups, key=lambda g: (g.rank, -g.advantage))
    return Audience(
        item_id=item.item_id,
        title=item.title,
        of=size,
        groups=ordered,
        sentence=_sentence(ordered, size),
    )


def suits(item: Item, person: UserProfile) -> bool:
    """Whether the person is old enough."""
    return _AGES.reject(item, person, _ANY_TIME) is None


def describe(person: UserProfile) -> str:
    """A few words, such as "student, m, in their 20s"."""
    words = [person.occupation, person.gender, person.location, person.language]
    words += [f"{name} {value}" for name, value in person.attributes.items()]
    if person.age is not None:
        band = person.age // 10 * 10
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
    if worst.rank < max(best.rank + _PLACES, _TIMES * best.rank):
        return f"All kinds of people are about equally likely to like it: rank {middle} of {size}."
    return (
        f"Most at home with {best.described} (rank {best.rank} of {size}), least with "
        f"{worst.described} (rank {worst.rank}); rank {middle} for the kind in the middle."
    )
