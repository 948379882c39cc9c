"""Learning the blend on users that neither the language model nor the counts have seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.features import FEATURES
from coldstart.ranking import DEFAULT_WEIGHTS, LinearRanker
from coldstart.schema import Context, Pick, UserProfile
from coldstart.training.blend import Bench, Case, as_array, fit_weights
from coldstart.training.people import simulate_words

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

SHOTS = (0, 1, 3, 5, 10)
MIN_TARGETS = 5
UNUSED = {
    "catalog": {"written"},
    "free": {"model"},
    "both": set[str](),
    "prior": {"model", "written"},
}
"""Features each strategy does without."""


def cold_cases(
    recommender: Recommender,
    data: Dataset,
    users: Sequence[str],
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[Case]:
    """Simulate users as cold: their first k likes are picks, the later ones are targets.

    Half of the simulated requests state interests or say a sentence, derived from five further
    likes that are then neither targets nor candidates; a third name disliked items.

    Args:
        recommender: provides prompts, language model and features.
        data: the likes.
        users: users outside the language model's and the counts' training users.
        seed: of the simulation and of free writing.
        report: called with (done, total).

    Returns:
        One case per user and number of picks; those with fewer than 5 targets are left out.
    """
    todo = [(u, k) for u in users for k in SHOTS if len(data.likes[u]) >= k + MIN_TARGETS]
    out = []
    for done, (user, k) in enumerate(todo, start=1):
        rng = np.random.default_rng([seed, done])
        likes = list(data.likes[user])
        picks, later = likes[:k], likes[k:]
        hidden: list[str] = []
        interests: tuple[str, ...] = ()
        about = None
        if len(later) >= 2 * MIN_TARGETS and rng.random() < 0.5:
            hidden = [later[i] for i in rng.permutation(len(later))[:5]]
            interests, about = simulate_words(data.catalog, hidden, rng, 0.8, 0.5)
        low = data.dislikes.get(user, ()) if rng.random() < 0.33 else ()
        profile: UserProfile = data.users[user].model_copy(
            update={
                "liked": tuple(Pick(item=i) for i in picks),
                "disliked": tuple(Pick(item=i) for i in low[:3]),
                "interests": interests,
                "about": about,
            }
        )
        resolved = recommender.resolve(profile, Context())
        found = recommender.evidence(resolved, "both", seed=seed)
        rows = recommender.knowledge.rows
        gone = {*hidden, *picks}
        targets = [rows[i] for i in later if i not in gone]
        features = recommender.features(resolved, found)
        excluded = np.array([rows[i] for i in [*picks, *hidden, *low[:3]]], dtype=np.int64)
        row = np.array(targets, dtype=np.int64)
        out.append(Case(user, features.astype(np.float32), row, excluded, k))
        if report:
            report(done, len(todo))
    return out


STATED = ("words", "interests", "dislikes")
"""What people say outright is honoured as the defaults have it: statements simulated from likes are
weaker than real ones, and would teach the blend to ignore them."""


def fit_ranker(cases: Sequence[Case]) -> LinearRanker:
    """Fit one set of weights for every strategy."""
    stated = {f: DEFAULT_WEIGHTS[f] for f in STATED}
    learned = [f for f in FEATURES if f not in STATED]
    return LinearRanker(
        {
            strategy: fit_weights(cases, [f for f in learned if f not in unused], fixed=stated)
            for strategy, unused in UNUSED.items()
        }
    )


def cross_validate(cases: Sequence[Case], folds: int = 5) -> dict[str, float]:
    """NDCG@10 of every strategy and number of picks, on users the blend was not fitted on.

    Returns:
        ``{"catalog_k0": …}``; ``classical_…`` rows are the unfitted blend of popularity,
        demographics and co-occurrence.
    """
    bench = Bench(cases)
    users = sorted(bench.rows_of)
    classical = as_array({f: DEFAULT_WEIGHTS[f] for f in ("popularity", "people", "picks")})
    found: dict[str, list[float]] = {}
    for fold in range(min(folds, len(users))):
        held = np.concatenate([bench.rows_of[u] for u in users[fold::folds]])
        ranker = fit_ranker([c for n, c in enumerate(bench.cases) if n not in set(held.tolist())])
        tables = {s: as_array(ranker.table(s)) for s in UNUSED} | {"classical": classical}
        for name, weights in tables.items():
            for row, value in zip(held, bench.ndcg(weights, held, (10,)), strict=True):
                found.setdefault(f"{name}_k{bench.cases[row].shots}", []).append(float(value))
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}
