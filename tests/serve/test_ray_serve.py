"""The service on Ray Serve: its HTTP contract again, and what is Ray's to do.

One local cluster, one config file with two applications: one open to everybody, with a model for
each test, and one that needs keys and has a short queue.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import tempfile
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from coldstart.serve.ray_app import DEFAULTS, DEPLOYMENT
from coldstart.serve.ray_args import DEFAULT_MODEL
from coldstart.serve.ray_replica import MODEL
from tests.serve import http_contract
from tests.serve.helpers import CANARY, begin, in_background, refused
from tests.serve.http_contract import *  # noqa: F403
from tests.serve.ray_cluster import config, running, serving, status_of
from tests.serve.ray_loaders import HOLD
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until

# The first test waits for some ten processes, which on one busy core take many minutes.
pytestmark = [
    pytest.mark.timeout(7200),
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*"),
    pytest.mark.usefixtures("logging_stays"),
]


@pytest.fixture(scope="module")
def cluster():
    """Ray Serve on this machine, gone afterwards; its port, its folder and its client.

    Both applications run when it is there: if they cannot, that is told once, not in every test.
    """
    ray = pytest.importorskip("ray", reason="Ray is not installed: coldstart-rec[ray]")
    from ray import serve
    from ray.serve._private import api, client
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema

    where = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # sockets need a short path
    root = where / "models"
    root.mkdir()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    patch = pytest.MonkeyPatch()
    for name in ("RAY_gcs_server_port_wait_time_s", "RAY_worker_register_timeout_seconds"):
        patch.setenv(name, str(int(PATIENCE)))
    for name in ("READY", "HEALTH"):
        patch.setenv(f"RAY_SERVE_PROXY_{name}_CHECK_TIMEOUT_S", str(PATIENCE))
    for module in (api, client):
        patch.setattr(module, "HTTP_PROXY_TIMEOUT", PATIENCE)
    patch.delenv("OMP_NUM_THREADS", raising=False)
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("PYTHONPATH", os.getcwd())
    patch.setenv(
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "coldstart.serve.ray_proxy:middlewares"
    )
    told = config(port, root)
    try:
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=80 << 20,
            _temp_dir=str(where / "ray"),
        )
        serve.start(
            proxy_location=told["proxy_location"],
            http_options=told["http_options"],
            logging_config=told["logging_config"],
        )
        controller = _get_global_client()
        controller.deploy_apps(ServeDeploySchema.model_validate(told))
        for application in told["applications"]:
            running(application["name"])
        yield SimpleNamespace(port=port, root=root, client=controller, where=where, told=told)
    finally:
        serve.shutdown()
        ray.shutdown()
        patch.undo()
        shutil.rmtree(where, ignore_errors=True)


@pytest.fixture(scope="module")
def shared(cluster):
    with serving(cluster) as client:
        yield client


@pytest.fixture
def client(cluster):
    with serving(cluster) as client:
        yield client


@pytest.fixture
def start_service(cluster):
    """A model of its own, of the application that the settings ask for."""
    return partial(serving, cluster)


def test_the_contract_is_tried_and_does_not_shrink():
    assert sum(name.startswith("test_") for name in vars(http_contract)) == 24


def test_the_options_of_the_file_arrive(cluster):
    running("main")
    details = cluster.client.get_serve_details()["applications"]
    main, keyed = (
        details[name]["deployments"][DEPLOYMENT]["deployment_config"] for name in ("main", "keyed")
    )
    scaling = main["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 2)
    assert scaling["target_ongoing_requests"] == 40
    assert main["ray_actor_options"]["num_cpus"] == 0.5
    assert main["max_ongoing_requests"] == DEFAULTS["max_ongoing_requests"]
    assert main["graceful_shutdown_timeout_s"] == PATIENCE + 10  # deadline and goodbye
    assert (keyed["max_ongoing_requests"], keyed["max_queued_requests"]) == (1, 1)
    assert keyed["backpressure_config"] == {"status_code": 503, "retry_after_s": 7}


def test_models_share_nothing_even_when_they_have_been_away(cluster):
    with serving(cluster) as one, serving(cluster) as other:
        at = begin(one, profile={"age": 30})
        one.put("/v1/items/new", json={"title": "Newcomer"})
        for path in ("", "/questions", "/recommendations"):
            refused(other.get(at + path), 404, "not_found")
        refused(other.get("/v1/items/new"), 404, "not_found")
        assert other.get("/v1/items").json()["total"] == len(toy_recommender().catalog)
        for _ in range(3):  # as many as a replica holds
            with serving(cluster) as more:
                assert more.get("/readyz").status_code == 200
        assert one.get(at).status_code == 200
        assert one.get("/v1/items/new").json()["title"] == "Newcomer"
        refused(other.get(at), 404, "not_found")
        assert [c.item_id for c in one.service.store.changes()] == ["new"]
        assert list(other.service.store.changes()) == []


def test_a_key_of_one_model_is_none_of_another(cluster):
    with serving(cluster, open=False) as one, serving(cluster, open=False) as other:
        key = {"X-API-Key": one.service.store.create_key("one", admin=True).secret}
        assert one.get("/v1/items", headers=key).status_code == 200
        refused(other.get("/v1/items", headers=key), 401, "unauthorized")
        refused(one.get("/v1/items"), 401, "unauthorized")


@pytest.mark.parametrize(
    "name", ["nope", "../m0", "M0", "m0/", "%2e%2e", ".", DEFAULT_MODEL, "m" * 64]
)
def test_what_is_no_model_is_not_found(shared, name):
    answer = shared.get("/v1/items", headers={MODEL: name})
    refused(answer, 404, "not_found")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_names_no_model_gets_the_artifact(cluster, shared):
    with httpx.Client(base_url=shared.base_url, headers={"Host": "testserver"}) as nobody:
        assert len(nobody.post("/v1/recommend", json={"k": 2}).json()["items"]) == 2
        assert "text/html" in nobody.get("/").headers["content-type"]
    with httpx.Client(base_url=f"{shared.base_url}/keyed") as nobody:
        refused(nobody.get("/v1/items"), 404, "not_found")


def test_a_full_queue_refuses_in_our_form_with_retry_after(cluster):
    with serving(cluster, model="held", open=False) as client:
        client.headers["X-API-Key"] = client.service.store.create_key("k", rate_limit=None).secret
        assert client.get("/v1/items").status_code == 200  # loaded
        ask = lambda: client.post("/v1/recommend", json={"k": 1, "strategy": "prior"})  # noqa: E731
        (cluster.root / "held" / HOLD).touch()
        threads, got = in_background(ask, 6)
        until(lambda: len(got) >= 3, "three refusals")  # one at work, one or two in the queue
        (cluster.root / "held" / HOLD).unlink()
        for t in threads:
            t.join()
    answered = [r for r in got if r.status_code == 200]
    turned_away = [r for r in got if r.status_code != 200]
    assert 1 <= len(answered) <= 3
    assert len(turned_away) == 6 - len(answered)
    for answer in turned_away:
        refused(answer, 503, "overloaded")
        assert answer.headers["retry-after"] == "7"


def test_a_killed_replica_comes_back_and_knows_everybody(cluster, client):
    at = begin(client, profile={"age": 30, "about": CANARY})
    client.post(at + "/feedback", json={"item_id": "i3", "kind": "like"})
    client.put("/v1/items/new", json={"title": "Newcomer"})
    details = cluster.client.get_serve_details()["applications"]["main"]["deployments"]
    (replica,) = details[DEPLOYMENT]["replicas"]
    os.kill(replica["pid"], signal.SIGKILL)

    def known():
        try:
            answer = client.get(at)
        except httpx.TransportError:
            return None
        return answer.json() if answer.status_code == 200 else None

    data = until(known, "the new replica")
    assert [e["kind"] for e in data["events"]] == ["like"]
    assert "i3" not in str(client.get(at + "/recommendations").json()["items"])
    assert client.get("/v1/items/new").json()["title"] == "Newcomer"
    details = cluster.client.get_serve_details()["applications"]["main"]["deployments"]
    assert [r["pid"] for r in details[DEPLOYMENT]["replicas"]] != [replica["pid"]]
    logs = [f for f in (cluster.where / "ray").rglob("*") if f.is_file() and "/logs/" in str(f)]
    text = "".join(f.read_text(errors="replace") for f in logs)
    assert '"event": "request"' in text
    for secret in (CANARY, at.rpartition("/")[2]):
        assert secret not in text


def test_what_is_added_to_the_file_leaves_what_runs_running(cluster, shared):
    """One more replica, which knows everybody, and an application that says what is wrong."""
    from ray.serve.schema import ServeDeploySchema

    headers = {"Host": "testserver"}
    with httpx.Client(base_url=shared.base_url, headers=headers, timeout=PATIENCE) as client:
        at = begin(client, profile={"age": 30})
        told, path = deepcopy(cluster.told), "coldstart.serve.ray_app:app"
        told["applications"][0]["deployments"][0]["autoscaling_config"]["min_replicas"] = 2
        bad = {"name": "bad", "route_prefix": "/bad", "import_path": path}
        told["applications"].append(bad | {"args": {"artifact": "/no"}})
        cluster.client.deploy_apps(ServeDeploySchema.model_validate(told))

        def both():
            return status_of("main").deployments[DEPLOYMENT].replica_states.get("RUNNING") == 2

        until(both, "the second replica")
        threads, got = in_background(lambda: client.get(at).status_code, 24)
        for t in threads:
            t.join()
        assert got == [200] * 24
        begun = set()  # each replica has numbers of its own, and knows since when

        def both_answer():
            threads, texts = in_background(lambda: client.get("/metrics").text, 8)
            for t in threads:
                t.join()
            since = re.compile(r"^coldstart_batch_size_created (\S+)", re.MULTILINE)
            begun.update(since.search(text)[1] for text in texts)
            return len(begun) > 1

        until(both_answer, "answers of both")
    until(lambda: status_of("bad").status == "DEPLOY_FAILED", "the failure")
    assert "no artifact at /no: manifest.json is missing" in status_of("bad").message
    assert shared.get("/readyz").status_code == 200
