"""Whether the database is there, writable and intact; and its backups."""

from __future__ import annotations

import errno
import random
import shutil
import sqlite3
import stat
import threading

import pytest
from sqlalchemy import select

from coldstart.errors import ConfigError
from coldstart.serve.store import NewEvent, Store, StoreUnavailable, sqlite_file, tables
from coldstart.testing.contracts.store_world import CANARY, begin, fill
from tests.serve.store.helpers import rows


def test_a_store_that_can_be_written_is_ready_and_stays_as_it_is(store):
    begin(store)
    before = {t.name: rows(store, t) for t in (tables.meta, tables.sessions)}
    for _ in range(3):
        store._probed = float("-inf")
        store.check_writable()
    assert {t.name: rows(store, t) for t in (tables.meta, tables.sessions)} == before


def delete(path):
    path.unlink()


def move(path):
    path.rename(path.with_name("moved.db"))


def replace(path):
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)


def new_one(path):
    path.unlink()
    with Store.open(f"sqlite:///{path}"):
        pass


@pytest.mark.parametrize("harm", [delete, move, replace, new_one])
def test_a_file_that_is_gone_or_another_one_acknowledges_nothing(sqlite_url, tmp_path, harm):
    with Store.open(sqlite_url) as store:
        session = begin(store)
        store.check_writable()
        harm(tmp_path / "people.db")
        for use in (
            store.ping,
            store.check_writable,
            lambda: begin(store),
            lambda: store.append(session.id, NewEvent("k", "like")),
            lambda: store.log_change("remove", "a"),
            store.keys,
        ):
            with pytest.raises(StoreUnavailable, match="gone|another one"):
                use()
        store._engine.dispose()  # new connections make no database in its place
        with pytest.raises(StoreUnavailable, match="gone|another one"):
            store.ping()
    assert (tmp_path / "people.db").exists() == (harm in (replace, new_one))


def test_what_is_committed_to_a_deleted_file_is_not_acknowledged(sqlite_url, tmp_path):
    for name in ("people.db", "people.db-wal"):
        with Store.open(sqlite_url) as store:
            begin(store)

            def delete_within(store=store, name=name):
                with store._write() as connection:
                    connection.execute(select(tables.meta)).all()
                    (tmp_path / name).unlink()

            with pytest.raises(StoreUnavailable, match="gone|was deleted"):
                delete_within()


def test_a_full_disk_is_not_ready(sqlite_url, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(sqlite_url) as store:
        with monkeypatch.context() as patch:
            patch.setattr(sqlite_file.os, "fsync", full)
            with pytest.raises(StoreUnavailable, match="No space left on device"):
                store.check_writable()
        store.check_writable()


def test_a_full_database_is_not_ready(sqlite_url):
    with Store.open(sqlite_url) as store:
        with store._raw() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}").fetchall()
        with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
            store.check_writable()
        kept = 0

        def fill_up():
            nonlocal kept
            for n in range(200):
                store.log_change("add", str(n), f'"{"x" * 1000}"')
                kept += 1

        with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
            fill_up()
        assert len(store.changes()) == kept


def test_damage_is_found(sqlite_url, tmp_path):
    with Store.open(sqlite_url) as store:
        for n in range(200):
            begin(store, f'"{CANARY} {n}"')
        store.check_integrity()
    file, rng = tmp_path / "people.db", random.Random(0)
    content = bytearray(file.read_bytes())
    pages = len(content) // 4096
    for page in range(pages - pages // 3, pages):  # the schema stays readable
        content[page * 4096 : page * 4096 + 8] = rng.randbytes(8)
    file.write_bytes(content)
    with Store.open(sqlite_url) as store:
        with pytest.raises(StoreUnavailable, match="the database is damaged: .*backup") as told:
            store.check_integrity()
        assert CANARY not in str(told.value)


def test_a_backup_is_of_one_moment_while_others_write(sqlite_url, tmp_path):
    done = threading.Event()
    with Store.open(sqlite_url, secret_key="") as store:
        session = begin(store, '{"n": 0}')
        fill(store, session)

        def write():
            n = 0
            while not done.is_set():
                store.append(session.id, NewEvent(f"w{n}", "like"))
                n += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for n in range(5):
                target = tmp_path / f"copy{n}.db"
                assert store.backup(target) == target.stat().st_size
                assert stat.S_IMODE(target.stat().st_mode) == 0o600
        finally:
            done.set()
            writer.join()
        written = [e.key for e in store.events(session.id)]
    assert sorted(p.name for p in tmp_path.glob("*copy*")) == [f"copy{n}.db" for n in range(5)]
    for n in range(5):
        with Store.open(f"sqlite:///{tmp_path}/copy{n}.db", create=False) as copy:
            kept = [e.key for e in copy.events(session.id)]
            assert kept == written[: len(kept)]
            copy.check_integrity()
    assert len(kept) > 0


def test_a_backup_overwrites_nothing_and_needs_a_folder(sqlite_url, tmp_path):
    (tmp_path / "precious").write_text("1")
    with Store.open(sqlite_url) as store:
        with pytest.raises(ConfigError, match="precious exists.*new file"):
            store.backup(tmp_path / "precious")
        with pytest.raises(ConfigError, match="cannot write to .*No such file"):
            store.backup(tmp_path / "none" / "copy.db")
    assert (tmp_path / "precious").read_text() == "1"


def test_a_backup_that_does_not_fit_leaves_nothing(sqlite_url, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(sqlite_url) as store, monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "problems", lambda _: ["page 3: damaged"])
        with pytest.raises(StoreUnavailable, match="the copy is damaged: page 3"):
            store.backup(tmp_path / "copy.db")
        patch.setattr(sqlite_file, "problems", lambda _: [])
        patch.setattr(sqlite_file.os, "link", lambda *_: full(_))
        with pytest.raises(StoreUnavailable, match="cannot write .*copy.db: No space left"):
            store.backup(tmp_path / "copy.db")
    assert not list(tmp_path.glob("*copy*"))


def test_postgresql_has_its_own_backups_and_checks(cluster, tmp_path):
    with Store.open(cluster.database()) as store:
        store.check_integrity()
        with pytest.raises(ConfigError, match="pg_dump --format=custom"):
            store.backup(tmp_path / "copy")


def test_a_file_that_is_no_database_is_told_as_damage(tmp_path):
    (tmp_path / "noise").write_bytes(b"SQLite format 3\0" + b"noise" * 1000)
    connection = sqlite3.connect(tmp_path / "noise")
    assert sqlite_file.problems(connection) != []
    connection.close()
