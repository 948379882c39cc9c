"""Tenants over HTTP: each its own API, keys, limits and numbers."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coldstart.serve.store import Store, StoreUnavailable
from coldstart.serve.tenants_config import Tenant
from tests.serve.helpers import refused
from tests.serve.tenants.helpers import ASKED, CATALOGS, ids, load, serving


def test_each_tenant_has_the_whole_api(shared):
    for name in CATALOGS:
        got = shared.post(f"/t/{name}/v1/recommend", json=ASKED)
        assert ids(got) == load(name).recommend(ASKED["profile"], k=5).item_ids
        at = shared.post(f"/t/{name}/v1/sessions", json={}).json()["session_id"]
        assert shared.get(f"/t/{name}/v1/sessions/{at}").status_code == 200
        assert "/v1/recommend" in shared.get(f"/t/{name}/openapi.json").json()["paths"]
        assert "page/app.js" in shared.get(f"/t/{name}/").text
        assert shared.get(f"/t/{name}/page/app.js").headers["content-type"].startswith("text/java")
        assert shared.get(f"/t/{name}/readyz").json() == {"status": "ready"}
    sent = shared.get("/t/a", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (308, "a/")


@pytest.mark.parametrize(
    "path",
    ["/", "/t", "/t/", "/t/x", "/t/x/v1/recommend", "/v1/recommend", "/t/A/", "/openapi.json"]
    + ["/t/a/none", "/t/a/v1/recommend/", "/t/a/t/b/healthz", "/t/a//healthz", "/docs", "/t//"],
)
def test_what_is_not_there_is_404_in_our_form(shared, path):
    response = shared.get(path)
    refused(response, 404, "not_found")
    assert response.headers["x-content-type-options"] == "nosniff"
    for name in CATALOGS:
        assert f"/{name}" not in response.text


def test_the_process_has_health_and_numbers(shared):
    shared.post("/t/a/v1/recommend", json=ASKED)
    shared.post("/t/b/v1/recommend", json=ASKED)
    assert shared.get("/healthz").json() == {"status": "ok"}
    assert shared.get("/readyz").json() == {"status": "ready"}
    no = shared.post("/healthz")
    refused(no, 405, "method_not_allowed")
    assert no.headers["allow"] == "GET"


def _families(client, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    text = client.get("/metrics", headers=headers).text
    return {f.name: f.samples for f in text_string_to_metric_families(text)}


def _answered(families):
    return [
        s
        for s in families["coldstart_requests"]
        if s.labels["route"] == "/v1/recommend" and s.labels["status"] == "200"
    ]


def test_only_the_key_of_the_metrics_shows_tenants(shared, monkeypatch):
    shared.post("/t/a/v1/recommend", json=ASKED)
    shared.post("/t/b/v1/recommend", json=ASKED)
    monkeypatch.setenv("COLDSTART_METRICS_KEY", "the key")
    named = _families(shared, "the key")
    by_tenant = {s.labels["tenant"]: s.value for s in named["coldstart_items"]}
    assert by_tenant["a"] == len(CATALOGS["a"])
    assert by_tenant["b"] == len(CATALOGS["b"])
    answered = {s.labels["tenant"]: s.value for s in _answered(named)}
    assert set(answered) >= {"a", "b"}
    for key in (None, "another", ""):
        added = _families(shared, key)
        assert not any("tenant" in s.labels for samples in added.values() for s in samples)
        (items,) = added["coldstart_items"]
        assert items.value == sum(by_tenant.values())
        (lists,) = _answered(added)
        assert lists.value == sum(answered.values())
        buckets = [s for s in added["coldstart_batch_size"] if s.name.endswith("_bucket")]
        assert len(buckets) == len({s.labels["le"] for s in buckets})
    monkeypatch.delenv("COLDSTART_METRICS_KEY")
    assert not any("tenant" in s.labels for s in _families(shared, "the key")["coldstart_items"])


def test_item_ids_keep_their_slashes_behind_the_prefix(tmp_path):
    with serving(tmp_path) as client:
        for sent in ("x%2Faudience", "a/b"):
            at = f"/t/a/v1/items/{sent}"
            assert client.put(at, json={"title": "Between Slashes"}).status_code == 200
            assert client.get(at).json()["item_id"] == sent.replace("%2F", "/")
            assert client.get(at.replace("/t/", "/%74/")).status_code == 200
            assert client.delete(at).status_code == 204


def test_wrong_keys_are_limited_whether_a_tenant_is_loaded_or_not(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/a.db") as store:
        good = {"x-api-key": store.create_key("someone", rate_limit=None).secret}
    with serving(tmp_path, open=False, wrong_keys=6) as client:
        assert client.get("/t/a/v1/items", headers=good).status_code == 200
        codes = []
        for n in range(8):
            wrong = {"x-api-key": f"cs_{n:016x}_x"}
            codes.append(client.get(f"/t/{'ab'[n % 2]}/v1/items", headers=wrong).status_code)
        assert codes[0] == 401
        assert codes[-1] == 429
        assert client.get("/t/a/v1/items", headers=good).status_code == 200


def test_another_host_is_refused_everywhere(shared):
    for path in ("/healthz", "/t/a/", "/t/a/v1/items", "/t/x/"):
        refused(shared.get(path, headers={"host": "evil.example"}), 421, "wrong_host")


def test_limits_are_the_tenants_own(tmp_path):
    with serving(tmp_path, own={"a": {"max_k": 2}}) as client:
        refused(client.post("/t/a/v1/recommend", json=ASKED), 422, "invalid")
        assert len(ids(client.post("/t/b/v1/recommend", json=ASKED))) == 5


def test_a_key_is_worth_nothing_at_another_tenant_and_strangers_load_nothing(tmp_path):
    keys = {}
    for name in "ab":
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            keys[name] = store.create_key("someone", rate_limit=None, admin=True).secret
    with serving(tmp_path, open=False) as client:

        def ask(tenant, key, path="/v1/recommend"):
            headers = {"authorization": f"Bearer {keys[key]}"} if key else {}
            return client.post(f"/t/{tenant}{path}", json=ASKED, headers=headers)

        for key in (None, "b"):
            refused(ask("a", key), 401, "unauthorized")
            refused(ask("a", key, "/openapi.json"), 401, "unauthorized")
        assert client.get("/t/a/").status_code == client.get("/t/a/page/app.js").status_code == 200
        assert client.get("/t/a/readyz").status_code == client.get("/t/a/healthz").status_code
        refused(client.get("/t/a/page/none"), 404, "not_found")
        assert client.services.loaded == ()
        assert ids(ask("a", "a"))
        assert ids(ask("b", "b"))
        for tenant, key in (("a", "b"), ("b", "a"), ("a", None), ("c", "a")):
            refused(ask(tenant, key), 401, "unauthorized")
        # A path that repeats the prefix must not pass behind the gate's back.
        for path in ("/t/a/v1/recommend", "/t/b/v1/recommend", "//v1/recommend"):
            refused(ask("a", None, path), 404, "not_found")
        assert set(client.services.loaded) == {"a", "b"}


def test_a_store_that_does_not_answer_is_told(tmp_path, monkeypatch):
    with serving(tmp_path, open=False) as client:

        def away(tenant, **options):
            raise StoreUnavailable("the server at db.example is away")

        monkeypatch.setattr(Tenant, "open", away)
        response = client.get("/t/a/v1/items", headers={"x-api-key": "k"})
        assert "db.example" not in str(refused(response, 503, "store"))


def test_monitors_keep_nobody_in_memory(tmp_path):
    with serving(tmp_path, most=2) as client:
        for name in "ab":
            client.get(f"/t/{name}/v1/items")
        client.get("/t/a/healthz")
        client.get("/t/c/healthz")
        client.get("/t/c/v1/items")
        assert client.services.loaded == ("b", "c")
