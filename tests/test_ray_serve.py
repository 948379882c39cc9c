"""The service on Ray Serve: the tests of its HTTP contract again, and what is Ray's to do.

One local cluster, one config file with two applications: one open to everybody, with a model for
each test, and one that needs keys and has a short queue.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from starlette.testclient import TestClient

from coldstart.artifacts import MANIFEST
from coldstart.errors import ArtifactError, ColdstartError, ConfigError, MissingExtraError
from coldstart.serve.ray_app import DEFAULTS, DEPLOYMENT, app
from coldstart.serve.ray_args import OWN, Args
from coldstart.serve.ray_replica import MODEL, Door, Replica
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from tests import test_serve as contract
from tests.conftest import ROOT
from tests.test_recommender import make
from tests.test_serve import CANARY, begin, in_background, refused
from tests.waiting import PATIENCE, until, until_then

# The first test waits for some ten processes, which on one busy core take many minutes.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*"),
    pytest.mark.timeout(7200),
]
DEPLOYED = 3600.0  # seconds; what cannot be deployed ends as DEPLOY_FAILED long before
NUMBERS = itertools.count()
HOLD = "hold"
"""While a file of this name is in a model's folder, nobody is answered."""


def toy(folder):
    """The loader of all applications here."""
    assert os.environ["OMP_NUM_THREADS"] == "1", "Ray sets it to num_cpus"
    rec, hold = make(), Path(folder) / HOLD
    quick = rec.features

    def features(*args, **options):
        until(lambda: not hold.exists(), f"{hold} to go")
        return quick(*args, **options)

    rec.features = features
    return rec


# -- the cluster ----------------------------------------------------------------------------------


def config(port, root):
    """The config file; both of its applications that work have the models in ``root``."""
    common = {"root": str(root), "loader": "tests.test_ray_serve:toy", "most_models": 3}
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
    for module in (api, client):  # Ray waits for its proxy for a minute
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


@pytest.fixture(scope="module")
def shared(cluster):
    with serving(cluster) as client:
        yield client


@pytest.fixture
def client(cluster):
    with serving(cluster) as client:
        yield client


# -- the contract ---------------------------------------------------------------------------------

_BY_SETTINGS = {
    "test_keys_open_the_door_and_only_admins_change_things",
    "test_a_key_is_limited_by_itself",
    "test_named_origins_may_call",
}
"""These start a service by themselves, of a kind that is here."""


@pytest.fixture(autouse=True)
def _started_here(request, monkeypatch):
    if request.function.__name__ in _BY_SETTINGS:
        cluster = request.getfixturevalue("cluster")
        monkeypatch.setattr(contract, "serving", lambda _, **given: serving(cluster, **given))


def _goes_through_http(test):
    asks = set(inspect.signature(test).parameters)
    return test.__name__ in _BY_SETTINGS or (
        asks & {"shared", "client"} and "client.service" not in inspect.getsource(test)
    )


THROUGH_HTTP = {
    name: test
    for name, test in vars(contract).items()
    if name.startswith("test_") and _goes_through_http(test)
}
globals().update(THROUGH_HTTP)


def test_the_contract_is_tried_and_does_not_shrink():
    assert len(THROUGH_HTTP) == 24


# -- what is Ray's to do --------------------------------------------------------------------------


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
        assert other.get("/v1/items").json()["total"] == len(make().catalog)
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


@pytest.mark.parametrize("name", ["nope", "../m0", "M0", "m0/", "%2e%2e", ".", OWN, "m" * 64])
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


# -- without Ray ----------------------------------------------------------------------------------


def loader(folder):
    """For replicas in this process."""
    LOADED.append(folder)
    if folder == "damaged":
        raise ArtifactError(f"damaged {CANARY}")
    return make()


LOADED: list[str] = []
HERE = {"loader": "tests.test_ray_serve:loader"}


