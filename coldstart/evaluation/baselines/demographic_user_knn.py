"""User-kNN on attributes: neighbours share the user's attribute groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import TIE, ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import attribute_groups, popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def demographic_user_knn(training: TrainingData, *, neighbours: int = 400) -> ScoredBaseline:
    """User-kNN by shared attribute groups, weighted by rarity.

    Similarity of two users, by the rarity of the attribute groups they share:
    ``s_uv = Σ_g log((U + 1) / n_g)`` over the shared groups g (age decade, gender, occupation, …;
    see ``attribute_groups``), n_g of the U training users being in g. An item's score is the
    s-weighted share of the neighbours that like it. Ties with the last neighbour are all included,
    so nothing depends on their order. Users without a shared group get popularity. Picks are
    ignored: the list is the same at every k.

    Args:
        training: the training users.
        neighbours: number of neighbours, ≥ 1, before ties.
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


BASELINE = Baseline(
    "demographic_user_knn",
    "likes of the people with the same attributes",
    demographic_user_knn,
    uses=frozenset({"attributes"}),
    grid={"neighbours": (50, 100, 200, 400, 600)},
    position=50,
)
