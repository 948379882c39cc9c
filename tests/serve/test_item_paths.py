"""Paths: any item id, methods that a path does not have, slashes at the end."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.item_paths import encode_item_id, strip_raw_path
from tests.serve.helpers import refused

IDS = [
    "a/b",
    "a/audience",
    "/a",
    "a/",
    "//",
    "%2F",
    "100%",
    "%25",
    "..",
    "../i1",
    ".",
    "a b",
    "a+b",
    "?x=1",
    "#x",
    "ä 電影 🎬",
    "a\\b",
    "a;b,c&d=e",
    "audience",
]


@pytest.mark.parametrize("item_id", IDS)
def test_any_id_can_be_read_changed_and_deleted(client, item_id):
    added = {"items": [{"item_id": item_id, "title": "Some Film", "categories": ["Drama"]}]}
    assert client.post("/v1/items", json=added).json() == {"added": 1, "updated": 0}
    at = "/v1/items/" + quote(item_id, safe="").replace(".", "%2E")
    assert client.get(at).json()["item_id"] == item_id
    assert client.patch(at, json={"year": 1999}).json()["year"] == 1999
    assert client.put(at, json={"title": "Another Film"}).json()["title"] == "Another Film"
    audience = client.get(at + "/audience")
    assert audience.status_code == 200
    assert audience.json()["item_id"] == item_id
    assert client.delete(at).status_code == 204
    refused(client.get(at), 404, "not_found")
    assert client.get("/v1/items?limit=500").json()["total"] == 24


def test_slashes_may_come_as_they_are(client):
    assert client.put("/v1/items/shop/7", json={"title": "Some Film"}).status_code == 200
    assert client.get("/v1/items/shop/7").json()["item_id"] == "shop/7"
    assert client.get("/v1/items/shop%2F7").json()["item_id"] == "shop/7"
    assert client.get("/v1/items/shop/7/audience").json()["item_id"] == "shop/7"


@pytest.mark.parametrize("sent", ["", "x" * 201, quote("é" * 201)])
def test_an_id_has_a_length(shared, sent):
    refused(shared.get(f"/v1/items/{sent}"), 422, "invalid")


@given(st.text(min_size=1))
def test_an_id_survives_its_way_through_the_path(item_id):
    safe = item_id.encode("utf-8", "replace").decode()
    scope = {"path": f"/v1/items/{safe}", "raw_path": b"/v1/items/" + quote(safe, "").encode()}
    encode_item_id(scope)
    assert scope["path"] == f"/v1/items/{quote(safe, '')}"
    for lost in (None, b"", b"/other"):
        scope = {"path": f"/v1/items/{safe}", "raw_path": lost}
        encode_item_id(scope)
        assert scope["path"] == "/v1/items/" + quote(safe)
    outer = {
        "path": f"/t/a/v1/items/{safe}",
        "raw_path": b"/%74/a/v1/items/" + quote(safe, "").encode(),
    }
    inner = f"/v1/items/{safe}"
    assert strip_raw_path(outer, inner) == b"/v1/items/" + quote(safe, "").encode()
    assert strip_raw_path({"path": "/t/a" + inner, "raw_path": b"/x"}, inner) == b""


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/healthz", "GET"),
        ("DELETE", "/metrics", "GET"),
        ("PUT", "/v1/items", "GET, POST"),
        ("POST", "/v1/items/i1", "GET, PUT, PATCH, DELETE"),
        ("GET", "/v1/recommend", "POST"),
        ("PATCH", "/v1/sessions/" + "x" * 32, "GET, DELETE"),
        ("PUT", "/v1/sessions/" + "x" * 32 + "/recommendations", "GET, POST"),
        ("NONSENSE", "/openapi.json", "GET"),
    ],
)
def test_a_method_that_a_path_lacks_is_told_with_those_it_has(shared, method, path, allowed):
    answer = shared.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/healthz/", "/metrics/", "/v1/items/", "/v1/recommend/", "/page/"]
)
def test_nothing_is_sent_to_the_host_of_the_request(shared, path):
    answer = shared.get(path, headers={"Host": "testserver"}, follow_redirects=False)
    assert answer.status_code in (404, 422)
    assert "location" not in answer.headers
