"""Tenants over HTTP: loaded on demand, evicted, reloaded."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from coldstart.errors import ArtifactError
from coldstart.serve import tenants as serving_tenants
from tests.serve.helpers import refused
from tests.serve.tenants.helpers import ASKED, ids, in_line, load, serving
from tests.waiting import PATIENCE, until


def test_changes_and_sessions_are_the_tenants_own_and_outlive_their_leaving(tmp_path):
    with serving(tmp_path, most=1) as client:
        at = client.post("/t/a/v1/sessions", json={}).json()["session_id"]
        assert client.put("/t/a/v1/items/new", json={"title": "Newcomer"}).status_code < 300
        assert client.delete("/t/a/v1/items/i5").status_code < 300
        refused(client.get("/t/b/v1/items/new"), 404, "not_found")
        refused(client.get(f"/t/b/v1/sessions/{at}"), 404, "not_found")
        assert client.get("/t/b/v1/items/i5").status_code == 200
        assert client.services.loaded == ("b",)
        assert client.get("/t/a/v1/items/new").json()["title"] == "Newcomer"
        refused(client.get("/t/a/v1/items/i5"), 404, "not_found")
        assert client.get(f"/t/a/v1/sessions/{at}").status_code == 200
        assert client.services.loaded == ("a",)


def test_who_leaves_stops_and_is_freed(tmp_path):
    made = []

    def noted(name):
        rec = load(name)
        made.append(weakref.ref(rec))
        return rec

    before = set(threading.enumerate())

    def workers():
        return [t for t in set(threading.enumerate()) - before if t.name == "recommender"]

    with serving(tmp_path, noted, most=1) as client:
        client.post("/t/a/v1/recommend", json=ASKED)
        running = client.services._running["a"]
        client.post("/t/b/v1/recommend", json=ASKED)
        assert not running.service.worker.alive
        assert not running.service.worker._thread.is_alive()
        del running
        gc.collect()
        assert made[0]() is None
        assert made[1]() is not None
        assert len(workers()) == 1
    assert not workers()


def test_who_is_busy_stays_and_is_answered(tmp_path):
    started, release = threading.Event(), threading.Event()

    def slow(name):
        rec = load(name)
        if name == "a":
            real = rec.resolve

            def resolve(*args, **more):
                if threading.current_thread().name == "recommender":
                    started.set()
                    assert release.wait(PATIENCE)
                return real(*args, **more)

            rec.resolve = resolve
        return rec

    with serving(tmp_path, slow, most=1) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, "/t/a/v1/recommend", json=ASKED)
        assert started.wait(PATIENCE)
        assert client.get("/t/b/healthz").status_code == 200  # the turn is a's; b need not work
        second = pool.submit(client.post, "/t/b/v1/recommend", json=ASKED)
        until(lambda: in_line(client.services._lock) == 2, "b behind a")
        assert "a" in client.services.loaded
        release.set()
        assert ids(first.result(PATIENCE)) == load("a").recommend(ASKED["profile"], k=5).item_ids
        assert ids(second.result(PATIENCE)) == load("b").recommend(ASKED["profile"], k=5).item_ids
        assert client.get("/t/b/v1/items").status_code == 200
        assert client.services.loaded == ("b",)


def test_while_one_loads_others_are_answered_and_all_who_wait_get_the_same_one(tmp_path):
    started, release, loads = threading.Event(), threading.Event(), []

    def slow(name):
        loads.append(name)
        if name == "a":
            started.set()
            assert release.wait(PATIENCE)
        return load(name)

    with serving(tmp_path, slow, queue=3) as client, ThreadPoolExecutor(4) as pool:
        client.post("/t/b/v1/recommend", json=ASKED)
        waiting = [pool.submit(client.post, "/t/a/v1/recommend", json=ASKED) for _ in range(3)]
        assert started.wait(PATIENCE)
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        until(lambda: client.services._waiting["a"] == 3, "three who wait for a")
        full = client.post("/t/a/v1/recommend", json=ASKED)
        refused(full, 503, "not_loaded")
        assert full.headers["retry-after"] == "1"
        release.set()
        assert all(ids(w.result(PATIENCE)) for w in waiting)
    assert loads == ["b", "a"]


def test_one_that_fails_to_load_is_refused_and_tried_again_later(tmp_path, monkeypatch):
    broken, loads, now = {"a"}, [], [0.0]
    monkeypatch.setattr(serving_tenants, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def fragile(name):
        loads.append(name)
        if name in broken:
            raise ArtifactError("ranker.json is damaged")
        return load(name)

    with serving(tmp_path, fragile) as client:
        for _ in range(2):
            response = client.post("/t/a/v1/recommend", json=ASKED)
            told = refused(response, 503, "not_loaded")
            assert "ranker" not in str(told)
            assert 1 <= int(response.headers["retry-after"]) <= 10
        assert loads == ["a"]
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        broken.clear()
        now[0] = serving_tenants._RETRY_SECONDS
        assert ids(client.post("/t/a/v1/recommend", json=ASKED))


def test_a_reload_is_of_all_and_one_that_fails_stays(tmp_path):
    broken = set()

    def fragile(name):
        if name in broken:
            raise ArtifactError("damaged")
        return load(name)

    with serving(tmp_path, fragile) as client:
        before = [
            ids(client.post(f"/t/{n}/v1/recommend", json=ASKED)) and n for n in ("a", "b", "c")
        ]
        recs = {n: client.services._running[n].service.worker._arms[""] for n in before}
        broken.add("b")
        client.portal.call(client.services.reload)
        now = {n: client.services._running[n].service.worker._arms[""] for n in before}
        assert [n for n in before if now[n] is recs[n]] == ["b"]
        assert refused(client.post("/t/b/v1/admin/reload"), 500, "reload_failed")
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        client.services.draining = True
        refused(client.get("/readyz"), 503, "not_ready")
        refused(client.get("/t/a/readyz"), 503, "not_ready")


def test_a_database_that_was_deleted_is_not_made_again_without_a_word(tmp_path):
    with serving(tmp_path, most=1) as client:
        for name in "ab":
            assert client.post(f"/t/{name}/v1/recommend", json=ASKED).status_code == 200
        assert client.get("/readyz").json() == {"status": "ready"}
        for file in tmp_path.glob("[ab].db*"):
            file.unlink()
        refused(client.get("/t/b/readyz"), 503, "not_ready")  # which is loaded
        refused(client.get("/readyz"), 503, "not_ready")  # no loaded one can write
        refused(client.post("/t/b/v1/sessions", json={}), 503, "store")
        refused(client.post("/t/a/v1/recommend", json=ASKED), 503, "not_loaded")
        assert not list(tmp_path.glob("[ab].db"))
        assert client.post("/t/c/v1/recommend", json=ASKED).status_code == 200
        assert client.get("/readyz").json() == {"status": "ready"}
