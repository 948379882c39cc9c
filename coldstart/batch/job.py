"""Batch job: the picklable description from which each worker process loads its part writer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coldstart.batch.part_writer import PartWriter
from coldstart.batch.plan import BatchPlan
from coldstart.batch.users import UserTable
from coldstart.generation.remote.vllm import GeneratorOptions
from coldstart.recommender import Recommender


@dataclass(frozen=True)
class BatchJob:
    """Paths and settings that a worker needs to load a recommender and write parts.

    Args:
        artifact: folder of the recommender.
        users: path of the users table.
        plan: plan of the batch.
        out: output folder of the parts.
        device: device of the language model; see ``Recommender.from_pretrained``.
        dtype: number format of its weights; likewise.
        generator: remote text generator, if any.
    """

    artifact: Path
    users: Path
    plan: BatchPlan
    out: Path
    device: str = "auto"
    dtype: str = "auto"
    generator: GeneratorOptions | None = None

    def writer(self) -> PartWriter:
        """Load the recommender and open the users table. Raises as ``from_pretrained``."""
        recommender = Recommender.from_pretrained(
            self.artifact,
            device=self.device,
            dtype=self.dtype,
            generator=self.generator.open() if self.generator else None,
        )
        return PartWriter(recommender, UserTable(self.users, self.out), self.plan, self.out)
