"""Replicas, arguments and errors of the Ray Serve application, without a cluster."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from coldstart.errors import ArtifactError, ColdstartError, ConfigError, MissingExtraError
from coldstart.serve.ray_app import app
from coldstart.serve.ray_args import DEFAULT_MODEL, AppArgs
from coldstart.serve.ray_replica import MODEL, ModelRouter, Replica
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from tests.conftest import ROOT
from tests.serve.helpers import CANARY, refused
from tests.serve.ray_loaders import LOADED
from tests.waiting import until_then

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*")


HERE = {"loader": "tests.serve.ray_loaders:load_here"}


@contextmanager
def door(tmp_path, peer="127.0.0.1", root_path="", settings=None, **args):
    """A client of a replica in this process."""
    settings = {"open": True, "hosts": ["testserver"], "deadline": 60} | (settings or {})
    given = HERE | {"db": f"{tmp_path}/{{model}}.db", "settings": settings} | args
    replica = Replica(AppArgs.read(given))
    with TestClient(ModelRouter(replica), client=(peer, 1), root_path=root_path) as client:
        client.replica = replica
        yield client


@pytest.fixture(autouse=True)
def _nothing_loaded(logging_stays):
    LOADED.clear()


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
        client.replica._default.service.worker.stop(5)
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
        ({"models": {DEFAULT_MODEL: "x"}, "db": "{model}.db"}, "the name is taken"),
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
    file = AppArgs.read(HERE | {"artifact": "x"})
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
    load = AppArgs.read({"models": {"a": artifact}, "root": str(ROOT), "db": "{model}.db"}).load()
    one, other = load(artifact), load(artifact)
    assert one.lm.base is other.lm.base
    assert one.encoder is other.encoder
    assert one.catalog is not other.catalog


def test_who_is_unloaded_answers_what_has_begun_and_closes_the_store(tmp_path):
    async def play():
        replica = Replica(
            AppArgs.read(HERE | {"models": {"a": "x"}, "db": f"{tmp_path}/{{model}}"})
        )
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

    from coldstart.serve.ray_proxy import ErrorFormatMiddleware, middlewares

    answers = {
        "/full": PlainTextResponse("queue of [secret]", 503, {"Retry-After": "3"}),
        "/gone": PlainTextResponse("no replica", 503, {"X-Request-Id": "r"}),
        "/none": PlainTextResponse("no route", 404),
        "/ours": JSONResponse({"error": "e"}, 503),
        "/fine": PlainTextResponse("fine"),
    }

    async def ray(scope, receive, send):
        await answers[scope["path"]](scope, receive, send)

    assert [m.cls for m in middlewares()] == [ErrorFormatMiddleware]
    client = TestClient(ErrorFormatMiddleware(ray))
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
    assert AppArgs.read(HERE | given).settings == ServeSettings(queue=3, hosts=("a",), open=True)
