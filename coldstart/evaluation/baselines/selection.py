"""Systems under test, made of the registered baselines."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts.format import read_manifest
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines import tuning
from coldstart.evaluation.baselines.registry import Baseline, baselines
from coldstart.evaluation.baselines.system import System
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.baselines.tuning import tune, tune_in_turn, validation_cases
from coldstart.evaluation.cases import ColdCase, Order, prefix_cases
from coldstart.protocols import Recommends
from coldstart.splitting.user_splits import Split

if TYPE_CHECKING:
    from coldstart.evaluation.recommender_adapter import LoadedArtifact

log = logging.getLogger(__name__)

ADAPTER = "coldstart.evaluation.recommender_adapter"
TUNED_ON = 30
"""Validation users for tuning the baselines of an artifact, at five numbers of picks each."""


def all_systems(
    seed: int = 0,
    artifact: Path | None = None,
    *,
    tuned: bool = False,
    order: Order = "first",
) -> dict[str, System]:
    """Every system by name; those that need a language model only with an artifact.

    Baselines have the settings that validated best on MovieLens-100K, on users of its first fold;
    only those with ``tuning="always"`` are tuned on each fold's own validation users, as all of
    them are on demand.

    Args:
        seed: of whatever a system draws.
        artifact: a trained recommender's folder; see ``artifact_system``. Its ranker without the
            language model replaces the one trained on the fold.
        tuned: tune every baseline on each fold's validation users, one setting after the other:
            fair on any other data, and many times as slow.
        order: which likes of the validation users are picks while tuning; as in the benchmark.

    Raises:
        ArtifactError: the folder is no artifact.
        ConfigError: a baseline of another distribution is broken; see ``baselines``.
    """
    loaded = None
    if artifact:
        from coldstart.evaluation.recommender_adapter import LoadedArtifact

        loaded = LoadedArtifact.of(artifact, seed)
        read_manifest(artifact)
    return {
        name: artifact_system(one, artifact, loaded, seed)
        if one.input == "artifact" and artifact and loaded
        else trained_system(one, seed, tuned=tuned, order=order)
        for name, one in baselines(artifact=artifact is not None).items()
    }


def choose(
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
    artifact: Path | None = None,
    tuned: bool = False,
    order: Order = "first",
    note: Callable[[str], None] | None = None,
) -> list[System]:
    """Systems by name, in the order given; those with a missing library are left out.

    Args:
        names: of ``all_systems``; ``None`` for all but the slow ones.
        seed: of whatever a system draws.
        artifact: a trained recommender's folder, measured as well.
        tuned: see ``all_systems``.
        order: likewise.
        note: called with a line for each system that is left out, and the reason.

    Raises:
        ConfigError: an unknown name, or nothing left.
    """
    known = all_systems(seed, artifact, tuned=tuned, order=order)
    declared = baselines(artifact=artifact is not None)
    if unknown := [n for n in names or () if n not in known]:
        raise ConfigError(f"no system {unknown[0]!r}", hint=f"all, or some of {', '.join(known)}")
    out = []
    quick = [name for name in known if not declared[name].slow]
    for name in dict.fromkeys(quick if names is None else names):
        one = declared[name]
        if one.installed:
            out.append(known[name])
        elif note:
            note(f"{name} is left out: needs {one.requires} (pip install {one.pip})")
    if not out:
        raise ConfigError("no system to run", hint=f"all, or some of {', '.join(known)}")
    return out


def trained_system(
    one: Baseline, seed: int = 0, *, tuned: bool = False, order: Order = "first"
) -> System:
    """System of a baseline that is trained on each fold.

    Args:
        one: of the input ``training`` or ``fold``.
        seed: for its setting of that name.
        tuned: search the grid even if that is only done on demand.
        order: of the validation users' picks, and for its setting of that name.
    """
    setting = one.defaults | {
        n: v for n, v in {"seed": seed, "order": order}.items() if n in one.defaults
    }
    always = one.tuning == "always"
    grid = dict(one.grid) if tuned or always else {}

    def make(training: TrainingData, split: Split, data: Dataset) -> Recommends:
        given = (training,) if one.input == "training" else (training, split, data)
        build = partial(one.build, *given)
        cases = validation_cases(data, split.valid, order) if grid else []
        return build(**best_setting(one, build, cases, setting))

    settings: dict[str, Any] = setting
    if always:
        settings = {"grid": grid, "default": setting}
        settings |= {"order": order} if order != "first" else {}
    elif grid:
        settings = {**setting, "grid": grid, "order": order}
    code = (one.build.__module__, *([] if one.input == "fold" and not grid else [tuning.__name__]))
    return System(
        one.name, make, one.description, settings, one.requires, one.ours, code, one.build
    )


def best_setting(
    one: Baseline,
    build: Callable[..., Recommends],
    cases: Sequence[ColdCase],
    setting: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Tuned settings of a baseline; the default ones without validation cases.

    Args:
        one: declares the grid.
        build: settings → a trained recommender.
        cases: of validation users.
        setting: to start with; ``None``: the defaults.
    """
    start = one.defaults if setting is None else setting
    if not one.grid or not cases:
        return start
    if one.tuning == "always":
        return start | tune(build, one.grid, cases).setting
    return tune_in_turn(build, one.grid, start, cases).setting


def artifact_system(one: Baseline, folder: Path, artifact: LoadedArtifact, seed: int = 0) -> System:
    """System of a baseline that uses a trained artifact.

    All systems of one ``artifact`` share it, and one inference of its model for each profile. It
    can be tested only on users that it was not trained on: the fold must be the artifact's own
    split (``artifact_split``). Settings are tuned on the fold's first 30 validation users.

    Args:
        one: of the input ``artifact``.
        folder: the artifact.
        artifact: the same, loaded.
        seed: of free generation; part of the settings.

    Raises:
        ArtifactError: the folder is no artifact.
    """
    manifest = json.dumps(read_manifest(folder), sort_keys=True)
    settings: dict[str, Any] = {
        "artifact": hashlib.sha256(manifest.encode()).hexdigest(),
        "seed": seed,
        **one.defaults,
        **one.grid,
    }
    settings |= {"users": TUNED_ON} if one.grid else {}
    build = partial(one.build, artifact)

    def make(training: TrainingData, split: Split, data: Dataset) -> Recommends:
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
        cases = prefix_cases(data, split.valid[:TUNED_ON]) if one.grid else []
        setting = best_setting(one, build, cases)
        if one.grid:
            log.info("%s: %s", one.name, setting)
        return build(**setting)

    code = (one.build.__module__, tuning.__name__, ADAPTER)
    return System(
        one.name, make, one.description, settings, one.requires, one.ours, code, one.build
    )


def artifact_split(folder: Path) -> Split:
    """The users an artifact was trained, validated and tested on."""
    return Split.load(folder / "split.json")
