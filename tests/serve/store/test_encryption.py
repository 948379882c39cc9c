"""Sealed stores: no text in the files, keys that rotate."""

from __future__ import annotations

import json
import traceback

import pytest
from cryptography.fernet import Fernet

from coldstart.serve.store import NewEvent, Store, WrongKey, tables
from coldstart.testing.contracts.store_world import CANARY, begin, fill
from tests.serve.store.helpers import contents, rows


def test_sealed_text_is_nowhere_in_the_database(url, tmp_path, request):
    """In no file: not in the tables, not in the write-ahead log; without a key it is found."""
    if url.startswith("sqlite"):
        other, read = f"sqlite:///{tmp_path}/plain.db", lambda: contents(tmp_path)
    else:
        cluster = request.getfixturevalue("cluster")
        other, read = cluster.database(), cluster.contents
    sealed, plain = CANARY + "-sealed", CANARY + "-plain"
    with Store.open(url, secret_key=Fernet.generate_key().decode()) as store:
        assert store.encrypted
        session = begin(store, json.dumps({"about": sealed}))
        store.append(session.id, NewEvent("k", "say", None, sealed), session, 1)
        assert store.load(session.id).state == json.dumps({"about": sealed})
        assert store.events(session.id)[0].detail == sealed
        assert sealed.encode() not in read()
    assert sealed.encode() not in read()
    with Store.open(other) as store:
        assert not store.encrypted
        begin(store, json.dumps({"about": plain}))
        assert plain.encode() in read()


def test_a_key_that_does_not_fit_is_refused(url, monkeypatch):
    key, other = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("COLDSTART_SECRET_KEY", key)
    with Store.open(url) as store:
        assert store.encrypted
        session = begin(store)
    with pytest.raises(WrongKey, match="another key"):
        Store.open(url, secret_key=other)
    monkeypatch.delenv("COLDSTART_SECRET_KEY")
    with pytest.raises(WrongKey, match="no key was given.*COLDSTART_SECRET_KEY"):
        Store.open(url)
    for bad in ("password", key[:-2], f"{key},", "é"):
        with pytest.raises(WrongKey, match="malformed.*generate_key") as caught:
            Store.open(url, secret_key=bad)
        assert key not in "".join(traceback.format_exception(caught.value))
    with Store.open(url, secret_key=key) as store:
        assert store.load(session.id) == session


def test_keys_rotate_and_plain_stores_become_sealed(url, tmp_path):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    with Store.open(url) as store:
        with pytest.raises(WrongKey, match="no key to seal with"):
            store.reencrypt()
        sessions = [begin(store) for _ in range(5)]
        fill(store, sessions[0])
    with Store.open(url, secret_key=old) as store:
        assert store.load(sessions[0].id) == sessions[0]  # still plain
        assert store.reencrypt(batch=2) == 7
        assert store.reencrypt() == 0
        assert CANARY not in str([rows(store, t) for t in tables.metadata.sorted_tables])
        if url.startswith("sqlite"):
            assert CANARY.encode() not in contents(tmp_path)
        sessions.append(begin(store))
    with Store.open(url, secret_key=f"{new},{old}") as store:
        assert [store.load(s.id) for s in sessions] == sessions
        with Store.open(url, secret_key=old) as late:  # a process that has not heard of the new
            fresh = begin(store)
            with pytest.raises(WrongKey, match="another key"):
                late.load(fresh.id)
        assert store.reencrypt() == 8
    with Store.open(url, secret_key=new) as store:
        assert [store.load(s.id) for s in sessions] == sessions
        assert store.events(sessions[0].id)[0].detail == CANARY
    with pytest.raises(WrongKey, match="another key"):
        Store.open(url, secret_key=old)
