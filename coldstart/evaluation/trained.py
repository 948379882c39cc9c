"""A trained artifact as systems of a trial: every strategy, and its language model alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from coldstart.artifacts import read_manifest
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.figures import Memo, Ours, model_alone
from coldstart.evaluation.rivals.data import TrainingData
from coldstart.evaluation.splits import Split
from coldstart.evaluation.trial import System
from coldstart.protocols import Recommends

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


def artifact_systems(folder: Path, seed: int = 0) -> list[System]:
    """Systems that share one loaded artifact, and one answer of its model to each profile.

    They can be asked only about the users whom the artifact was trained without: the fold must be
    the artifact's own split (``artifact_split``).

    Args:
        folder: the artifact.
        seed: of free writing.

    Raises:
        ArtifactError: the folder is no artifact.
    """
    manifest = json.dumps(read_manifest(folder), sort_keys=True)
    settings = {"artifact": hashlib.sha256(manifest.encode()).hexdigest(), "seed": seed}

    def make(
        build: Callable[[Memo], Recommends], training: TrainingData, split: Split, data: Dataset
    ) -> Recommends:
        own = artifact_split(folder)
        if strangers := set(own.train) ^ set(split.train):
            raise ConfigError(
                f"{folder} was trained on other users than the fold's: {len(strangers)} differ",
                hint="ask it about the users of its own split.json",
            )
        return build(_memo(folder, seed))

    return [
        System(name, partial(make, build), about, settings, ours=True)
        for name, (about, build) in _MADE.items()
    ]


def artifact_split(folder: Path) -> Split:
    """The users an artifact was trained on, and those it was trained without."""
    return Split.load(folder / "split.json")


@lru_cache(maxsize=1)
def _memo(folder: Path, seed: int) -> Memo:
    from coldstart.recommender import Recommender

    return Memo(Recommender.from_pretrained(folder), seed)
