"""Nearest neighbours: people of the same attributes, and items liked by the same people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData, by_picks
from coldstart.interactions.interaction_stats import attribute_groups, popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TIE = 1e-9
"""Weight of popularity where it only orders what is otherwise equal."""


def demographic_user_knn(training: TrainingData, *, neighbours: int = 400) -> ScoredBaseline:
    """What the people with the same attributes like, rare attributes counting most.

    Two people are as close as the attribute groups they share are rare:
    ``s_uv = Σ_g log((U + 1) / n_g)`` over the shared groups g (age decade, gender, occupation, …;
    see ``attribute_groups``), n_g of the U training users being in g. An item's score is the
    s-weighted share of the nearest people who like it. People tied with the last neighbour are
    all taken, so nothing depends on their order. Who shares nothing with anyone gets popularity.
    Picks do not count; at k=0 it is the same as at any other k.

    Args:
        training: the training users.
        neighbours: number of nearest people, ≥ 1, before ties.
    """
    if neighbours < 1:
        raise ConfigError(f"neighbours is {neighbours}, expected at least 1")
    counts = training.counts
    groups = {g: n for n, g in enumerate(counts.group_sizes)}
    member = np.zeros((len(training.users), len(groups)))
    for row, person in enumerate(training.users.values()):
        member[row, [groups[g] for g in attribute_groups(person)]] = 1.0
    rarity = np.log((counts.n_users + 1) / np.array([counts.group_sizes[g] for g in groups] or [1]))

    def score(profile: UserProfile) -> Floats:
        own = [groups[g] for g in attribute_groups(profile) if g in groups]
        everyone = popularity(counts)
        if not own:
            return everyone
        near = member[:, own] @ rarity[own]
        last = np.sort(near)[::-1][min(neighbours, len(near)) - 1]
        near[near < last] = 0.0
        return np.asarray(near @ training.matrix / near.sum() + TIE * everyone)

    return training.ranking(score)


def item_knn(
    training: TrainingData, *, damping: float = 500.0, neighbours: int = 50
) -> ScoredBaseline:
    """Item-to-item cosine alone: ``Σ_j∈picks C_ij / √((n_i + d)(n_j + d))``.

    C_ij people like both, n_i like i, d = ``damping`` (Deshpande and Karypis, "Item-Based Top-N
    Recommendation Algorithms", ACM TOIS 2004). Each pick j speaks for its nearest items
    only; the rest, at zero, follow by popularity. At k=0 it is demographic popularity.

    Args:
        training: the training users.
        damping: likes added to every item's count, ≥ 0.
        neighbours: items that each pick speaks for, ≥ 1.
    """
    if neighbours < 1:
        raise ConfigError(f"neighbours is {neighbours}, expected at least 1")
    size = np.asarray(training.matrix.sum(axis=0)).ravel() + damping
    everyone = TIE * popularity(training.counts)

    def score(picks: list[int]) -> Floats:
        out = everyone.copy()
        for j in picks:
            both = np.asarray((training.matrix.T @ training.matrix[:, [j]]).todense()).ravel()
            both[j] = 0.0
            near = both / np.maximum(np.sqrt(size[j] * size), TIE)
            kept = np.argsort(-near, kind="stable")[:neighbours]
            out[kept] += near[kept]
        return out

    return by_picks(training, score)
