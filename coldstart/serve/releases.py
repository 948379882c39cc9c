"""Releases of artifacts: take over, A/B test and roll-back of running services.

The store holds one release (``store.release_store``). Every service that shares the store follows
it within seconds, and loads it again at its next start; the artifacts' folders must be where all of
them can read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ConfigError
from coldstart.serve.errors import not_found
from coldstart.serve.experiment import Experiment
from coldstart.serve.store.records import Release, ReleaseArm

if TYPE_CHECKING:
    from coldstart.serve.store import Store

AS_STARTED = "as started"
"""Name of the arm with the artifact that a service was started with."""


@dataclass(frozen=True)
class Serving:
    """What a service serves.

    Args:
        artifacts: artifact folders by arm; the first arm is the default.
        experiment: A/B test that assigns arms; ``None``: a single arm.
        seq: number of the release; 0: what the service was started with.
    """

    artifacts: Mapping[str, str]
    experiment: Experiment | None = None
    seq: int = 0

    @property
    def arm(self) -> str:
        """The default arm."""
        return next(iter(self.artifacts))

    def artifact_of(self, arm: str | None) -> str:
        """Name of the artifact of an arm; ``None``, or an arm that is gone: the default one."""
        return Path(self.artifacts.get(arm or self.arm, self.artifacts[self.arm])).name


def serving_of(release: Release | None, started: Serving) -> Serving:
    """What a service serves after a release.

    Args:
        release: of the store, if there is one.
        started: what the service was started with.
    """
    return started if release is None else _serving(release.arms, release.seq, started)


def serving_after(arms: Sequence[ReleaseArm], seq: int, started: Serving) -> Serving:
    """What a service will serve after the release that follows number ``seq``."""
    return _serving(arms, seq + 1, started)


def _serving(arms: Sequence[ReleaseArm], seq: int, started: Serving) -> Serving:
    if not arms:
        return replace(started, seq=seq)
    default = started.artifacts[started.arm]
    artifacts = {arm.name: default if arm.artifact is None else arm.artifact for arm in arms}
    return Serving(artifacts, experiment_of(arms, seq), seq)


def experiment_of(arms: Sequence[ReleaseArm], seq: int) -> Experiment | None:
    """The A/B test of a release; ``None`` for one artifact."""
    if len(arms) < 2:
        return None
    given = [
        {"name": arm.name, "artifact": arm.artifact or AS_STARTED, "weight": arm.weight}
        for arm in arms
    ]
    return Experiment.model_validate({"name": f"release-{seq}", "arms": given})


def arms_with(found: Release | None, artifact: Path, share: float = 1.0) -> list[ReleaseArm]:
    """Arms of a release of one more artifact.

    Args:
        found: the present release.
        artifact: folder of the new artifact; the arm has its name.
        share: share of the traffic for it, in (0, 1]; below 1 the rest stays with the artifact that
            is served now, as an A/B test.

    Raises:
        ConfigError: a share out of range, an A/B test that has not ended, or an artifact of the
            same name is served.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share is {share:g}", hint="more than 0, at most 1")
    new = ReleaseArm(artifact.name, str(artifact.resolve()), share)
    now = found.arms if found and found.arms else (ReleaseArm(AS_STARTED, None),)
    if len(now) == 1 and now[0].artifact == new.artifact:
        raise ConfigError("the artifact is served already", hint="to read it again, send SIGHUP")
    if share == 1:
        return [new]
    if len(now) > 1:
        raise ConfigError(
            "an A/B test is under way", hint="end it first: give one artifact all, or roll back"
        )
    if now[0].name == new.name:
        raise ConfigError("another artifact of this name is served", hint="rename the folder")
    return [replace(now[0], weight=round(1 - share, 6)), new]


def beside(started: Serving, name: str) -> Path:
    """Folder of an artifact beside the one that a service was started with.

    Args:
        started: what the service was started with.
        name: of the folder; it holds no separator, so that nothing else can be read.

    Raises:
        ApiError: 404, no artifact of this name.
    """
    folder = Path(started.artifacts[started.arm]).resolve().parent / name
    if not (folder / MANIFEST).is_file():
        raise not_found("artifact", "its folder lies beside the one that the service started with")
    return folder


def use(store: Store, artifact: Path, share: float = 1.0) -> Release:
    """Have the services of a store serve an artifact; see ``arms_with``."""
    found = store.release()
    return store.new_release(arms_with(found, artifact, share), after=found.seq if found else 0)
