"""Limits: rates, sizes and depths of bodies, settings out of range."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.artifacts.format import MANIFEST
from coldstart.cli import main
from coldstart.errors import ConfigError
from coldstart.serve import limits
from coldstart.serve.errors import ApiError
from coldstart.serve.limits import RateLimiter, check_depth
from coldstart.serve.logs import JsonFormatter
from coldstart.serve.settings import ServeSettings, refuse_open_to_all, refuse_used_port
from tests.serve.helpers import begin, refused, serving


def test_long_bodies_are_refused_before_they_are_read(tmp_path):
    with serving(tmp_path, max_body=1000) as client:
        refused(client.post("/v1/recommend", content=b" " * 1001), 413, "too_large")
        pieces = (b" " * 600 for _ in range(100))
        refused(client.post("/v1/recommend", content=pieces), 413, "too_large")
        lying = {"content-length": "9" * 30}
        refused(client.post("/v1/recommend", content=b"{}", headers=lying), 413, "too_large")
        assert client.post("/v1/recommend", content=b"{}" + b" " * 900).status_code == 200


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 600))
def test_nobody_gets_more_than_a_bucket_and_its_refill(gaps, per_minute):
    now, taken = 0.0, 0
    limit = RateLimiter(lambda: now)
    for gap in gaps:
        now += gap
        wait = limit.take("k", per_minute)
        taken += not wait
        if wait:
            now += wait + 1e-6  # what it says is enough
            assert limit.take("k", per_minute) == 0
            taken += 1
        assert taken <= max(1, per_minute / 6) + now * per_minute / 60 + 1e-6


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_depth_is_that_of_the_json(value):
    def depth(x):
        inner = x.values() if isinstance(x, dict) else x if isinstance(x, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    body = json.dumps(value).encode()
    check_depth(body, max(1, depth(value)))
    if depth(value) > 1:
        with pytest.raises(ApiError, match="invalid"):
            check_depth(body, depth(value) - 1)


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 100_000, b'"a' * 100_001, b"\\" * 200_000])
def test_depth_of_strings_without_an_end(body):
    """A backtracking expression would take hours; benchmarks/steps.py says how long this takes."""
    check_depth(body, 5)
    with pytest.raises(ApiError, match="invalid"):
        check_depth(b"[" * 6 + body, 5)


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "_BODY_SECONDS", 0.05)

    async def never():
        await asyncio.Event().wait()

    with pytest.raises(ApiError, match="slow_body") as refusal:
        asyncio.run(limits.read_body(never, None, 100))
    assert refusal.value.status == 408


def test_settings_out_of_range_are_refused():
    for wrong in (
        {"queue": 0},
        {"deadline": -1},
        {"max_k": 0},
        {"drain": float("inf")},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            ServeSettings(**wrong)
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        refuse_open_to_all(host, open_mode=True)
    refuse_open_to_all("0.0.0.0", open_mode=False)


def test_other_loggers_are_named_not_quoted():
    record = logging.LogRecord("coldstart.x", 30, "f.py", 7, "secret %s", ("Zanzibarina",), None)
    line = json.loads(JsonFormatter().format(record))
    assert line["logger"] == "coldstart.x"
    assert "secret" not in str(line)
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_a_session_does_not_grow_without_limit(client, monkeypatch):
    monkeypatch.setattr("coldstart.serve.session_service.MOST_STATE", 2000)
    at = begin(client)
    liked = {"item_id": "i1", "kind": "like"}
    statuses = []
    while not statuses or statuses[-1] == 200:
        statuses.append(client.post(at + "/feedback", json=liked).status_code)
    assert len(statuses) > 5
    refused(client.post(at + "/feedback", json=liked), 409, "session_full")
    refused(client.post(at + "/text", json={"text": "drama"}), 409, "session_full")
    before = client.get(at).json()
    for path in ("/recommendations", "/rows"):
        assert client.post(at + path, json={"k": 3}).status_code == 200
    after = client.get(at).json()
    assert after["session"]["state"] == before["session"]["state"]
    assert len(after["exposures"]) == len(before["exposures"]) + 2
    assert client.delete(at).status_code == 204


def test_a_full_session_knows_what_it_accepted_and_lets_people_take_back(client, monkeypatch):
    at = begin(client)
    first, key = {"text": "Zanzibarina likes drama"}, {"Idempotency-Key": "k"}
    assert client.post(at + "/text", json=first, headers=key).status_code == 200
    size = len(client.service.store.load(at.rpartition("/")[2]).state)
    monkeypatch.setattr("coldstart.serve.session_service.MOST_STATE", size)
    refused(client.post(at + "/text", json=first), 409, "session_full")
    assert client.post(at + "/text", json=first, headers=key).status_code == 200
    other = client.post(at + "/text", json={"text": "other"}, headers=key)
    refused(other, 409, "key_reused")
    assert len(client.get(at).json()["events"]) == 1
    forget = {"item_id": "i1", "kind": "forget"}
    assert client.post(at + "/feedback", json=forget).status_code == 200
    like = client.post(at + "/feedback", json=forget | {"kind": "like"})
    refused(like, 409, "session_full")
    assert client.put(at + "/text", json={"text": "drama, and comedy"}).status_code == 200
    assert "Zanzibarina" not in client.service.store.load(at.rpartition("/")[2]).state


def test_a_port_that_is_in_use_is_told_before_anything_is_loaded(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1, port {port}: "):
            refuse_used_port("127.0.0.1", port)
        table = tmp_path / "items.csv"
        tenants = tmp_path / "t.toml"
        tenants.write_text('[a]\nartifact = "one"\ndb = "a.db"')
        (tmp_path / "one").mkdir()
        (tmp_path / "one" / MANIFEST).write_text("{}")
        serve = ["serve", "--open"]
        for command in (
            serve,
            [*serve, "--tenants", str(tenants)],
            ["start", str(table), "--open"],
        ):
            assert main([*command, "--port", str(port)]) == 2
            told = capsys.readouterr().err
            assert "cannot listen" in told
            assert "another --port" in told
        assert not (tmp_path / "a.db").exists()
    refuse_used_port("127.0.0.1", port)
    refuse_used_port("localhost", 0)


@pytest.mark.parametrize("host", ["a..b", "192.0.2.1"])
def test_an_address_that_cannot_be_listened_on_is_told_by_its_option(host):
    with pytest.raises(ConfigError, match=f"cannot listen on {host}, port 0: ") as told:
        refuse_used_port(host, 0)
    assert told.value.hint == "give --host an address of this machine, such as 127.0.0.1"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (PermissionError(errno.EACCES, "denied"), "above 1023"),
        (OverflowError("big"), "0 to 65535"),
        (socket.gaierror(socket.EAI_NONAME, "not known"), "give --host"),
    ],
)
def test_what_cannot_be_listened_on_is_told_by_what_is_wrong(monkeypatch, error, hint):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr("coldstart.serve.settings.socket.getaddrinfo", refuse)
    with pytest.raises(ConfigError, match="cannot listen on 127.0.0.1, port 80: ") as told:
        refuse_used_port("127.0.0.1", 80)
    assert hint in told.value.hint


def test_a_damaged_session_is_told_exported_and_erased(client):
    at = begin(client)
    store = client.service.store
    session = store.load(at.rpartition("/")[2])
    store.save(replace(session, state='"damaged"'), session.version)
    refused(client.get(at + "/recommendations"), 409, "session_damaged")
    refused(client.post(at + "/text", json={"text": "drama"}), 409, "session_damaged")
    assert client.get(at).json()["session"]["state"] == "damaged"
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE coldstart_sessions SET state = '0:{'")
    refused(client.get(at + "/recommendations"), 409, "session_damaged")
    assert client.get(at).json()["session"]["state"] == "{"
    assert client.delete(at).status_code == 204
