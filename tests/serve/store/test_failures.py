"""Errors of the database, and what they may say."""

from __future__ import annotations

import logging
import re
import sqlite3
import traceback

import pytest
from sqlalchemy import select, text

from coldstart.serve.store import NewEvent, Store, StoreBusy, StoreUnavailable, engine, tables
from coldstart.testing.contracts.store_world import CANARY, begin, fill
from tests.serve.store.helpers import contents


def test_nothing_private_is_in_errors_or_logs(url, caplog):
    for name in (None, "sqlalchemy", "sqlalchemy.engine", "alembic", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    with Store.open(url) as store:
        session = begin(store)
        fill(store, session)
        with store._writer.begin() as connection:
            for table in ("events", "exposures", "sessions", "meta"):
                connection.execute(text(f"DROP TABLE coldstart_{table}"))
        for use in (
            store.ping,
            lambda: begin(store),
            lambda: store.load(session.id),
            lambda: store.save(session, 1),
            lambda: store.append(session.id, NewEvent("k", "like", None, CANARY)),
            lambda: store.erase(session.id),
        ):
            with pytest.raises(StoreUnavailable, match="SQLITE_ERROR|UndefinedTable") as caught:
                use()
            shown = "".join(traceback.format_exception(caught.value))
            assert not re.search(f"{CANARY}|{session.id}|SELECT|INSERT", shown)
            assert not re.search(f"{CANARY}|{session.id}", str(caught.value.__context__))
    assert caplog.text  # Alembic's, if no other
    assert not re.search(f"{CANARY}|{session.id}", caplog.text)


def test_who_waits_too_long_is_told_to_try_again(url, monkeypatch):
    monkeypatch.setattr(engine, "WAIT", 0.3)
    with Store.open(url) as store, Store.open(url) as other:
        session = begin(store)
        with other._writer.begin() as connection:
            connection.execute(select(tables.sessions).with_for_update()).all()
            with pytest.raises(StoreBusy, match="too long.*try again"):
                store.append(session.id, NewEvent("k", "like"))
            assert store.load(session.id) == session  # readers do not wait
        assert not store.append(session.id, NewEvent("k", "like")).repeated


def test_lost_connections_are_replaced(cluster):
    with Store.open(cluster.database()) as store:
        session = begin(store)
        cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        store.ping()
        assert store.load(session.id) == session


def test_a_reader_in_the_way_does_not_stop_an_erasure(sqlite_url, tmp_path):
    with Store.open(sqlite_url) as store:
        session, other = begin(store), begin(store, "{}")
        reader = sqlite3.connect(tmp_path / "people.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM coldstart_sessions").fetchall()
        assert store.erase(session.id)
        reader.close()
        store.erase(other.id)
        assert CANARY.encode() not in contents(tmp_path)
