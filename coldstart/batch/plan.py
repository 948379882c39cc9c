"""What a batch is: which users, asked what of which artifact, in chunks of how many."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coldstart import __version__
from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ConfigError, DataError
from coldstart.runtime.cache import write_atomic
from coldstart.schema import MAX_K, Strategy

FILE = "_plan.json"
FORMAT = 1


@dataclass(frozen=True)
class Options:
    """What everyone is asked for; see ``Recommender.recommend``.

    Args:
        k: items per user.
        strategy: who chooses.
        diversity: 0 to 1.
        popularity_penalty: 0 to 10.
        reasons: write the reason of each item as well.
        seed: of what is drawn.
        writer: model and adapter of a server that writes titles; ``None``: the artifact's own.
    """

    k: int = 10
    strategy: Strategy = "catalog"
    diversity: float = 0.0
    popularity_penalty: float = 0.0
    reasons: bool = False
    seed: int = 0
    writer: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAX_K:
            raise ConfigError(f"k is {self.k}, expected 1 to {MAX_K}")


@dataclass(frozen=True)
class Plan:
    """All that decides what the parts hold; written beside them, and the same for every shard.

    Args:
        users: SHA-256 of the table of users.
        rows: how many there are.
        artifact: SHA-256 of the artifact's manifest, which names its files' digests.
        size: users per part.
        options: what is asked for.
        version: of the package.
    """

    users: str
    rows: int
    artifact: str
    size: int = 1000
    options: Options = field(default_factory=Options)
    version: str = __version__
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"{self.size} users per part, expected at least 1")

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.rows // self.size)

    def chunk(self, part: int) -> tuple[int, int]:
        """First row and number of rows of a part."""
        first = part * self.size
        return first, min(self.size, self.rows - first)

    def open(self, out: Path) -> None:
        """Write the plan to ``out``, or see that it is the one that is there.

        Raises:
            DataError: the folder belongs to another batch.
        """
        mine = json.loads(json.dumps(asdict(self)))
        place = out / FILE
        if not place.exists():
            if out.is_dir() and any(out.glob("part-*.parquet")):
                raise DataError(f"{out} holds parts of an unknown batch", "choose an empty folder")
            write_atomic(place, json.dumps(mine, indent=1) + "\n")
            return
        try:
            theirs: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        except ValueError:
            raise DataError(f"{place} is damaged", "choose another folder") from None
        if theirs != mine:
            names = [n for n in mine if theirs.get(n) != mine[n]]
            raise DataError(
                f"{out} holds another batch: {', '.join(names)} differ",
                "repeat its command to go on with it, or choose another folder",
            )

    def shard(self, index: int, of: int) -> Iterator[int]:
        """The parts that one of ``of`` machines makes.

        Raises:
            ConfigError: there is no such shard.
        """
        if of < 1 or not 0 <= index < of:
            raise ConfigError(
                f"shard {index} of {of}", "from 0/N to N−1/N, such as 0/4, 1/4, 2/4 and 3/4"
            )
        return iter(range(index, self.parts, of))


def digest_of_artifact(folder: Path) -> str:
    """SHA-256 of an artifact's manifest; empty if there is none (loading it will say why)."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""
