"""A Ray Serve cluster on this machine: its config file, its state, and clients of its models."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from types import SimpleNamespace

import httpx

from coldstart.artifacts.format import MANIFEST
from coldstart.serve.ray_app import DEPLOYMENT
from coldstart.serve.ray_replica import MODEL
from coldstart.serve.store import Store
from tests.waiting import PATIENCE, until

NUMBERS = itertools.count()

DEPLOYED = 3600.0  # seconds; what cannot be deployed ends as DEPLOY_FAILED long before


def config(port, root):
    """The config file; both of its applications that work have the models in ``root``."""
    common = {
        "root": str(root),
        "loader": "tests.serve.ray_loaders:load_unless_held",
        "most_models": 3,
    }
    settings = {"hosts": ["testserver"], "deadline": PATIENCE, "origins": ["https://shop.example"]}
    quick = {"name": DEPLOYMENT, "health_check_period_s": 1, "ray_actor_options": {"num_cpus": 0.5}}
    quick["health_check_timeout_s"] = PATIENCE  # a busy replica is no dead one
    scaling = {"min_replicas": 1, "max_replicas": 2, "target_ongoing_requests": 40}
    return {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": port},
        "logging_config": {"enable_access_log": False},
        "applications": [
            {
                "name": "main",
                "route_prefix": "/",
                "import_path": "coldstart.serve.ray_app:app",
                "args": common
                | {
                    "artifact": "toy",
                    "db": f"{root}/{{model}}.db",
                    "settings": settings | {"open": True},
                },
                "deployments": [quick | {"autoscaling_config": scaling}],
            },
            {
                "name": "keyed",
                "route_prefix": "/keyed",
                "import_path": "coldstart.serve.ray_app:app",
                "args": common | {"db": f"{root}/keyed-{{model}}.db", "settings": settings},
                "deployments": [
                    quick
                    | {
                        "num_replicas": 1,
                        "max_ongoing_requests": 1,
                        "max_queued_requests": 1,
                        "backpressure_config": {"status_code": 503, "retry_after_s": 7},
                    }
                ],
            },
        ],
    }


def status_of(name):
    from ray import serve

    return serve.status().applications[name]


def running(name):
    """Wait until an application runs."""
    ends = ("RUNNING", "DEPLOY_FAILED")
    until(lambda: status_of(name).status in ends, f"{name} to run", DEPLOYED)
    assert status_of(name).status == "RUNNING", status_of(name).message


@contextmanager
def serving(cluster, *, model=None, open=True, origins=()):
    """A client of a model of its own; ``client.service.store`` is the model's store."""
    name, prefix = ("main", "") if open else ("keyed", "/keyed")
    running(name)
    model = model or f"m{next(NUMBERS)}"
    (cluster.root / model).mkdir(exist_ok=True)
    (cluster.root / model / MANIFEST).touch()
    headers = {"Host": "testserver", MODEL: model}
    url = f"http://127.0.0.1:{cluster.port}{prefix}"
    file = cluster.root / (f"{model}.db" if open else f"keyed-{model}.db")
    with (
        httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as client,
        Store.open(f"sqlite:///{file}") as store,
    ):
        client.service, client.model = SimpleNamespace(store=store), model
        yield client
