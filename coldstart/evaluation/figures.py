"""The README's figures: a trained artifact and the classical baselines on its held-out users."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.data import TrainingData
from coldstart.evaluation.baselines.registry import RIVALS, installed
from coldstart.evaluation.baselines.scored import (
    KNN_GRID,
    ScoredBaseline,
    demographic_baseline,
    item_knn_baseline,
    popularity_baseline,
)
from coldstart.evaluation.baselines.tuning import tune
from coldstart.evaluation.harness import (
    METRICS,
    MIN_TARGETS,
    SHOTS,
    ColdCase,
    Row,
    Score,
    cold_users,
    evaluate,
    score,
    shuffled,
    summarise,
)
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.protocols import Recommends
from coldstart.ranking.filters import Known
from coldstart.runtime.cache import write_atomic
from coldstart.schema import RecommendationList, Strategy, UserProfile
from coldstart.scoring.cached_scorer import CachedScorer
from coldstart.scoring.lm_signals import LMSignals, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.recommender import Recommender
    from coldstart.scoring.scorer import Scorer

Report = Callable[[str, int, int], None]

RESERVED = 10
SLICE_USERS, SLICE_SHOTS = 6, (0, 5)
"""A part small enough for every test run to repeat."""
MEMO_BYTES = 512 * 2**20


class Memo:
    """Asks the language model once per profile, however many systems want to know.

    Args:
        recommender: whose evidence is kept.
        seed: of free writing.
        most_bytes: about how much memory is kept, ≥ 0; beyond it the oldest answers are dropped,
            and asked for again when they are wanted again. The latest answer always stays.

    Raises:
        ConfigError: ``most_bytes`` is negative.
    """

    def __init__(
        self, recommender: Recommender, seed: int = 0, *, most_bytes: int = MEMO_BYTES
    ) -> None:
        if most_bytes < 0:
            raise ConfigError(f"most_bytes is {most_bytes}, expected at least 0")
        self.recommender, self.seed = recommender, seed
        self._cached: list[CachedScorer] = []

        def cached(scorer: Scorer) -> Scorer:
            if scorer.scope == "candidates":
                return scorer
            self._cached.append(CachedScorer(scorer, most_bytes=most_bytes))
            return self._cached[-1]

        self.scorers = recommender.scorers.replaced(cached)

    @property
    def bytes(self) -> int:
        """About how much memory is kept."""
        return sum(scorer.bytes for scorer in self._cached)

    def lm_signals(
        self,
        profile: UserProfile,
        strategy: Strategy = "both",
        rows: NDArray[np.int64] | None = None,
    ) -> tuple[ResolvedProfile, LMSignals]:
        """What the language model says about a profile; what was seen is in no prompt.

        ``both`` shares its halves with ``catalog`` and ``free``, which are asked for alone.

        Args:
            profile: who asks.
            strategy: what the model does.
            rows: items whose titles are scored, ``None`` for all.
        """
        user = self.recommender.resolve(profile)
        scores = self.recommender.pipeline.model_scores(
            user, strategy, rows=rows, seed=self.seed, scorers=self.scorers
        )
        return user, joined(s.lm for s in scores if s.lm is not None)


class Ours:
    """The recommender under one strategy; only the picks themselves are filtered."""

    def __init__(self, memo: Memo, strategy: Strategy) -> None:
        self._memo, self._strategy = memo, strategy

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog, as ``Recommender.recommend`` does."""
        memo = self._memo
        options = RecommendOptions(k, self._strategy, (Known(),), near_duplicates=True)
        request = RecommendRequest(memo.recommender.resolve(profile), options, seed=memo.seed)
        return memo.recommender.pipeline.one(request, memo.scorers)


