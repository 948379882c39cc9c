"""A/B tests: which session, or subject, gets which artifact, and what came of it."""

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
"""What can come of an item in a list."""
_Z = 1.959963984540054  # of 95 %
Counts = TypeVar("Counts", bound="ArmOutcome | SubjectOutcome")


class _Arm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    artifact: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Experiment(BaseModel):
    """Arms, and how many each gets. The first arm is what the others are held against.

    Dealt are sessions, and the subjects of single requests: the same one always to the same arm.

    Args:
        name: another name is another experiment, and everybody is dealt anew.
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

    def in_order(self, outcomes: Sequence[Counts]) -> list[Counts]:
        """Outcomes in the order of the arms here; of others, as of an earlier file, after them."""
        names = [arm.name for arm in self.arms]
        return sorted(outcomes, key=lambda o: names.index(o.arm) if o.arm in names else len(names))

    def arm_of(self, unit: str) -> str:
        """The arm a session, or a subject, falls into: the same for ever, and by chance over them.

        Nothing but the file decides it, so that all processes agree, and an erased subject too
        comes back to where it was. Changed weights move some: give the experiment a new name.

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
    """One arm's outcome.

    Args:
        outcome: counts.
        share: of its sessions, or subjects, with what is wanted, in [0, 1]; ``None`` without any.
        interval: 95 % interval of the share.
        gain: share less that of the first arm.
        gain_interval: likewise.
    """

    outcome: Counts
    share: float | None
    interval: tuple[float, float] | None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self.outcome) | {
            "share": self.share,
            "interval": self.interval,
            "gain": self.gain,
            "gain_interval": self.gain_interval,
        }


def report(outcomes: Sequence[Counts]) -> list[ArmReport[Counts]]:
    """What each arm brought, with 95 % intervals over sessions, or subjects.

    A share has Wilson's score interval, a gain the one that Newcombe (1998, method 10) makes of
    two of those: the arms are independent samples. Neither is of width 0 where all or none of a
    few did what is wanted, as a bootstrap's is.

    Args:
        outcomes: of all arms, the one to hold the others against first.
    """
    made: list[ArmReport[Counts]] = []
    for one in outcomes:
        if not one.units:
            made.append(ArmReport(one, None, None))
            continue
        share, interval = one.successes / one.units, _wilson(one.successes, one.units)
        first = made[0] if made else None
        if first is None or first.share is None or first.interval is None:
            made.append(ArmReport(one, share, interval))
            continue
        gain = share - first.share
        down = math.hypot(share - interval[0], first.interval[1] - first.share)
        up = math.hypot(interval[1] - share, first.share - first.interval[0])
        made.append(ArmReport(one, share, interval, gain, (gain - down, gain + up)))
    return made


def _wilson(successes: int, units: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927)."""
    p, q = successes / units, _Z**2 / units
    half = _Z * math.sqrt(p * (1 - p) / units + q / (4 * units))
    return max(0.0, (p + q / 2 - half) / (1 + q)), min(1.0, (p + q / 2 + half) / (1 + q))
