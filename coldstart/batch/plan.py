"""Batch plan: users table, artifact, recommendation options and part size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from coldstart import __version__
from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ConfigError, DataError
from coldstart.runtime.cache import write_atomic
from coldstart.schema import MAX_K, Strategy

PLAN_FILE = "_plan.json"
FORMAT = 2


@dataclass(frozen=True)
class BatchOptions:
    """Recommendation options of a batch, the same for every user; see ``Recommender.recommend``.

    Args:
        k: items per user, 1 to 1,000.
        strategy: candidate source; ``prior`` runs no language model.
        diversity: weight of the diversity re-ranking, 0 to 1.
        popularity_penalty: weight subtracted for popularity, 0 to 10.
        reasons: also write the explanation of each item.
        seed: random seed of sampling.
        writer: model and adapter of a remote text generator; ``None`` for the artifact's own
            language model.

    Raises:
        ConfigError: ``k`` is out of range.
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
class BatchPlan:
    """Everything that determines the content of the parts, stored next to them as ``_plan.json``.

    Shards of one batch share the plan; a different plan in the folder is an error.

    Args:
        users: SHA-256 of the users table.
        rows: number of users.
        artifact: SHA-256 of the artifact's manifest, which lists the digests of its files.
        size: users per part.
        options: recommendation options.
        version: version of the package.
        format: version of the plan file.

    Raises:
        ConfigError: ``size`` is less than 1.
    """

    users: str
    rows: int
    artifact: str
    size: int = 1000
    options: BatchOptions = field(default_factory=BatchOptions)
    version: str = __version__
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"{self.size} users per part, expected at least 1")

    @property
    def parts(self) -> int:
        """Number of parts."""
        return -(-self.rows // self.size)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the plan, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def chunk(self, part: int) -> tuple[int, int]:
        """Row range of a part: (first row, number of rows)."""
        first = part * self.size
        return first, min(self.size, self.rows - first)

    def open(self, out: Path) -> None:
        """Write the plan to ``out``, or check it against the plan stored there.

        Raises:
            DataError: the folder belongs to another batch, or its plan is damaged.
        """
        plan = json.loads(json.dumps(asdict(self)))
        path = out / PLAN_FILE
        if not path.exists():
            if out.is_dir() and any(out.glob("part-*.parquet")):
                raise DataError(f"{out} holds parts of an unknown batch", "choose an empty folder")
            write_atomic(path, json.dumps(plan, indent=1) + "\n")
            return
        try:
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise DataError(f"{path} is damaged", "choose another folder") from None
        if stored != plan:
            names = [n for n in plan if stored.get(n) != plan[n]]
            raise DataError(
                f"{out} holds another batch: {', '.join(names)} differ",
                "repeat its command to go on with it, or choose another folder",
            )

    def shard(self, index: int, of: int) -> Iterator[int]:
        """Part numbers assigned to shard ``index`` of ``of``, round-robin.

        Raises:
            ConfigError: ``index`` is not in 0 … ``of`` − 1.
        """
        if of < 1 or not 0 <= index < of:
            raise ConfigError(
                f"shard {index} of {of}", "from 0/N to N−1/N, such as 0/4, 1/4, 2/4 and 3/4"
            )
        return iter(range(index, self.parts, of))


def artifact_digest(folder: Path) -> str:
    """SHA-256 of an artifact's manifest; empty if it is missing (loading reports the error)."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""