@contextmanager
def door(tmp_path, peer="127.0.0.1", root_path="", settings=None, **args):
    """A client of a replica in this process."""
    settings = {"open": True, "hosts": ["testserver"], "deadline": 60} | (settings or {})
    given = HERE | {"db": f"{tmp_path}/{{model}}.db", "settings": settings} | args
    replica = Replica(Args.read(given))
    with TestClient(Door(replica), client=(peer, 1), root_path=root_path) as client:
        client.replica = replica
        yield client


@pytest.fixture(autouse=True)
def _logging_stays():
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    LOADED.clear()
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(False)


def test_strangers_have_nothing_loaded(tmp_path):
    with door(tmp_path, models={"a": "x"}, settings={"open": False}) as client:
        for headers in ({}, {"X-API-Key": "nonsense"}):
            refused(client.get("/v1/items", headers={MODEL: "a"} | headers), 401, "unauthorized")
            refused(client.get("/", headers={MODEL: "a"} | headers), 401, "unauthorized")
        assert LOADED == []
        with Store.open(f"sqlite:///{tmp_path}/a.db") as store:
            key = store.create_key("a").secret
        asked = {"serve-multiplexed-model-id": "a", "X-API-Key": key}
        assert client.get("/v1/items", headers=asked).status_code == 200
        assert LOADED == ["x"]


def test_a_model_that_cannot_be_loaded_says_no_more_than_that(tmp_path):
    with door(tmp_path, models={"a": "damaged"}) as client:
        told = refused(client.get("/v1/items", headers={MODEL: "a"}), 500, "load_failed")
        assert CANARY not in str(told)
        assert client.get("/v1/items", headers={MODEL: "b"}).status_code == 404


@pytest.mark.parametrize("peer", ["10.1.2.3", "testclient", "::ffff:10.1.2.3"])
def test_without_keys_only_this_machine_is_answered(tmp_path, peer):
    with door(tmp_path, artifact="x", peer=peer) as client:
        refused(client.get("/v1/items"), 403, "open")


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_a_prefix_does_not_lead_past_the_gate(tmp_path, peer):
    with door(tmp_path, peer, "/shop", {"open": False}, artifact="x") as client:
        refused(client.get("/v1/items"), 401, "unauthorized")
        assert client.get("/readyz").json() == {"status": "ready"}
        refused(client.get("/v1/nope"), 401, "unauthorized")


def test_a_replica_without_a_worker_is_not_healthy(tmp_path):
    with door(tmp_path, artifact="x") as client:
        asyncio.run(client.replica.check_health())
        client.replica._own.service.worker.stop(5)
        with pytest.raises(RuntimeError, match="recommender's thread has ended"):
            asyncio.run(client.replica.check_health())


def test_websockets_are_closed(tmp_path):
    from starlette.websockets import WebSocketDisconnect

    with door(tmp_path, artifact="x") as client:
        gone = pytest.raises(WebSocketDisconnect, check=lambda e: e.code == 1000)
        with gone, client.websocket_connect("/"):
            pass


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({}, "nothing to serve"),
        ({"artifact": 3}, "artifact: Input should be a valid string"),
        ({"artefact": "x"}, "artefact: Extra inputs"),
        ({"artifact": "x", "most_models": 0}, "most_models: Input should be greater"),
        ({"artifact": "x", "settings": {"queue": "many"}}, "settings.queue: Input should be"),
        ({"artifact": "x", "settings": {"queue": 0}}, "queue is 0"),
        ({"artifact": "x", "settings": {"que": 1}}, "settings.que: Unexpected keyword"),
        ({"models": {"A": "x"}, "db": "{model}.db"}, "models.A"),
        ({"models": {OWN: "x"}, "db": "{model}.db"}, "the name is taken"),
        ({"models": {"a": "x"}, "db": "people.db"}, "all models would share one store"),
        ({"root": "nowhere", "db": "{model}.db"}, "no folder nowhere"),
        ({"artifact": "x", "loader": "nowhere:load"}, "nowhere"),
        ({"artifact": "x", "loader": "tests.toy:nothing"}, "nothing"),
        ({"artifact": "x", "loader": "toy"}, "loader: String should match"),
    ],
)
def test_wrong_arguments_are_named(args, told):
    with pytest.raises(ConfigError, match=told):
        app(HERE | args)


