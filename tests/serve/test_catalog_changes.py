"""Changes of the catalog: all or none, logged first, none lost, whatever fails on the way."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from coldstart.serve.store import StoreUnavailable, catalog_log
from tests.serve.helpers import refused, serving
from tests.waiting import until

ITEM = {"title": "Robots of Dawn", "year": 1984}


def everything(client):
    page = client.get("/v1/items?limit=500").json()
    return {item["item_id"]: item for item in page["items"]}


def log(client):
    return [(c.kind, c.item_id) for c in client.service.store.changes()]


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that takes no change of the catalog; gives a function that frees it."""
    insert = catalog_log._insert

    def full(*args):
        insert(*args)  # undone with the transaction
        raise StoreUnavailable("SQLite: SQLITE_FULL")

    monkeypatch.setattr(catalog_log, "_insert", full)
    return lambda: monkeypatch.setattr(catalog_log, "_insert", insert)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/items/i0", {"title": "Another"}),
        ("PUT", "/v1/items/i0", {"title": "Another"}),
        ("PUT", "/v1/items/x", {"title": "New"}),
        ("DELETE", "/v1/items/i0", None),
        (
            "POST",
            "/v1/items",
            {"items": [{"item_id": "i0", "title": "A"}, {"item_id": "x", **ITEM}]},
        ),
    ],
)
def test_a_full_disk_changes_nothing(client, full_disk, method, path, body):
    before = everything(client)
    refused(client.request(method, path, json=body), 503, "store")
    assert everything(client) == before
    assert log(client) == []
    full_disk()
    assert client.request(method, path, json=body).status_code in (200, 204)
    assert everything(client) != before


def test_a_bulk_put_with_one_bad_item_changes_nothing(client, tmp_path):
    before = everything(client)
    good = {"item_id": "g", "title": "Good"}
    for bad in (
        {"item_id": "b\0", "title": "Bad"},
        {"item_id": "b", "title": "\x01"},
        {"item_id": "g", "title": "The same id"},
    ):
        refused(
            client.post("/v1/items", json={"items": [good, bad, good | {"item_id": "h"}]}),
            422,
            "invalid",
        )
    raw = b'{"items": [{"item_id": "g", "title": "Good"}, {"item_id": "\\ud800", "title": "Bad"}]}'
    assert client.post("/v1/items", content=raw).status_code == 422
    assert everything(client) == before
    assert log(client) == []


def breaks(client, title):
    """Make the model refuse a title, but only when the item is applied."""
    rec = client.service.worker._arms[""]
    sync = rec.item_store.sync

    def picky():
        if any(item.title == title for item in rec.catalog):
            raise RuntimeError("no vector for that")
        sync()

    rec.item_store.sync = picky


def test_what_a_model_refuses_after_all_is_taken_back(tmp_path):
    items = [{"item_id": "i0", "title": "Fine"}, {"item_id": "x", "title": "Cursed"}]
    with serving(tmp_path) as client:
        before = everything(client)
        breaks(client, "Cursed")
        refused(client.post("/v1/items", json={"items": items}), 422, "invalid")
        assert everything(client) == before
        assert client.put("/v1/items/y", json=ITEM).status_code == 200
    with serving(tmp_path) as client:
        assert everything(client) == before | {"y": everything(client)["y"]}
        assert client.service.catalog.set_aside == {}


def test_what_cannot_be_taken_back_is_set_aside_as_a_whole(tmp_path, monkeypatch):
    items = [{"item_id": "i0", "title": "Fine"}, {"item_id": "x", "title": "Cursed"}]
    with serving(tmp_path) as client:
        before = everything(client)
        breaks(client, "Cursed")
        once = client.service.store.log_changes

        def only_once(changes, after=None):
            monkeypatch.setattr(client.service.store, "log_changes", fails)
            return once(changes, after=after)

        def fails(*_, **__):
            raise StoreUnavailable("SQLite: SQLITE_FULL")

        monkeypatch.setattr(client.service.store, "log_changes", only_once)
        refused(client.post("/v1/items", json={"items": items}), 422, "invalid")
        assert everything(client) == before
        assert set(client.service.catalog.set_aside.values()) == {"i0", "x"}
        assert "coldstart_catalog_changes_set_aside 2.0" in client.get("/metrics").text
        monkeypatch.setattr(client.service.store, "log_changes", once)
        assert client.put("/v1/items/x", json=ITEM).status_code == 200
        assert set(client.service.catalog.set_aside.values()) == {"i0"}


def test_concurrent_updates_of_one_item_lose_no_field(tmp_path):
    """By threads of two services with one database."""
    with serving(tmp_path) as one, serving(tmp_path) as other:
        one.put("/v1/items/x", json={"title": "X", "attributes": {}})
        fields = [{"year": 1999}, {"description": "d"}, {"categories": ["Drama"]}, {"min_age": 12}]
        for body in fields:  # another value first, so that each has something to change
            one.patch("/v1/items/x", json={name: None for name in body})
        go = threading.Barrier(len(fields))

        def has_all(item):
            return all(item[name] == value for body in fields for name, value in body.items())

        def patch(n):
            go.wait()
            return (one, other)[n % 2].patch("/v1/items/x", json=fields[n]).status_code

        with ThreadPoolExecutor(len(fields)) as pool:
            assert list(pool.map(patch, range(len(fields)))) == [200] * len(fields)
        for client in (one, other):
            until(lambda c=client: has_all(c.get("/v1/items/x").json()), "all four fields")


