"""The same parts, made by a pool of Ray actors: on this machine or on a cluster.

What a worker makes it writes itself, under the same names and with the same renaming as without
Ray, so the checkpoint is the folder: it has to be one that every node can write to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from coldstart.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from coldstart.batch.run import Job


class RayStage:
    """``Stage`` as an actor of Ray Data: part numbers in, numbers of users out."""

    def __init__(self, job: Job) -> None:
        self._stage = job.stage()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make some parts."""
        return {"users": [self._stage.make(int(n)) for n in batch["part"]]}


def made_by_ray(
    job: Job, todo: Sequence[int], actors: int, address: str | None, gpus: float
) -> Iterator[int]:
    """Users of each part as it is made.

    Args:
        job: what the actors load.
        todo: numbers of the parts.
        actors: how many.
        address: of the cluster; ``None``: one on this machine, for as long as this takes.
        gpus: per actor.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: there is no cluster at this address.
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
        made = parts.map_batches(
            RayStage,
            fn_constructor_args=(job,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(actors, len(todo))),
            num_gpus=gpus,
        )
        for row in made.iter_rows():
            yield int(row["users"])
    finally:
        if started:
            ray.shutdown()
