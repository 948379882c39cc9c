"""A/B tests: which session gets which artifact, and what came of it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.serve.store import ArmOutcome

_DRAWS = 2000


class _Arm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    artifact: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Experiment(BaseModel):
    """Arms, and how many sessions each gets. The first arm is what the others are held against.

    Args:
        name: sessions of another name are another experiment, and dealt anew.
        arms: two or more; weights need not sum to anything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    arms: tuple[_Arm, ...] = Field(min_length=2)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """Read a TOML file.

        Artifacts are folders, seen from the working folder or from the file's::

            name = "new-ranker"
            [[arms]]
            name = "old"
            artifact = "adapters/ml-100k"
            weight = 9
            [[arms]]
            name = "new"
            artifact = "adapters/candidate"
            weight = 1

        Raises:
            ConfigError: it cannot be read, or something is missing or too much.
        """
        try:
            raw = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as e:
            raise ConfigError(f"{path}: {e.strerror or e}", hint="check the path") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise ConfigError(f"{path}: not TOML: {e}", hint="name = …, then [[arms]]") from None
        try:
            made = cls.model_validate(raw)
        except ValidationError as e:
            told = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
            raise ConfigError(
                f"{path}: {told}", hint="name, and arms of name, artifact, weight"
            ) from None
        names = [arm.name for arm in made.arms]
        if len(set(names)) < len(names):
            raise ConfigError(f"{path}: two arms of one name", hint="name them differently")
        return made

    def artifacts(self, beside: Path) -> dict[str, str]:
        """Folders by arm: as they are called where they exist, else in the folder ``beside``."""
        return {
            arm.name: arm.artifact if Path(arm.artifact).exists() else str(beside / arm.artifact)
            for arm in self.arms
        }

    def in_order(self, outcomes: Sequence[ArmOutcome]) -> list[ArmOutcome]:
        """Outcomes in the order of the arms here; of others, as of an earlier file, after them."""
        names = [arm.name for arm in self.arms]
        return sorted(outcomes, key=lambda o: names.index(o.arm) if o.arm in names else len(names))

    def arm_of(self, session_id: str) -> str:
        """The arm a session falls into: the same for ever, and by chance over sessions."""
        digest = hashlib.sha256(f"{self.name}\0{session_id}".encode()).digest()
        point = int.from_bytes(digest[:8], "big") / 2**64 * sum(a.weight for a in self.arms)
        for arm in self.arms:
            point -= arm.weight
            if point < 0:
                return arm.name
        return self.arms[-1].name


@dataclass(frozen=True)
class ArmReport:
    """One arm's outcome.

    Args:
        outcome: counts.
        share: of its sessions with a like, in [0, 1]; ``None`` without sessions.
        interval: 95 % bootstrap interval of the share, over sessions.
        gain: share less that of the first arm.
        gain_interval: likewise.
    """

    outcome: ArmOutcome
    share: float | None
    interval: tuple[float, float] | None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        counts = {n: getattr(self.outcome, n) for n in _COUNTS}
        return counts | {
            "share": self.share,
            "interval": self.interval,
            "gain": self.gain,
            "gain_interval": self.gain_interval,
        }


_COUNTS = ("arm", "sessions", "exposures", "likes", "likers")


def report(outcomes: Sequence[ArmOutcome], seed: int = 0) -> list[ArmReport]:
    """What each arm brought, with 95 % intervals; sessions are what is resampled.

    Sessions are dealt to arms, so the arms are independent samples: the interval of a gain is that
    of the difference of two means that are resampled each for itself.

    Args:
        outcomes: of all arms, the one to hold the others against first.
        seed: of the resampling.
    """
    from coldstart.evaluation.statistics import bootstrap_interval, resample

    made: list[ArmReport] = []
    base: np.ndarray | None = None  # resampled means of the first arm
    for number, one in enumerate(outcomes):
        if not one.sessions:
            made.append(ArmReport(one, None, None))
            continue
        liked = np.r_[np.ones(one.likers), np.zeros(one.sessions - one.likers)]
        share = float(liked.mean())
        interval = bootstrap_interval(liked.tolist(), seed + number)
        drawn = resample(liked, np.random.default_rng([seed, number]), _DRAWS)[0]
        if number == 0:
            base = drawn
        first = made[0].share if made else None
        if base is None or first is None:
            made.append(ArmReport(one, share, interval))
            continue
        low, high = np.quantile(drawn - base, [0.025, 0.975])
        made.append(ArmReport(one, share, interval, share - first, (float(low), float(high))))
    return made