def test_what_another_process_has_just_changed_is_there_for_the_next_change(tmp_path):
    with serving(tmp_path) as one, serving(tmp_path) as other:
        for n in range(3):
            tag = one.put(f"/v1/items/x{n}", json={"title": "X"}).headers["etag"]
            got = other.patch(f"/v1/items/x{n}", json={"year": 1}, headers={"If-Match": tag})
            assert (got.status_code, got.json()["title"]) == (200, "X")
            refused(
                one.put(f"/v1/items/x{n}", json=ITEM, headers={"If-Match": tag}), 412, "changed"
            )
            assert one.delete(f"/v1/items/x{n}").status_code == 204
            refused(other.patch(f"/v1/items/x{n}", json={"year": 2}), 404, "not_found")


def test_versions_guard_updates(client):
    made = client.put("/v1/items/x", json=ITEM)
    tag = made.headers["etag"]
    assert client.get("/v1/items/x").headers["etag"] == tag
    newer = client.patch("/v1/items/x", json={"year": 1985}, headers={"If-Match": tag})
    assert newer.status_code == 200
    assert newer.headers["etag"] != tag
    old = {"If-Match": tag}
    refused(client.patch("/v1/items/x", json={"year": 1}, headers=old), 412, "changed")
    refused(client.put("/v1/items/x", json=ITEM, headers=old), 412, "changed")
    refused(client.delete("/v1/items/x", headers=old), 412, "changed")
    refused(client.put("/v1/items/y", json=ITEM, headers={"If-Match": "*"}), 412, "changed")
    only_new = {"If-None-Match": "*"}
    refused(client.put("/v1/items/x", json=ITEM, headers=only_new), 412, "changed")
    assert client.put("/v1/items/y", json=ITEM, headers=only_new).status_code == 200
    both = {"If-Match": f'"other", {newer.headers["etag"]}'}
    assert client.delete("/v1/items/x", headers=both).status_code == 204


BAD_ROWS = {
    "no JSON": ("update", "i1", "{", "2026-01-01 00:00:00"),
    "no item": ("update", "i1", '{"item_id": "i1"}', "2026-01-01 00:00:00"),
    "another's item": ("update", "i1", '{"item_id": "i2", "title": "X"}', "2026-01-01 00:00:00"),
    "no text": ("update", "i1", b"\xff\xfe", "2026-01-01 00:00:00"),
    "no item at all": ("update", "i1", None, "2026-01-01 00:00:00"),
    "no kind": ("drop", "i1", None, "2026-01-01 00:00:00"),
    "no time": ("update", "i1", '{"item_id": "i1", "title": "X"}', "yesterday"),
    "no title": ("update", "i1", '{"item_id": "i1", "title": "\\u0001"}', "2026-01-01 00:00:00"),
    "deep": ("update", "i1", "[" * 100_000, "2026-01-01 00:00:00"),
}


@pytest.mark.parametrize("row", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_in_the_log_is_set_aside_and_stops_nothing(tmp_path, logged, row):
    with serving(tmp_path) as client:
        client.put("/v1/items/i1", json={"title": "The last good one"})
        client.put("/v1/items/new", json=ITEM)
    insert = "INSERT INTO coldstart_catalog_changes (kind, item_id, item, at) VALUES (?, ?, ?, ?)"
    with sqlite3.connect(tmp_path / "people.db") as connection:
        connection.execute(insert, row)
    connection.close()
    for _ in range(2):  # compaction keeps the last good state
        with serving(tmp_path) as client:
            assert client.get("/v1/items/i1").json()["title"] == "The last good one"
            assert client.get("/v1/items/new").status_code == 200
            assert client.get("/readyz").status_code == 200
            assert "coldstart_catalog_changes_set_aside 1.0" in client.get("/metrics").text
    assert "catalog_change_set_aside" in logged.getvalue()
    with serving(tmp_path) as client:
        client.put("/v1/items/i1", json={"title": "Put again"})
    with serving(tmp_path) as client:
        assert client.get("/v1/items/i1").json()["title"] == "Put again"


def test_the_log_is_compacted(tmp_path):
    with serving(tmp_path) as client:
        for n in range(30):
            client.patch("/v1/items/i0", json={"year": 1900 + n})
        client.delete("/v1/items/i1")
        assert len(log(client)) == 31
        before = everything(client)
    with serving(tmp_path) as client:
        assert log(client) == [("update", "i0"), ("remove", "i1")]
        assert everything(client) == before
        client.patch("/v1/items/i0", json={"year": 2000})
        assert client.portal.call(client.service.purge) is None
        assert log(client) == [("remove", "i1"), ("update", "i0")]


def test_a_list_is_not_called_too_short_for_what_its_elements_lack(shared):
    body = {"items": [{"item_id": "b", "title": ""}, {"item_id": "c", "titel": "x", "title": "C"}]}
    said = refused(shared.post("/v1/items", json=body), 422, "invalid")["message"]
    assert said == (
        "body.items.0.title: String should have at least 1 character; "
        "body.items.1: a field that is not known here: did you mean 'title'?"
    )
