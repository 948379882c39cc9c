"""Reloads, restarts and the end of a service: what outlives them."""

from __future__ import annotations

import threading

from coldstart.errors import ArtifactError
from tests.serve.helpers import CANARY, begin, in_background, refused, serving
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until


def test_sessions_outlive_the_process(tmp_path):
    with serving(tmp_path) as client:
        at = begin(client, profile={"age": 30})
        client.post(at + "/feedback", json={"item_id": "i3", "kind": "like"})
    with serving(tmp_path) as client:
        got = client.get(at + "/recommendations").json()
        assert "i3" not in [line["item_id"] for line in got["items"]]
        assert "Star Wars" in str(got)


def test_changes_survive_a_reload_and_a_restart_and_reach_others(tmp_path):
    with serving(tmp_path) as client:
        client.put("/v1/items/new", json={"title": "Newcomer"})
        client.delete("/v1/items/i5")
        assert client.post("/v1/admin/reload").json() == {"status": "reloaded"}
        assert client.get("/v1/items/new").status_code == 200
        with serving(tmp_path) as other:
            assert other.get("/v1/items/new").status_code == 200
            assert other.get("/v1/items/i5").status_code == 404
            client.put("/v1/items/late", json={"title": "Latecomer"})
            until(lambda: other.get("/v1/items/late").status_code == 200, "the other process")
            assert other.get("/v1/items/late").json()["title"] == "Latecomer"


def test_reload_swaps_while_requests_go_on(tmp_path):
    made = []

    def load(folder):
        made.append(toy_recommender())
        return made[-1]

    with serving(tmp_path, load) as client:
        codes, stop = [], threading.Event()

        def keep_asking():
            while not stop.is_set():
                codes.append(client.post("/v1/recommend", json={"k": 1}).status_code)

        threads, _ = in_background(keep_asking, 3)
        until(lambda: codes, "the first answer")
        assert client.post("/v1/admin/reload").status_code == 200
        stop.set()
        for t in threads:
            t.join()
        assert set(codes) == {200}
        assert client.service.worker._arms[""] is made[1]


def test_a_reload_that_fails_keeps_the_old_one(tmp_path):
    loads = []

    def load(folder):
        loads.append(folder)
        if len(loads) > 1:
            raise ArtifactError(f"damaged {CANARY}")
        return toy_recommender()

    with serving(tmp_path, load) as client:
        assert CANARY not in str(refused(client.post("/v1/admin/reload"), 500, "reload_failed"))
        assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
        assert 'coldstart_reloads_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_readiness_goes_first_and_those_in_flight_are_answered(client):
    assert client.get("/readyz").json() == {"status": "ready"}
    client.service.draining = True
    refused(client.get("/readyz"), 503, "not_ready")
    assert client.get("/healthz").status_code == 200
    assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
    client.service.worker.stop(PATIENCE)
    refused(client.post("/v1/recommend", json={"k": 1}), 503, "closing")
