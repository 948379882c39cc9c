"""Requests made up from the OpenAPI document: none that it allows is a server error."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.serve.helpers import serving

schemathesis = pytest.importorskip("schemathesis")


def test_the_document_names_every_path_with_examples_and_errors(tmp_path):
    with serving(tmp_path) as client:
        document = client.get("/openapi.json").json()
    paths = {path for path in document["paths"] if path.startswith("/v1/")}
    assert len(paths) == 29
    bodies = 0
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            assert about["tags"], (method, path)
            assert about["summary"], (method, path)
            if path.startswith("/v1/"):
                assert {"401", "422", "429", "503"} <= set(about["responses"]), (method, path)
                error = about["responses"]["401"]["content"]["application/json"]["schema"]
                assert error == {"$ref": "#/components/schemas/ErrorBody"}
            content = about.get("requestBody", {}).get("content", {})
            if content:
                bodies += 1
                assert "example" in json.dumps([content, _named(content, document)]), path
    assert bodies >= 9


def _named(content, document):
    name = content["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"].get(name)


def test_no_request_that_the_document_allows_is_a_server_error(tmp_path):
    codes, failed = Counter(), []
    with serving(tmp_path, queue=50) as client:
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        known = client.post("/v1/sessions", json={}).json()["session_id"]
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path in _NOT_TRIED:
                continue

            @QUICK
            @given(operation.as_strategy())
            def ask(case):
                if "session_id" in case.path_parameters and codes.total() % 2:
                    case.path_parameters["session_id"] = known
                answer = send(client, case)
                codes[answer.status_code] += 1
                if answer.status_code >= 500:
                    failed.append((case.method, case.path, case.body, answer.text))

            ask()
    assert not failed
    assert codes.total() > 150
    assert codes[200] > 50
    assert codes[422] > 20


_NOT_TRIED = ("/v1/admin/reload", "/metrics")  # take no input
QUICK = settings(
    max_examples=15,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def send(client, case):
    """Send a made-up request as it is, cookies left out: there are none."""
    made = case.as_transport_kwargs(base_url="http://testserver")
    body = made.get("data")
    if not isinstance(body, bytes | str | None):
        body = json.dumps(body)
    if made.get("json") is not None:
        body = json.dumps(made["json"])
    headers = {k: v for k, v in made["headers"].items() if k.lower() != "content-length"}
    return client.request(
        made["method"], made["url"], params=made.get("params"), headers=headers, content=body
    )
