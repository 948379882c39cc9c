"""Opening, making and migrating a database."""

from __future__ import annotations

import stat
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text
from sqlalchemy import inspect as tables_of

from coldstart.errors import MissingExtraError
from coldstart.serve.store import Store, StoreError, StoreUnavailable, WrongRevision, tables
from coldstart.serve.store.migrate import VERSION_TABLE, config
from coldstart.testing.contracts.store_world import CANARY, begin
from tests.serve.store.helpers import rows


def revisions():
    return [s.revision for s in ScriptDirectory.from_config(config(None)).walk_revisions()][::-1]


def test_an_empty_database_gets_tables_as_declared(store):
    assert store.revision == revisions()[-1]
    with store._engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []


@pytest.mark.parametrize("start", ["base", *revisions()])
def test_every_earlier_revision_is_migrated(url, start):
    with Store.open(url) as store, store._writer.begin() as connection:
        command.downgrade(config(connection), start)
    if start != revisions()[-1]:
        with pytest.raises(WrongRevision, match="create=True"):
            Store.open(url, create=False)
    with Store.open(url) as store:
        begin(store)
        with store._engine.begin() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            assert compare_metadata(context, tables.metadata) == []
    with Store.open(url, create=False) as store:
        assert len(rows(store, tables.sessions)) == 1


def test_a_newer_database_is_refused_and_left_alone(url):
    with Store.open(url) as store:
        session = begin(store)
        with store._writer.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for create in (True, False):
        with pytest.raises(WrongRevision, match="revision 9999.*up to 0003.*upgrade coldstart"):
            Store.open(url, create=create)
    engine_ = create_engine(url)
    with engine_.connect() as connection:
        assert connection.scalar(text("SELECT id FROM coldstart_sessions")) == session.id
    engine_.dispose()


def test_a_migration_that_fails_changes_nothing(url, monkeypatch):
    create_table, made = op.create_table, []

    def fail_later(*args, **more):
        if len(made) == 3:
            raise RuntimeError("the fourth table")
        made.append(create_table(*args, **more))

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", fail_later)
        with pytest.raises(RuntimeError, match="the fourth table"):
            Store.open(url)
    engine_ = create_engine(url)
    assert tables_of(engine_).get_table_names() == []
    engine_.dispose()
    with Store.open(url) as store:
        begin(store)


def test_nothing_is_made_unless_asked_for(url, tmp_path):
    with pytest.raises(WrongRevision, match="create=True"):
        Store.open(url, create=False)
    assert not list(tmp_path.iterdir())


def test_another_applications_tables_are_left_alone(url):
    engine_ = create_engine(url)
    with engine_.begin() as connection:
        for table in ("sessions", "alembic_version"):
            connection.execute(text(f"CREATE TABLE {table} (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    with Store.open(url) as store:
        begin(store)
    with engine_.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
    engine_.dispose()


def test_many_may_open_a_new_database_at_once(url):
    barrier = threading.Barrier(6)

    def open_it(_):
        barrier.wait()
        with Store.open(url, secret_key=key) as store:
            return begin(store).id

    key = Fernet.generate_key().decode()
    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(open_it, range(6)))) == 6


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ("people.db", "malformed"),
        ("", "malformed"),
        (None, "malformed"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///file:x.db?uri=true", "needs a file"),
        ("mysql://u:hunter2@h/d", "kind 'mysql'"),
        ("postgresql+asyncpg://u:hunter2@h/d", "kind 'postgresql.asyncpg'"),
        ("postgresql://u:hunter2@h:port/d", "malformed"),
    ],
)
def test_urls_that_cannot_be_used_are_refused_without_repeating_a_password(bad, match):
    with pytest.raises(StoreError, match=match) as caught:
        Store.open(bad)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_cannot_be_reached_says_so(tmp_path):
    (tmp_path / "noise.db").write_bytes(b"not a database " * 100)
    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        Store.open(f"sqlite:///{tmp_path}/noise.db")
    with pytest.raises(StoreUnavailable, match="cannot make .*No such file"):
        Store.open(f"sqlite:///{tmp_path}/none/people.db")
    with pytest.raises(StoreUnavailable, match="OperationalError.*is the server running") as caught:
        Store.open(f"postgresql+psycopg://u:{CANARY}@127.0.0.1:1/d?connect_timeout=2")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_postgresql_without_its_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'coldstart-rec\[postgres\]'"):
        Store.open("postgresql://u@h/d")


def test_the_file_is_for_its_owner_only_and_durable(sqlite_url, tmp_path):
    with Store.open(sqlite_url) as store:
        begin(store)
        assert {p.name for p in tmp_path.iterdir()} > {"people.db", "people.db-wal"}
        assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()} == {0o600}
        with store._engine.begin() as connection:
            modes = {
                p: connection.exec_driver_sql(f"PRAGMA {p}").scalar()
                for p in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
    full, on = 2, 1
    assert modes == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": on,
        "secure_delete": on,
    }