@pytest.mark.parametrize("name", ["", "nowhere", "/nowhere/at/all"])
def test_a_folder_that_is_no_artifact_is_refused_at_once(tmp_path, name):
    with pytest.raises(ColdstartError, match="nothing to serve|no artifact at"):
        app({"artifact": name or None})
    with pytest.raises(ArtifactError, match="manifest.json is missing"):
        app({"artifact": str(tmp_path)})


@pytest.mark.parametrize("module", ["ray.serve", "fastapi", "sqlalchemy"])
def test_what_is_not_installed_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"coldstart-rec\[serve,ray\]"):
        app(HERE | {"artifact": "x"})


def test_several_machines_need_a_store_that_they_share(monkeypatch, tmp_path):
    monkeypatch.delenv("COLDSTART_DB", raising=False)
    file = Args.read(HERE | {"artifact": "x"})
    file.check_nodes(1)
    with pytest.raises(ConfigError, match="SQLite file, and the cluster has 2 nodes"):
        file.check_nodes(2)
    with pytest.raises(ConfigError, match="SQLite"):
        Replica(file, nodes=lambda: 2)
    monkeypatch.setenv("COLDSTART_DB", "postgresql+psycopg://me@host/people")
    file.check_nodes(2)
    assert file.url_of("a") == "postgresql+psycopg://me@host/people"


def test_models_share_one_base_and_nothing_else():
    artifact = str(ROOT / "adapters" / "ml-100k")
    load = Args.read({"models": {"a": artifact}, "root": str(ROOT), "db": "{model}.db"}).load()
    one, other = load(artifact), load(artifact)
    assert one.lm.base is other.lm.base
    assert one.encoder is other.encoder
    assert one.catalog is not other.catalog


def test_who_is_unloaded_answers_what_has_begun_and_closes_the_store(tmp_path):
    async def play():
        replica = Replica(Args.read(HERE | {"models": {"a": "x"}, "db": f"{tmp_path}/{{model}}"}))
        model = await replica.model("a")
        service = model.service
        service.metrics.in_flight_now = 1
        leaving = asyncio.get_running_loop().run_in_executor(None, model.__del__)
        await until_then(lambda: service.draining, "it to leave")
        assert service.worker.alive
        service.metrics.in_flight_now = 0
        await leaving
        assert not service.worker.alive
        again = await replica.model("a")
        assert again.service.ready
        worker = again.service.worker
        del again, model  # no thread of its own, so nobody waits
        await until_then(lambda: not worker._thread.is_alive(), "its end")

    asyncio.run(play())


def test_ray_speaks_as_the_service_does():
    from starlette.responses import JSONResponse, PlainTextResponse

    from coldstart.serve.ray_proxy import OneForm, middlewares

    answers = {
        "/full": PlainTextResponse("queue of [secret]", 503, {"Retry-After": "3"}),
        "/gone": PlainTextResponse("no replica", 503, {"X-Request-Id": "r"}),
        "/none": PlainTextResponse("no route", 404),
        "/ours": JSONResponse({"error": "e"}, 503),
        "/fine": PlainTextResponse("fine"),
    }

    async def ray(scope, receive, send):
        await answers[scope["path"]](scope, receive, send)

    assert [m.cls for m in middlewares()] == [OneForm]
    client = TestClient(OneForm(ray))
    full, gone = client.get("/full"), client.get("/gone")
    refused(full, 503, "overloaded")
    assert full.headers["retry-after"] == "3"
    refused(gone, 503, "overloaded")
    assert (gone.headers["retry-after"], gone.headers["x-request-id"]) == ("1", "r")
    refused(client.get("/none"), 404, "not_found")
    assert client.get("/ours").json() == {"error": "e"}
    assert client.get("/fine").text == "fine"


def test_the_limits_that_can_be_set_are_those_of_the_service():
    given = {"artifact": "x", "settings": {"queue": 3, "hosts": ["a"], "open": True}}
    assert Args.read(HERE | given).settings == ServeSettings(queue=3, hosts=("a",), open=True)
