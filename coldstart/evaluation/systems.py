"""All systems of the benchmark by name: popularity by whom, the rivals, and coldstart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines import scored as baselines
from coldstart.evaluation.baselines import tuning
from coldstart.evaluation.baselines.registry import PACKAGES, RIVALS, Rival, installed
from coldstart.evaluation.baselines.scored import (
    KNN_DEFAULT,
    KNN_GRID,
    demographic_baseline,
    item_knn_baseline,
    popularity_baseline,
)
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.baselines.tuning import tune, tune_in_turn, validation_cases
from coldstart.evaluation.benchmark import System
from coldstart.evaluation.trained import artifact_systems
from coldstart.protocols import Recommends
from coldstart.schema import RecommendationList, UserProfile
from coldstart.splitting.user_splits import Split
from coldstart.training.simulation import Order

if TYPE_CHECKING:
    from coldstart.recommender import Recommender


_SIMPLE = (baselines.__name__,)
"""Where the simple systems are from; the others are from their own modules, or from everywhere."""


def registry(
    seed: int = 0,
    artifact: Path | None = None,
    *,
    tuned: bool = False,
    order: Order = "first",
) -> dict[str, System]:
    """Every system by name; those that need a language model only with an artifact.

    Rivals have the setting that validated best on MovieLens-100K, on users of its first fold; only
    item-kNN is tuned on each fold's own validation users, as all of them are on demand.

    Args:
        seed: of whatever a system draws.
        artifact: a trained recommender's folder; see ``trained.artifact_systems``. Its blend
            without the language model takes the place of one made for the fold.
        tuned: choose every rival's setting on each fold's validation users, one value after the
            other: fair on any other data, and many times as slow.
        order: which likes of the validation users are picks while tuning; those of the question.
    """
    asked = {"order": order} if order != "first" else {}
    simple = (
        System("popularity", _popularity, "most liked", code=_SIMPLE),
        System(
            "demographic_popularity",
            _demographic,
            "most liked by people of the same groups",
            code=_SIMPLE,
        ),
        System(
            "item_knn_prior",
            partial(_item_knn_prior, order=order),
            "item-kNN + demographic popularity, its weight tuned on the fold's validation users",
            {"grid": KNN_GRID, "default": KNN_DEFAULT, **asked},
            code=(*_SIMPLE, tuning.__name__),
        ),
    )
    ours = System(
        "coldstart_prior",
        partial(without_model, seed=seed),
        "coldstart without the language model: counts and trees",
        {"seed": seed},
        requires="lightgbm",
        ours=True,
    )
    trained = artifact_systems(artifact, seed) if artifact else (ours,)
    everything = (*simple, *(_of(rival, seed, tuned, order) for rival in RIVALS.values()), *trained)
    return {s.name: s for s in everything}


def choose(
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
    artifact: Path | None = None,
    tuned: bool = False,
    order: Order = "first",
    note: Callable[[str], None] | None = None,
) -> list[System]:
    """Systems by name, in the order asked for; those that cannot run here are left out.

    Args:
        names: of ``registry``; ``None`` for all.
        seed: of whatever a system draws.
        artifact: a trained recommender's folder, measured as well.
        tuned: see ``registry``.
        order: likewise.
        note: called with a line for each system that is left out, saying why.

    Raises:
        ConfigError: an unknown name, or nothing left.
    """
    known = registry(seed, artifact, tuned=tuned, order=order)
    if unknown := [n for n in names or () if n not in known]:
        raise ConfigError(f"no system {unknown[0]!r}", hint=f"all, or some of {', '.join(known)}")
    out = []
    for name in dict.fromkeys(known if names is None else names):
        system = known[name]
        if system.requires and not installed(system.requires):
            if note:
                package = PACKAGES.get(system.requires, system.requires)
                note(f"{name} is left out: needs {system.requires} (pip install {package})")
        else:
            out.append(system)
    if not out:
        raise ConfigError("no system to run", hint=f"all, or some of {', '.join(known)}")
    return out


def without_model(
    training: TrainingData, split: Split, data: Dataset, *, seed: int = 0
) -> Recommends:
    """What ``coldstart train`` makes of the training users before any language model.

    Counts, and with 100 training users or more the tree correction, learned from each user as a
    stranger; the weights are those that the trees correct.
    """
    from coldstart import prompts
    from coldstart.artifacts.loading import make_encoder
    from coldstart.recommender import Recommender
    from coldstart.runtime import models
    from coldstart.training.crossfit import learn_classical
    from coldstart.training.out_of_fold import OutOfFold

    encoder = training.encoder or make_encoder(models.DEFAULT_ENCODER)
    out_of_fold = OutOfFold(data, split.train, encoder, seed=seed)
    ranker = learn_classical(data, split.train, out_of_fold, seed=seed)
    counts, template = out_of_fold.everyone.counts, prompts.load(prompts.DEFAULT)
    return Prior(Recommender(training.catalog, None, template, counts, encoder, ranker))


class Prior:
    """A recommender that leaves its language model out; only what a profile names is filtered.

    Near-duplicates are shown: a metric counts ids, and no rival is kept from them.
    """

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Rank the whole catalog by everything but the language model."""
        from coldstart.ranking.filters import Known

        return self.recommender.recommend(
            profile, k=k, strategy="prior", filters=[Known()], near_duplicates=True
        )


def _popularity(training: TrainingData, split: Split, data: Dataset) -> Recommends:
    return popularity_baseline(training.catalog, training.counts)


def _demographic(training: TrainingData, split: Split, data: Dataset) -> Recommends:
    return demographic_baseline(training.catalog, training.counts)


def item_knn_setting(
    training: TrainingData, split: Split, data: Dataset, order: Order = "first"
) -> Mapping[str, Any]:
    """What ``item_knn_prior`` is told: the best setting for the fold's validation users."""
    build = partial(item_knn_baseline, training.catalog, training.counts)
    cases = validation_cases(data, split.valid, order)
    return tune(build, KNN_GRID, cases).setting if cases else KNN_DEFAULT


def _item_knn_prior(
    training: TrainingData, split: Split, data: Dataset, *, order: Order
) -> Recommends:
    setting = item_knn_setting(training, split, data, order)
    return item_knn_baseline(training.catalog, training.counts, **setting)


def _of(rival: Rival, seed: int, tuned: bool, order: Order) -> System:
    options = list(inspect.signature(rival.build).parameters.values())[1:]
    setting = {p.name: p.default for p in options if p.default is not p.empty}
    if "seed" in setting:
        setting["seed"] = seed

    if "order" in setting:
        setting["order"] = order
    grid = dict(rival.grid) if tuned else {}

    def make(training: TrainingData, split: Split, data: Dataset) -> Recommends:
        chosen = setting
        cases = validation_cases(data, split.valid, order) if grid else []
        if cases:
            chosen = tune_in_turn(partial(rival.build, training), grid, setting, cases).setting
        return rival.build(training, **chosen)

    settings = {**setting, "grid": grid, "order": order} if grid else setting
    code = (rival.build.__module__, tuning.__name__)
    return System(rival.name, make, rival.description, settings, rival.requires, code=code)