def model_alone(memo: Memo, feature: Literal["logprobs", "written"]) -> ScoredBaseline:
    """What the language model says and nothing else.

    Args:
        memo: where it is asked.
        feature: ``logprobs`` (catalog) or ``written`` (free).
    """
    recommender = memo.recommender
    strategy: Strategy = "catalog" if feature == "logprobs" else "free"

    def score(profile: UserProfile) -> np.ndarray:
        values = getattr(memo.lm_signals(profile, strategy)[1], feature)
        rows = recommender.item_store.rows
        return np.asarray(values)[[rows[i] for i in recommender.counts.item_ids]]

    return ScoredBaseline(recommender.catalog, recommender.counts, score)


@dataclass(frozen=True)
class Plan:
    """What is evaluated, apart from the recommender; may be sent to another process.

    Args:
        data: the dataset the artifact was trained on.
        train: users the artifact was trained on, and so are the rivals.
        valid: users on whom the classical baseline's setting is chosen.
        test: users to report on.
        shots: numbers of picks.
        seed: of free writing, shuffling and the bootstrap.
        reserved: see ``harness.cold_users``.
    """

    data: Dataset
    train: Sequence[str]
    valid: Sequence[str]
    test: Sequence[str]
    shots: Sequence[int] = SHOTS
    seed: int = 0
    reserved: int = RESERVED

    @property
    def cases(self) -> list[ColdCase]:
        """The held-out users."""
        return self.ask(self.test)

    def ask(self, users: Sequence[str], shots: Sequence[int] | None = None) -> list[ColdCase]:
        """Users as cold, by the rules of this plan."""
        return cold_users(self.data, users, shots or self.shots, reserved=self.reserved)


_RIVALS = {
    "ease_prior": "EASE + demographic prior",
    "dropout_autoencoder": "dropout autoencoder",
    "later_lift": "likes after the picks + demographic prior",
    "lightfm_warp": "LightFM (WARP)",
}


def classical(recommender: Recommender, plan: Plan) -> dict[str, Recommends]:
    """The baselines: item-kNN tuned on the validation users, the others as for MovieLens-100K."""
    catalog, counts = recommender.catalog, recommender.counts
    build = partial(item_knn_baseline, catalog, counts)
    best = tune(build, KNN_GRID, plan.ask(plan.valid)).setting
    setting = f"weight {best['weight']:g}{' · √k' if best['root'] else ''}"
    training = TrainingData.of(plan.data, plan.train)
    rivals = [name for name in _RIVALS if installed(RIVALS[name].requires)]
    return {
        "popularity": popularity_baseline(catalog, counts),
        "demographic popularity": demographic_baseline(catalog, counts),
        f"item-kNN + demographic prior ({setting})": build(**best),
    } | {_RIVALS[name]: RIVALS[name].build(training) for name in rivals}


def score_share(
    recommender: Recommender,
    plan: Plan,
    share: int,
    shares: int,
    report: Report | None = None,
) -> list[Score]:
    """Score one share of the cases by all that needs the model; all shares together are whole."""
    memo = Memo(recommender, plan.seed)
    systems: dict[str, Recommends] = {
        "language model alone, catalog": model_alone(memo, "logprobs"),
        "language model alone, free": model_alone(memo, "written"),
        "blend without the language model": Ours(memo, "prior"),
        "**coldstart, free**": Ours(memo, "free"),
        "**coldstart, catalog**": Ours(memo, "catalog"),
        "**coldstart, both**": Ours(memo, "both"),
    }
    out_of_fold = {"coldstart, catalog, shuffled profiles": Ours(memo, "catalog")}

    def telling(what: str) -> Callable[[int, int], None] | None:
        return None if report is None else lambda done, total: report(what, done, total)

    true, false = plan.cases, shuffled(plan.cases, plan.seed)
    scores = score(systems, true[share::shares], telling("true profiles"))
    return scores + score(out_of_fold, false[share::shares], telling("shuffled profiles"))


@lru_cache(maxsize=1)
def _loaded_with_one_thread(artifact: Path) -> Recommender:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    from coldstart.recommender import Recommender

    torch.set_num_threads(1)
    return Recommender.from_pretrained(artifact)


