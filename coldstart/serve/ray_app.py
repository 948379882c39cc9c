"""The service on Ray Serve: ``import_path: coldstart.serve.ray_app:app`` in its config file.

    serve run deploy/serve.yaml

The file's ``args`` are the fields of ``ray_args.Args``; what Ray does with replicas (how many,
with which processors, how many requests at a time) stands beside them, under ``deployments``, and
overrides ``DEFAULTS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coldstart.errors import MissingExtraError

if TYPE_CHECKING:
    from coldstart.serve.ray_args import Args

DEPLOYMENT = "coldstart"
DEFAULTS: dict[str, Any] = {
    # More than the service's own queue holds: what is too much is refused by the service then.
    "max_ongoing_requests": 512,
    "max_queued_requests": 512,
    "backpressure_config": {"status_code": 503, "retry_after_s": 1},
    "health_check_period_s": 10,
    "health_check_timeout_s": 30,
    "ray_actor_options": {"num_cpus": 1},
    # Ray's would have whole session ids.
    "logging_config": {"enable_access_log": False},
}
_GOODBYE = 10.0
"""Seconds to close the store, after as many as a request may take."""


def app(args: Mapping[str, Any] | Args) -> Any:
    """Build the application.

    Args:
        args: of the config file; see ``ray_args.Args``.

    Returns:
        What ``ray.serve.run`` takes.

    Raises:
        MissingExtraError: Ray Serve or a part of the service is not installed.
        ConfigError: ``args`` do not fit, or the cluster would not share the store.
        ArtifactError: a folder is no artifact.
    """
    from coldstart.serve.ray_args import Args

    given = Args.read(args)
    for module in ("ray.serve", "fastapi", "prometheus_client", "sqlalchemy"):
        _need(module)
    import ray
    from ray import serve

    from coldstart.serve.ray_replica import Replica

    if ray.is_initialized():
        given.check_nodes(_nodes())
    replica: type[Replica] = Replica
    if given.many:
        keeping = serve.multiplexed(max_num_models_per_replica=given.most_models)
        replica = type("Multiplexed", (Replica,), {"model": keeping(Replica.model)})
    deployment = serve.deployment(
        serve.ingress()(replica),
        name=DEPLOYMENT,
        graceful_shutdown_timeout_s=given.settings.deadline + _GOODBYE,
        **DEFAULTS,
    )
    return deployment.bind(given, _nodes)


def _nodes() -> int:
    """Machines of the cluster."""
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
