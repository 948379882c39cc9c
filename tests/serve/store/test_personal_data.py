"""Export, erasure and deletion of a person's data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coldstart.serve.store import Deleted, SessionNotFound, Store, new_session_id, tables
from coldstart.testing.contracts.store_world import CANARY, begin, fill, show
from tests.serve.store.helpers import contents, rows


def test_a_person_gets_all_their_data(store):
    session, other = begin(store, experiment="e", arm="A"), begin(store)
    fill(store, session)
    fill(store, other)
    data = json.loads(json.dumps(store.export(session.id)))
    assert data["session"]["state"] == {"about": CANARY}
    assert data["session"]["id"] == session.id
    assert data["session"]["created"] == session.created.isoformat()
    assert [e["detail"] for e in data["events"]] == [CANARY, ""]
    assert [e["item_ids"] for e in data["exposures"]] == [["50", "181"]]
    assert set(data["session"]) == set(tables.sessions.c.keys())
    own = {"session_id"}
    assert set(data["events"][0]) == set(tables.events.c.keys()) - own
    assert set(data["exposures"][0]) == set(tables.exposures.c.keys()) - own - {"seq"}
    with pytest.raises(SessionNotFound, match="no such session"):
        store.export(new_session_id())


def test_erasing_leaves_nothing_of_a_person_and_all_of_others(store):
    session, other = begin(store), begin(store)
    fill(store, session)
    fill(store, other)
    kept = store.export(other.id)
    assert store.erase(session.id) == Deleted(1, 2, 1)
    for table in tables.metadata.sorted_tables:
        assert session.id not in str(rows(store, table))
    assert store.export(other.id) == kept
    assert store.erase(session.id) == Deleted()
    with pytest.raises(SessionNotFound, match="no such session"):
        store.load(session.id)


def test_every_table_that_refers_to_a_session_is_erased_and_exported():
    """A table added later must be added to ``personal``, too."""
    refer = {t.name for t in tables.metadata.sorted_tables if "session_id" in t.c}
    assert refer == {tables.events.name, tables.exposures.name}


def test_erased_text_is_gone_from_the_file(sqlite_url, tmp_path):
    with Store.open(sqlite_url) as store:
        for _ in range(5):
            session = begin(store, json.dumps(CANARY * 1000))
            fill(store, session)
            store.save(replace(session, state=f'"{CANARY}"'), 1)
            assert CANARY.encode() in contents(tmp_path)
            store.erase(session.id)
            assert CANARY.encode() not in contents(tmp_path)


def test_no_kept_insert_holds_what_was_inserted(sqlite_url):
    """SQLAlchemy keeps the first statement of each kind, with the values that are part of it."""
    with Store.open(sqlite_url) as store:
        session = begin(store)
        store.expose(session.id, f"{CANARY} request", [f"{CANARY} item"])
        shown = show(store, f"{CANARY} subject", [f"{CANARY} item"])
        store.record(shown, f"{CANARY} key", "like", f"{CANARY} item")
        kept = [value for value in store._engine._compiled_cache.values() if value.isinsert]
        assert len(kept) >= 4
        assert CANARY not in str([value.params for value in kept])