def _score_in_worker(artifact: Path, plan: Plan, share: int, shares: int) -> list[Score]:
    return score_share(_loaded_with_one_thread(artifact), plan, share, shares)


def first_figures(
    recommender: Recommender,
    plan: Plan,
    *,
    artifact: Path | None = None,
    jobs: int = 1,
    report: Report | None = None,
) -> dict[str, Any]:
    """Evaluate an artifact beside the baselines.

    Args:
        recommender: the artifact.
        plan: what is evaluated.
        artifact: its folder, from which further processes load it.
        jobs: processes of one thread each; on a few cores two processes are quicker than one with
            two threads, since one user's pass is short.
        report: called with (what, done, total).

    Returns:
        Plain data: ``rows``, and what produced them.
    """
    scores = score(classical(recommender, plan), plan.cases)
    if jobs > 1 and artifact is not None:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            shares = jobs * 8  # small, so that progress shows and no process waits for long
            tasks = [
                pool.submit(_score_in_worker, artifact, plan, n, shares) for n in range(shares)
            ]
            for done, task in enumerate(as_completed(tasks), start=1):
                if report:
                    report("shares of the cases", done, shares)
                task.result()
            for task in tasks:
                scores += task.result()
    else:
        scores += score_share(recommender, plan, 0, 1, report)
    most = max(plan.reserved, *SLICE_SHOTS)
    few = [u for u in plan.test if len(plan.data.likes[u]) >= most + MIN_TARGETS]
    few = few[:SLICE_USERS]
    memo = Memo(recommender, plan.seed)
    part = evaluate({"x": Ours(memo, "catalog")}, plan.ask(few, SLICE_SHOTS))
    return {
        "rows": [asdict(r) for r in summarise(scores, plan.seed)],
        "slice": {
            "users": few,
            "shots": SLICE_SHOTS,
            "reserved": plan.reserved,
            "ndcg@10": {str(r.shots): r.values["ndcg@10"] for r in part},
        },
        "seed": plan.seed,
        "reserved": plan.reserved,
        "users": len({c.user for c in plan.cases}),
        "items": len(recommender.catalog),
        "data": {"name": plan.data.name, "fingerprint": plan.data.fingerprint},
        "versions": {p: version(p) for p in ("coldstart-rec", "torch", "transformers", "numpy")},
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def as_markdown(figures: dict[str, Any], metric: str = "ndcg@10") -> str:
    """One table: systems down, numbers of picks across, mean ± half the 95 % interval."""
    rows = [Row(**r) for r in figures["rows"]]
    shots = sorted({r.shots for r in rows})
    users = {k: next(r.users for r in rows if r.shots == k) for k in shots}
    lines = [
        f"| {metric.upper()} | " + " | ".join(f"k={k} (n={users[k]})" for k in shots) + " |",
        "|---" * (len(shots) + 1) + "|",
    ]
    for name in dict.fromkeys(r.system for r in rows):
        cells = {r.shots: r for r in rows if r.system == name}
        values = [
            f"{cells[k].values[metric]:.3f} ± {cells[k].half_width[metric]:.3f}"
            if k in cells
            else "–"
            for k in shots
        ]
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(lines) + "\n"


def save_figures(figures: dict[str, Any], out: Path, command: str) -> None:
    """Write ``OUT.json`` and ``OUT.md``."""
    full = {"command": command, **figures}
    write_atomic(out.with_suffix(".json"), json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    tables = "\n".join(as_markdown(figures, m) for m in METRICS[:2])
    about = (
        f"Made by `{command}` (seed {figures['seed']}, {figures['users']} held-out users, full "
        f"ranking over {figures['items']} items less the first {figures['reserved']} likes, "
        f"which are no targets; mean over users ± half the 95 % "
        f"bootstrap interval; data {figures['data']['fingerprint'][:12]}, "
        + ", ".join(f"{p} {v}" for p, v in figures["versions"].items())
        + f", {figures['machine']}).\n"
    )
    write_atomic(out.with_suffix(".md"), f"{about}\n{tables}")
