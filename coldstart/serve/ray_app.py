"""Ray Serve application: ``import_path: coldstart.serve.ray_app:app`` in the Serve config file.

    serve run deploy/serve.yaml

The file's ``args`` are the fields of ``ray_args.AppArgs``. Replica settings of Ray (autoscaling,
resources, concurrency) are under ``deployments`` and override ``DEFAULTS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coldstart.errors import MissingExtraError

if TYPE_CHECKING:
    from coldstart.serve.ray_args import AppArgs

DEPLOYMENT = "coldstart"
DEFAULTS: dict[str, Any] = {
    # Above the capacity of the service's queue, so that the service rejects the excess requests.
    "max_ongoing_requests": 512,
    "max_queued_requests": 512,
    "backpressure_config": {"status_code": 503, "retry_after_s": 1},
    "health_check_period_s": 10,
    "health_check_timeout_s": 30,
    "ray_actor_options": {"num_cpus": 1},
    # Ray's access log would contain whole session ids.
    "logging_config": {"enable_access_log": False},
}
_SHUTDOWN_MARGIN = 10.0
"""Seconds to close the store, in addition to the request deadline."""


def app(args: Mapping[str, Any] | AppArgs) -> Any:
    """Application builder for Ray Serve.

    Args:
        args: ``args`` of the config file; see ``ray_args.AppArgs``.

    Returns:
        Bound deployment, for ``ray.serve.run``.

    Raises:
        MissingExtraError: Ray Serve or a part of the service is not installed.
        ConfigError: ``args`` are invalid, or the store cannot be shared by the nodes.
        ArtifactError: a folder is not an artifact.
    """
    from coldstart.serve.ray_args import AppArgs

    given = AppArgs.read(args)
    for module in ("ray.serve", "fastapi", "prometheus_client", "sqlalchemy"):
        _need(module)
    import ray
    from ray import serve

    from coldstart.serve.ray_replica import Replica

    if ray.is_initialized():
        given.check_nodes(_nodes())
    replica: type[Replica] = Replica
    if given.multiplexed:
        multiplexed = serve.multiplexed(max_num_models_per_replica=given.most_models)
        replica = type("Multiplexed", (Replica,), {"model": multiplexed(Replica.model)})
    deployment = serve.deployment(
        serve.ingress()(replica),
        name=DEPLOYMENT,
        graceful_shutdown_timeout_s=given.settings.deadline + _SHUTDOWN_MARGIN,
        **DEFAULTS,
    )
    return deployment.bind(given, _nodes)


def _nodes() -> int:
    """Number of nodes alive in the cluster."""
    import ray

    return sum(node["Alive"] for node in ray.nodes())


def _need(module: str) -> None:
    try:
        import_module(module)
    except ImportError as e:
        raise MissingExtraError(
            f"the service on Ray needs {module}: {e}",
            hint="pip install 'coldstart-rec[serve,ray]'",
        ) from None
