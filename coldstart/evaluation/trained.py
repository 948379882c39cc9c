"""A trained artifact as systems of a trial: every strategy, its language model alone, and rivals.

The rivals are other uses of the same language model; see ``rivals.language``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts.format import read_manifest
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.language import (
    ALPHAS,
    GAMMAS,
    base_lm,
    base_model,
    bigrec,
    d3,
    title_space,
)
from coldstart.evaluation.baselines.scored import KNN_DEFAULT, item_knn_baseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.baselines.tuning import tune
from coldstart.evaluation.benchmark import System
from coldstart.evaluation.figures import Memo, Ours, model_alone
from coldstart.evaluation.harness import ColdCase, cold_users
from coldstart.protocols import Recommends
from coldstart.splitting.user_splits import Split

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

log = logging.getLogger(__name__)

TUNED_ON = 30
"""Validation users on whom the rivals choose their one setting; each is asked five times."""


class Loaded:
    """An artifact, loaded when it is first asked; all systems share it and what it said.

    Args:
        folder: the artifact.
        seed: of free writing.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self._folder, self._seed = folder, seed

    @cached_property
    def memo(self) -> Memo:
        """Where the tuned model is asked."""
        from coldstart.recommender import Recommender

        return Memo(Recommender.from_pretrained(self._folder), self._seed)

    @cached_property
    def base(self) -> CausalLM:
        """The model before it was tuned."""
        return base_model(self.memo.recommender)


_Make = Callable[[Loaded, Sequence[ColdCase]], Recommends]


def _base_lm(artifact: Loaded, cases: Sequence[ColdCase]) -> Recommends:
    return base_lm(artifact.memo.recommender, artifact.base)


def _bigrec(artifact: Loaded, cases: Sequence[ColdCase]) -> Recommends:
    space = title_space(artifact.memo.recommender, artifact.base)
    return _best("bigrec", partial(bigrec, artifact.memo, space), {"gamma": GAMMAS}, cases)


def _d3(artifact: Loaded, cases: Sequence[ColdCase]) -> Recommends:
    known = artifact.memo.recommender
    assistant = item_knn_baseline(known.catalog, known.counts, **KNN_DEFAULT)
    return _best("d3", partial(d3, artifact.memo, assistant), {"alpha": ALPHAS}, cases)


def _best(
    name: str,
    build: Callable[..., Recommends],
    grid: Mapping[str, Sequence[float]],
    cases: Sequence[ColdCase],
) -> Recommends:
    """Build with the setting that validates best, or with the default where nobody validates."""
    setting = tune(build, grid, cases).setting if cases else {}
    log.info("%s: %s", name, setting)
    return build(**setting)


_MADE: dict[str, tuple[str, Callable[[Memo], Recommends]]] = {
    "coldstart_catalog": ("the artifact, titles judged", lambda m: Ours(m, "catalog")),
    "coldstart_free": ("the artifact, titles written freely", lambda m: Ours(m, "free")),
    "coldstart_both": ("the artifact, titles judged and written", lambda m: Ours(m, "both")),
    "coldstart_prior": ("the artifact without its language model", lambda m: Ours(m, "prior")),
    "model_catalog": (
        "the artifact's language model alone, log-probability of every title",
        lambda m: model_alone(m, "logprobs"),
    ),
    "model_free": (
        "the artifact's language model alone, closeness to the titles it writes",
        lambda m: model_alone(m, "written"),
    ),
}

_RIVALS: dict[str, tuple[str, _Make, dict[str, Any]]] = {
    "base_lm": (
        "the artifact's language model before tuning, log-probability of every title",
        _base_lm,
        {},
    ),
    "bigrec": (
        "BIGRec-style: the title it writes, distance to every title, and popularity",
        _bigrec,
        {"gamma": GAMMAS, "users": TUNED_ON},
    ),
    "d3": (
        "D3-style: its log-probability of every title, and item-kNN's",
        _d3,
        {"alpha": ALPHAS, "users": TUNED_ON, "assistant": KNN_DEFAULT},
    ),
}


def artifact_systems(folder: Path, seed: int = 0) -> list[System]:
    """Systems that share one loaded artifact, and one answer of its model to each profile.

    They can be asked only about the users whom the artifact was trained without: the fold must be
    the artifact's own split (``artifact_split``). ``bigrec`` and ``d3`` choose their setting on
    the fold's first 30 validation users.

    Args:
        folder: the artifact.
        seed: of free writing.

    Raises:
        ArtifactError: the folder is no artifact.
    """
    manifest = json.dumps(read_manifest(folder), sort_keys=True)
    settings = {"artifact": hashlib.sha256(manifest.encode()).hexdigest(), "seed": seed}
    artifact = Loaded(folder, seed)

    def make(build: _Make, training: TrainingData, split: Split, data: Dataset) -> Recommends:
        own = artifact_split(folder)
        if unknown := set(own.train) ^ set(split.train):
            raise ConfigError(
                f"{folder} was trained on other users than the fold's: {len(unknown)} differ",
                hint="ask it about the users of its own split.json",
            )
        if set(split.test) - set(own.test):
            raise ConfigError(
                f"{folder} chose its settings on some of the fold's test users",
                hint="ask it about the test users of its own split.json",
            )
        return build(artifact, cold_users(data, split.valid[:TUNED_ON]))

    ours = [
        System(name, partial(make, _of(build)), about, settings, ours=True)
        for name, (about, build) in _MADE.items()
    ]
    return ours + [
        System(name, partial(make, build), about, settings | more)
        for name, (about, build, more) in _RIVALS.items()
    ]


def artifact_split(folder: Path) -> Split:
    """The users an artifact was trained on, and those it was trained without."""
    return Split.load(folder / "split.json")


def _of(build: Callable[[Memo], Recommends]) -> _Make:
    return lambda artifact, cases: build(artifact.memo)
