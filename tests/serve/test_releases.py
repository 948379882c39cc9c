"""A running service takes artifacts over, shares its traffic between two, and rolls back."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from coldstart.errors import ArtifactError
from coldstart.serve.experiment import Experiment
from tests.serve.helpers import begin, in_background, refused, serving
from tests.toy import toy_recommender
from tests.waiting import until


@pytest.fixture
def shop(tmp_path):
    """Three artifacts beside each other, of which the loader notes what it loads."""
    for name in ("shop", "shop-2", "shop-3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    loads = []

    def load(folder):
        loads.append(folder.rsplit("/", 1)[1])
        if (tmp_path / "broken").exists() and loads[-1] == (tmp_path / "broken").read_text():
            raise ArtifactError("damaged")
        return toy_recommender()

    @contextmanager
    def start(**more):
        with serving(tmp_path, load, artifacts={"": str(tmp_path / "shop")}, **more) as client:
            client.loads = loads
            yield client

    start.folder, start.loads = tmp_path, loads
    return start


def release(client, artifact, **more):
    made = client.post("/v1/admin/release", json={"artifact": artifact, **more})
    assert made.status_code == 200, made.text
    return made.json()


def served(client):
    found = client.get("/v1/admin/release").json()
    return {arm["artifact"]: round(arm["share"], 3) for arm in found["arms"]}


def test_an_artifact_is_taken_over_and_rolled_back_while_requests_go_on(shop):
    with shop() as client:
        assert served(client) == {"shop": 1.0}
        at, codes, stop = begin(client), [], threading.Event()

        def keep_asking():
            while not stop.is_set():
                codes.append(client.post("/v1/recommend", json={"k": 1}).status_code)
                codes.append(client.get(at + "/recommendations").status_code)

        threads, _ = in_background(keep_asking, 2)
        until(lambda: codes, "the first answer")
        assert release(client, "shop-2")["release"] == 1
        assert served(client) == {"shop-2": 1.0}
        shown = client.get(at + "/recommendations").json()
        back = client.post("/v1/admin/rollback").json()
        assert (back["release"], back["experiment"]) == (2, None)
        assert served(client) == {"shop": 1.0}
        stop.set()
        for t in threads:
            t.join()
        assert set(codes) == {200}
        of = {e["request_id"]: e["artifact"] for e in client.get(at).json()["exposures"]}
        assert of[shown["request_id"]] == "shop-2"
        refused(client.post("/v1/admin/rollback"), 409, "conflict")
        assert "coldstart_release 2.0" in client.get("/metrics").text


def test_a_restart_and_other_services_serve_the_release(shop):
    with shop() as client, shop() as other:
        release(client, "shop-2")
        until(lambda: served(other) == {"shop-2": 1.0}, "the other service")
        other.post("/v1/admin/rollback")
        until(lambda: served(client) == {"shop": 1.0}, "the first service")
        release(other, "shop-3")
    shop.loads.clear()
    with shop() as client:
        assert served(client) == {"shop-3": 1.0}
        assert shop.loads == ["shop-3"]


def test_two_artifacts_share_the_traffic_until_one_has_it_all(shop):
    with shop() as client:
        before = begin(client)
        made = release(client, "shop-2", share=0.25)
        assert served(client) == {"shop": 0.75, "shop-2": 0.25}
        assert made["experiment"] == "release-1"
        paths = [begin(client) for _ in range(40)]
        sessions = [client.get(path).json()["session"] for path in paths]
        arms = [s["arm"] for s in sessions]
        assert {s["experiment"] for s in sessions} == {"release-1"}
        assert 0 < arms.count("shop-2") < 25
        assert {s["arm"]: s["artifact"] for s in sessions} == {
            "as started": "shop",
            "shop-2": "shop-2",
        }
        asked = {"subject": "customer 7", "k": 1, "strategy": "prior"}
        assert client.post("/v1/recommend", json=asked).json()["arm"] in ("as started", "shop-2")
        again = client.post("/v1/admin/release", json={"artifact": "shop-3", "share": 0.5})
        assert "A/B test is under way" in refused(again, 409, "conflict")["message"]
        client.post(paths[0] + "/feedback", json={"item_id": "i3", "kind": "like"})
        (one, two) = client.service.store.outcomes("release-1")
        assert one.units + two.units == 40
        assert one.successes + two.successes == 1
        release(client, "shop-2")
        assert served(client) == {"shop-2": 1.0}
        for path in (before, *paths[:5]):  # sessions go on, whichever arm they were of
            assert client.get(path + "/recommendations").status_code == 200


def test_what_cannot_be_loaded_is_not_released(shop):
    with shop() as client:
        (shop.folder / "broken").write_text("shop-2")
        made = client.post("/v1/admin/release", json={"artifact": "shop-2"})
        refused(made, 500, "reload_failed")
        assert served(client) == {"shop": 1.0}
        assert client.service.store.release() is None
        assert 'coldstart_reloads_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_a_release_that_is_gone_at_the_start_is_not_fatal(shop):
    with shop() as client:
        release(client, "shop-2")
    (shop.folder / "broken").write_text("shop-2")
    with shop() as client:
        assert served(client) == {"shop": 1.0}
        assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
        release(client, "shop-3")
        assert served(client) == {"shop-3": 1.0}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"artifact": "none"}, 404, "not_found"),
        ({"artifact": "../shop"}, 422, "invalid"),
        ({"artifact": "/etc"}, 422, "invalid"),
        ({"artifact": ".."}, 422, "invalid"),
        ({"artifact": "shop-2", "share": 0}, 422, "invalid"),
        ({"artifact": "shop-2", "share": 1.5}, 422, "invalid"),
        ({"folder": "shop-2"}, 422, "invalid"),
    ],
)
def test_only_artifacts_beside_it_are_taken_over(shop, body, status, error):
    with shop() as client:
        refused(client.post("/v1/admin/release", json=body), status, error)
        assert shop.loads == ["shop"]


def test_the_same_artifact_is_no_release(shop):
    with shop() as client:
        release(client, "shop-2")
        again = client.post("/v1/admin/release", json={"artifact": "shop-2"})
        assert "served already" in refused(again, 409, "conflict")["message"]


def test_releases_need_an_admin_key(shop):
    with shop(open=False) as client:
        key = client.service.store.create_key("shop").secret
        headers = {"Authorization": f"Bearer {key}"}
        for method, path in (("GET", "release"), ("POST", "release"), ("POST", "rollback")):
            body = {"json": {"artifact": "shop-2"}} if method == "POST" else {}
            got = client.request(method, f"/v1/admin/{path}", headers=headers, **body)
            assert got.status_code == 403, path
        assert client.service.store.release() is None


def test_a_test_of_a_file_is_not_replaced(shop):
    arms = [{"name": n, "artifact": str(shop.folder / "shop")} for n in "AB"]
    test = Experiment.model_validate({"name": "e", "arms": arms})
    with shop() as client:
        release(client, "shop-2")
    with serving(shop.folder, experiment=test, artifacts={"A": "toy", "B": "toy"}) as client:
        assert served(client) == {"toy": 0.5}
        refused(client.post("/v1/admin/release", json={"artifact": "x"}), 409, "conflict")
        refused(client.post("/v1/admin/rollback"), 409, "conflict")
