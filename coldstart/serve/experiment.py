"""A/B tests: deterministic assignment of sessions and subjects to arms, and outcome reports."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.serve.store import ArmOutcome, SubjectOutcome

OutcomeKind = Literal["like", "dislike", "skip", "seen", "not_now", "click", "buy"]
"""Kinds of outcome of a recommended item."""
_Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution
Counts = TypeVar("Counts", bound="ArmOutcome | SubjectOutcome")


class _Arm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    artifact: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Experiment(BaseModel):
    """An A/B test: arms with artifacts and traffic weights. The first arm is the control.

    The units of assignment are sessions, and the subjects of single requests; the same unit always
    gets the same arm.

    Args:
        name: name of the experiment; a new name is a new, independent assignment.
        arms: two or more; weights are relative and need not sum to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    arms: tuple[_Arm, ...] = Field(min_length=2)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """Read a TOML file.

        Artifacts are folders, relative to the working directory or to the folder of the file::

            name = "new-ranker"
            [[arms]]
            name = "old"
            artifact = "adapters/movies"
            weight = 9
            [[arms]]
            name = "new"
            artifact = "adapters/candidate"
            weight = 1

        Raises:
            ConfigError: the file cannot be read, or a field is missing, unknown or invalid.
        """
        try:
            raw = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as e:
            raise ConfigError(f"{path}: {e.strerror or e}", hint="check the path") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise ConfigError(f"{path}: not TOML: {e}", hint="name = …, then [[arms]]") from None
        try:
            experiment = cls.model_validate(raw)
        except ValidationError as e:
            problems = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
            raise ConfigError(
                f"{path}: {problems}", hint="name, and arms of name, artifact, weight"
            ) from None
        names = [arm.name for arm in experiment.arms]
        if len(set(names)) < len(names):
            raise ConfigError(f"{path}: two arms of one name", hint="name them differently")
        return experiment

    def artifacts(self, base: Path) -> dict[str, str]:
        """Artifact folders by arm, as given if they exist, else relative to ``base``."""
        return {
            arm.name: arm.artifact if Path(arm.artifact).exists() else str(base / arm.artifact)
            for arm in self.arms
        }

    def ordered(self, outcomes: Sequence[Counts]) -> list[Counts]:
        """Outcomes in the order of ``arms``; arms no longer in the experiment come last."""
        names = [arm.name for arm in self.arms]
        return sorted(outcomes, key=lambda o: names.index(o.arm) if o.arm in names else len(names))

    def arm_of(self, unit: str) -> str:
        """Arm of a session or subject, from a hash of the experiment's name and the unit.

        Assignment is stateless and deterministic, so all processes agree, and an erased subject is
        assigned to the same arm again. Changing weights reassigns some units: use a new name then.

        Args:
            unit: id of the session, or the subject.
        """
        digest = hashlib.sha256(f"{self.name}\0{unit}".encode()).digest()
        point = int.from_bytes(digest[:8], "big") / 2**64 * sum(a.weight for a in self.arms)
        for arm in self.arms:
            point -= arm.weight
            if point < 0:
                return arm.name
        return self.arms[-1].name


@dataclass(frozen=True)
class ArmReport(Generic[Counts]):
    """Success rate of one arm, and its difference from the control.

    Args:
        outcome: counts of the arm.
        share: success rate: share of units with a success, in [0, 1]; ``None`` without units.
        interval: 95 % confidence interval of the share.
        gain: share minus that of the first arm.
        gain_interval: 95 % confidence interval of the gain.
    """

    outcome: Counts
    share: float | None
    interval: tuple[float, float] | None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Counts and rates as a JSON-serializable dictionary."""
        return asdict(self.outcome) | {
            "share": self.share,
            "interval": self.interval,
            "gain": self.gain,
            "gain_interval": self.gain_interval,
        }


def arm_reports(outcomes: Sequence[Counts]) -> list[ArmReport[Counts]]:
    """Success rate of each arm with 95 % confidence intervals over sessions, or subjects.

    A share has Wilson's score interval, a gain Newcombe's hybrid score interval for independent
    samples (1998, method 10). Unlike a bootstrap's, neither has width 0 where all or none of a few
    units succeed.

    Args:
        outcomes: counts of all arms, the control first.
    """
    reports: list[ArmReport[Counts]] = []
    for one in outcomes:
        if not one.units:
            reports.append(ArmReport(one, None, None))
            continue
        share, interval = one.successes / one.units, wilson(one.successes, one.units)
        first = reports[0] if reports else None
        if first is None or first.share is None or first.interval is None:
            reports.append(ArmReport(one, share, interval))
            continue
        gain = share - first.share
        down = math.hypot(share - interval[0], first.interval[1] - first.share)
        up = math.hypot(interval[1] - share, first.share - first.interval[0])
        reports.append(ArmReport(one, share, interval, gain, (gain - down, gain + up)))
    return reports


def wilson(successes: float, units: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson, 1927).

    Args:
        successes: number of units with a success.
        units: number of units, at least 1.
    """
    p, q = successes / units, _Z**2 / units
    half = _Z * math.sqrt(p * (1 - p) / units + q / (4 * units))
    return max(0.0, (p + q / 2 - half) / (1 + q)), min(1.0, (p + q / 2 + half) / (1 + q))
