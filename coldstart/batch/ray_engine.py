"""Ray Data engine of the batch: part writers as a pool of actors, local or on a cluster.

Actors write the part files themselves, with the same names and atomic renames as the local engine,
so the output folder is the checkpoint: it must be writable from every node.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from coldstart.batch.job import BatchJob
from coldstart.errors import ConfigError, MissingExtraError


class RayPartWriter:
    """Ray Data actor around ``PartWriter``: part numbers in, numbers of users out.

    Args:
        job: job from which the actor loads its recommender.
    """

    def __init__(self, job: BatchJob) -> None:
        self._writer = job.writer()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Write the parts numbered in ``batch["part"]``."""
        return {"users": [self._writer.write(int(n)) for n in batch["part"]]}


def write_parts_on_ray(
    job: BatchJob, todo: Sequence[int], actors: int, address: str | None, gpus: float
) -> Iterator[int]:
    """Write parts on Ray actors; yield the number of users of each part once it is written.

    Args:
        job: job that the actors load.
        todo: numbers of the parts to write.
        actors: maximum number of actors.
        address: address of the cluster; ``None`` starts a local one for the duration of the call.
        gpus: GPUs per actor.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: no cluster answers at this address.
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError(
            "the ray engine needs ray", "pip install 'coldstart-rec[ray]'"
        ) from None
    started = not ray.is_initialized()
    try:
        if started:
            quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
            ray.init(address=address, include_dashboard=False, **quiet)
    except (ConnectionError, ValueError) as e:
        raise ConfigError(f"no Ray cluster at {address!r}: {e}", "see ray status") from None
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        parts = ray.data.from_items([{"part": n} for n in todo], override_num_blocks=len(todo))
        written = parts.map_batches(
            RayPartWriter,
            fn_constructor_args=(job,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(actors, len(todo))),
            num_gpus=gpus,
        )
        for row in written.iter_rows():
            yield int(row["users"])
    finally:
        if started:
            ray.shutdown()
