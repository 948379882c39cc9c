"""The service's store: one contract on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import logging
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text
from sqlalchemy import inspect as tables_of
from sqlalchemy.exc import SQLAlchemyError

from coldstart.errors import MissingExtraError
from coldstart.serve.store import (
    ArmOutcome,
    Conflict,
    Deleted,
    ExposureNotFound,
    KeyReused,
    NewEvent,
    SessionNotFound,
    Store,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    SubjectOutcome,
    WrongKey,
    WrongRevision,
    engine,
    new_session_id,
    shorten,
    tables,
)
from coldstart.serve.store.migrate import VERSION_TABLE, config
from tests.waiting import PATIENCE, no_error, until

ROOT = Path(__file__).parents[2]
CANARY = "likes-slow-burn-canary-7c1f"
STATE = json.dumps({"about": CANARY})


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A lock that others hold is waited for however slow they are."""
    monkeypatch.setattr(engine, "WAIT", PATIENCE)


class Cluster:
    """A PostgreSQL server of our own, on a socket in a temporary folder."""

    def __init__(self, programs: Path) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cs-pg-", dir="/tmp"))  # sockets: 107 bytes
        self.user = {}
        if os.geteuid() == 0:  # initdb refuses root
            shutil.chown(self.home, "postgres", "postgres")
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self.data, self.names = self.home / "data", iter(range(10**6))
        log = (self.home / "log").open("wb")
        run = {"cwd": self.home, "stdout": log, "stderr": log, **self.user}
        init = [programs / "initdb", "-D", self.data, "-A", "trust", "-U", "cs", "-E", "UTF8"]
        subprocess.run([*init, "--no-sync", "--locale=C"], check=True, **run)
        quick = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"]
        self.process = subprocess.Popen(
            [programs / "postgres", "-D", self.data, "-k", self.home, *quick], **run
        )
        log.close()
        self.url = f"postgresql+psycopg://cs@/postgres?host={self.home}"
        self.admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        answers = no_error(lambda: self.sql("SELECT 1"), SQLAlchemyError)
        until(lambda: self.process.poll() is not None or answers(), "PostgreSQL to answer")
        if self.process.poll() is not None:
            raise RuntimeError((self.home / "log").read_text())

    def sql(self, statement):
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    def database(self):
        name = f"t{next(self.names)}"
        self.sql(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-csearch_path%3D{name}"

    def contents(self):
        self.sql("CHECKPOINT")
        return contents(self.data)

    def close(self):
        self.admin.dispose()
        self.process.send_signal(signal.SIGQUIT)  # without a last checkpoint
        self.process.wait(PATIENCE)
        shutil.rmtree(self.home)


@pytest.fixture(scope="session")
def cluster():
    found = shutil.which("postgres")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [p for p in places if (p / "initdb").exists() and (p / "postgres").exists()]
    if not places:
        pytest.skip("no PostgreSQL programs (initdb, postgres) on this machine")
    cluster = Cluster(places[0])
    yield cluster
    cluster.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/people.db"
    return request.getfixturevalue("cluster").database()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/people.db"


@pytest.fixture
def store(url):
    with Store.open(url) as store:
        yield store


class Clock:
    def __init__(self):
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def begin(store, state=STATE, **more):
    return store.create(state, **{"artifact": "ml-100k", **more})


def rows(store, table):
    with store._engine.begin() as connection:
        return connection.execute(select(table)).mappings().all()


# sessions


def test_a_session_comes_back_as_it_was_stored(store):
    made = begin(store, experiment="e", arm="A")
    assert store.load(made.id) == made
    assert (made.version, made.created, made.artifact) == (1, made.updated, "ml-100k")
    later = made.expires + timedelta(days=1)
    saved = store.save(replace(made, state="[1]", artifact="other", expires=later), 1)
    assert store.load(made.id) == saved
    assert (saved.version, saved.state, saved.artifact) == (2, "[1]", "other")
    assert saved.updated >= made.updated
    assert saved.expires == later
    assert (saved.created, saved.arm) == (made.created, "A")


def test_ids_are_random_and_url_safe_and_never_shown(store):
    ids = {begin(store).id for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", i) for i in ids)  # 192 bits
    session = begin(store)
    assert session.id not in repr(session)
    assert CANARY not in repr(session)
    assert shorten(session.id)[:6] == session.id[:6]
    assert len(shorten(session.id)) == 7
    said = NewEvent("secret-key", "like", "50", CANARY)
    recorded = store.append(session.id, said)
    assert not re.search(f"{CANARY}|secret-key|{session.id}", repr([said, recorded]))


def test_an_id_may_be_drawn_beforehand_but_only_once(store):
    mine = new_session_id()
    assert begin(store, session_id=mine).id == mine
    with pytest.raises(StoreError, match="taken already"):
        begin(store, session_id=mine)
    with pytest.raises(StoreError, match="new_session_id"):
        begin(store, session_id="guessable")


def test_a_stale_save_is_refused_and_changes_nothing(store):
    first = begin(store)
    store.save(replace(first, state="1"), first.version)
    with pytest.raises(Conflict, match="version 2, expected 1") as caught:
        store.save(replace(first, state=f'"{CANARY}"'), first.version)
    assert not re.search(f"{CANARY}|{first.id}", str(caught.value))
    assert store.load(first.id).state == "1"


def test_an_expired_session_is_not_found(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        session = begin(store, ttl=timedelta(minutes=1))
        clock.now += timedelta(seconds=59)
        assert store.load(session.id) == session
        clock.now += timedelta(seconds=1)
        for use in (
            lambda: store.load(session.id),
            lambda: store.save(session, 1),
            lambda: store.append(session.id, NewEvent("k", "like")),
            lambda: store.expose(session.id, "r", ["1"]),
            lambda: store.events(session.id),
            lambda: store.exposures(session.id),
        ):
            with pytest.raises(SessionNotFound, match="no such session"):
                use()
        assert store.export(session.id)["session"]["state"] == {"about": CANARY}


def test_no_session_has_a_malformed_id(store):
    for bad in ("", "x", "a" * 32 + "\n", "\0" * 32, "é" * 32, "\ud800" * 32, None, 7):
        with pytest.raises(SessionNotFound, match="no such session"):
            store.load(bad)
        assert not store.erase(bad)


BAD_TEXTS = {"nul": "a\0", "surrogate": "\ud800", "long": "x" * 201, "empty": "", "number": 7}


@pytest.mark.parametrize("bad", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_texts_that_do_not_fit_are_refused(store, bad):
    session = begin(store)
    for use in (
        lambda: begin(store, artifact=bad),
        lambda: begin(store, experiment=bad, arm="A"),
        lambda: begin(store, experiment="e", arm=bad),
        lambda: store.save(replace(session, artifact=bad), 1),
        lambda: store.append(session.id, NewEvent(bad, "like")),
        lambda: store.append(session.id, NewEvent("k", bad)),
        lambda: store.append(session.id, NewEvent("k", "like", bad)),
        lambda: store.expose(session.id, bad, ["1"]),
        lambda: store.expose(session.id, "r", [bad]),
        lambda: store.log_change("add", bad, "{}"),
        lambda: store.create_key(bad),
        lambda: store.outcomes(bad),
    ):
        with pytest.raises(StoreError, match="expected|holds") as caught:
            use()
        assert type(caught.value) is StoreError
    assert store.load(session.id) == session
    assert not store.events(session.id)
    assert not store.changes()
    assert not store.keys()


BAD_JSON = {"open": f"{{{CANARY}", "empty": "", "none": None, "nul": '"\0"', "nan": "[NaN]"}


@pytest.mark.parametrize("bad", [*BAD_JSON.values(), "[" * 100_000], ids=[*BAD_JSON, "deep"])
def test_a_state_that_is_no_json_is_refused_without_repeating_it(store, bad):
    session = begin(store)
    for use in (
        lambda: begin(store, bad),
        lambda: store.save(replace(session, state=bad), 1),
        lambda: store.log_change("add", "i", bad),
    ):
        with pytest.raises(StoreError, match="expected|holds") as caught:
            use()
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_other_arguments_that_do_not_fit_are_refused(store):
    session = begin(store)
    naive = replace(session, expires=datetime(2040, 1, 1))
    other = begin(store)
    like = NewEvent("k", "like")
    for use, match in (
        (lambda: begin(store, arm="A"), "both or neither"),
        (lambda: begin(store, ttl=timedelta(0)), "more than nothing"),
        (lambda: begin(store, ttl=timedelta.max), "too long"),
        (lambda: store.save(naive, 1), "without time zone"),
        (lambda: store.append(session.id, like, session), "both or neither"),
        (lambda: store.append(session.id, like, None, 1), "both or neither"),
        (lambda: store.append(session.id, like, other, 1), "not the one"),
        (lambda: store.append(session.id, NewEvent("k", "k" * 41)), "1 to 40"),
        (lambda: store.expose(session.id, "r", "50"), "several texts"),
        (lambda: store.expose(session.id, "r", ["50"], ranks=[1, 2]), "expected 1 whole"),
        (lambda: store.expose(session.id, "r", ["50"], ranks=[0]), "whole numbers from 1"),
        (lambda: store.expose(session.id, "r", ["50"], artifact=""), "1 to 200"),
        (lambda: store.log_change("drop", "i"), "add, update, remove"),
        (lambda: store.log_change("remove", "i", "{}"), "expected none"),
        (lambda: store.log_change("update", "i"), "expected text"),
        (lambda: store.create_key("n", rate_limit=0), "whole number from 1"),
        (lambda: store.create_key("n", rate_limit=2**31), "whole number from 1"),
        (lambda: store.purge(timedelta(-1)), "zero or more"),
        (lambda: store.purge(timedelta.max), "too long"),
        (lambda: store.purge(batch=0), "1 to 10000"),
    ):
        with pytest.raises(StoreError, match=match):
            use()


# feedback


def test_a_repeated_key_returns_the_first_event(store):
    session = begin(store)
    like = NewEvent("k", "like", "50", "because")
    first = store.append(session.id, like)
    again = store.append(session.id, like)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.event == first.event
    assert store.events(session.id) == [first.event]
    for other in (
        replace(like, kind="dislike"),
        replace(like, item="51"),
        replace(like, item=None),
        replace(like, detail=CANARY),
    ):
        with pytest.raises(KeyReused, match="other feedback") as caught:
            store.append(session.id, other)
        assert CANARY not in str(caught.value)
    assert store.events(session.id) == [first.event]
    assert not store.append(begin(store).id, like).repeated  # keys are a session's own


def test_feedback_and_the_state_it_leads_to_are_stored_together(store):
    session = begin(store)
    like = NewEvent("k", "like", "50")
    done = store.append(session.id, like, replace(session, state="1"), 1)
    assert done.session == store.load(session.id)
    assert (done.session.state, done.session.version) == ("1", 2)
    again = store.append(session.id, like, replace(session, state="2"), 1)  # stale, but a repeat
    assert again.repeated
    assert again.session == done.session
    with pytest.raises(Conflict, match="version 2, expected 1"):
        store.append(session.id, replace(like, key="new"), replace(session, state="2"), 1)
    assert [e.key for e in store.events(session.id)] == ["k"]
    assert store.load(session.id).state == "1"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_of_feedback_is_kept_as_a_dictionary_would(store, data):
    short = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
    feedback = st.builds(
        NewEvent,
        st.sampled_from("abc"),
        st.sampled_from(["like", "dislike"]),
        st.none() | short.filter(bool),
        short,
    )
    session = begin(store, json.dumps(data.draw(short)))
    assert store.load(session.id) == session
    known = {}
    for said in data.draw(st.lists(feedback, max_size=8)):
        if known.setdefault(said.key, said) == said:
            store.append(session.id, said)
        else:
            with pytest.raises(KeyReused, match="other feedback"):
                store.append(session.id, said)
    stored = [NewEvent(e.key, e.kind, e.item, e.detail) for e in store.events(session.id)]
    assert stored == list(known.values())


# exposures and outcomes


def test_a_shown_list_is_recorded_once(store):
    session = begin(store, experiment="e", arm="B")
    first = store.expose(session.id, "r", ["50", "181"])
    assert (first.item_ids, first.ranks) == (("50", "181"), (1, 2))
    assert (first.artifact, first.arm) == ("ml-100k", "B")
    assert store.expose(session.id, "r", ["50", "181"]) == first
    with pytest.raises(KeyReused, match="another list"):
        store.expose(session.id, "r", ["181", "50"])
    other = store.expose(session.id, "r2", ["7", "8"], ranks=[3, 9], artifact="fallback")
    empty = store.expose(session.id, "r3", [])
    assert store.exposures(session.id) == [first, other, empty]
    assert (other.ranks, other.artifact) == ((3, 9), "fallback")


def test_outcomes_count_by_arm(store):
    a1, a2, a3 = (begin(store, experiment="e", arm="A") for _ in range(3))
    b = begin(store, experiment="e", arm="B")
    others = [begin(store, experiment="f", arm="A"), begin(store)]
    for n, (session, kind, item) in enumerate(
        [
            (a1, "like", "1"),
            (a1, "like", "2"),
            (a1, "like", "2"),  # liked twice: one like
            (a1, "dislike", "3"),
            (a2, "like", "1"),
            (a3, "like", None),  # of nothing: no like
            (b, "dislike", "1"),
            *((o, "like", "1") for o in others),
        ]
    ):
        store.append(session.id, NewEvent(str(n), kind, item))
    for session, n in ((a1, 3), (a3, 1), (b, 2), (others[0], 5)):
        for request in range(n):
            store.expose(session.id, str(request), ["1"])
    assert store.outcomes("e") == [ArmOutcome("A", 3, 4, 3, 2), ArmOutcome("B", 1, 2, 0, 0)]
    assert store.outcomes("f") == [ArmOutcome("A", 1, 5, 1, 1)]
    assert store.outcomes("nobody's") == []
    store.erase(a1.id)
    assert store.outcomes("e")[0] == ArmOutcome("A", 2, 1, 1, 1)


# subjects of single requests


def show(store, subject, items=("50", "181"), **more):
    return store.show(subject, items, **{"experiment": "e", "arm": "A", "artifact": "x"} | more)


def test_an_outcome_is_recorded_once(store):
    shown, other = show(store, "s"), show(store, "s")
    assert re.fullmatch("[0-9a-f]{32}", shown)
    assert shown != other
    assert not store.record(shown, "k", "like", "50")
    assert store.record(shown, "k", "like", "50")
    for kind, item in (("click", "50"), ("like", "181")):
        with pytest.raises(KeyReused, match="another outcome"):
            store.record(shown, "k", kind, item)
    assert not store.record(other, "k", "like", "50")  # keys are an exposure's own
    with pytest.raises(StoreError, match="not in the list"):
        store.record(shown, "k2", "like", "7")
    for unknown in ("0" * 32, "x", shown.upper() + "0"):
        with pytest.raises(ExposureNotFound, match="no such exposure"):
            store.record(unknown, "k", "like", "50")
    assert len(rows(store, tables.reactions)) == 2


@pytest.mark.parametrize("bad", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_texts_of_subjects_that_do_not_fit_are_refused(store, bad):
    shown = show(store, "s")
    for use in (
        lambda: show(store, bad),
        lambda: show(store, "x" * 129),
        lambda: show(store, "s", [bad]),
        lambda: show(store, "s", "50"),
        lambda: show(store, "s", experiment=bad),
        lambda: show(store, "s", arm=bad),
        lambda: show(store, "s", artifact=bad),
        lambda: store.record(bad, "k", "like", "50"),
        lambda: store.record(shown, bad, "like", "50"),
        lambda: store.record(shown, "k", bad, "50"),
        lambda: store.record(shown, "k", "like", bad),
        lambda: store.subject_outcomes(bad),
        lambda: store.subject_outcomes("e", bad),
        lambda: store.export_subject(bad),
        lambda: store.erase_subject(bad),
    ):
        with pytest.raises(StoreError, match="expected|holds") as caught:
            use()
        assert type(caught.value) is StoreError
    assert len(rows(store, tables.showings)) == 1
    assert rows(store, tables.reactions) == []


def test_outcomes_of_subjects_count_people_not_requests(store):
    shown = {
        name: [show(store, name, arm=arm) for _ in range(n)]
        for name, arm, n in (("a1", "A", 5), ("a2", "A", 1), ("a3", "A", 1), ("b", "B", 2))
    }
    for n, (exposure, kind, item) in enumerate(
        [
            *((e, "like", "50") for e in shown["a1"]),  # the same again and again: one
            (shown["a1"][0], "like", "181"),
            (shown["a2"][0], "click", "50"),
            (shown["b"][1], "like", "50"),
            (show(store, "a3", experiment="other"), "like", "50"),
        ]
    ):
        store.record(exposure, str(n), kind, item)
    assert store.subject_outcomes("e") == [
        SubjectOutcome("A", 3, 7, 2, 1),
        SubjectOutcome("B", 1, 2, 1, 1),
    ]
    assert store.subject_outcomes("e", "click")[0] == SubjectOutcome("A", 3, 7, 1, 1)
    assert store.subject_outcomes("nobody's") == []
    show(store, "b", arm="A")  # somebody changed the weights: b stays where it began
    assert store.subject_outcomes("e")[1] == SubjectOutcome("B", 1, 3, 1, 1)
    assert store.outcomes("e") == []  # sessions are another thing


def test_a_subject_is_stored_as_a_keyed_hash(url, tmp_path, request):
    read = (
        (lambda: contents(tmp_path))
        if url.startswith("sqlite")
        else request.getfixturevalue("cluster").contents
    )
    name = f"{CANARY}-subject"
    with Store.open(url) as store:
        show(store, name)
    with Store.open(url) as store:
        store.record(show(store, name), "k", "like", "50")
        kept = {r["subject"] for r in rows(store, tables.showings)}
        assert len(kept) == 1  # of both processes
        assert name.encode() not in read()
        assert not kept & {hashlib.new(h, name.encode()).hexdigest() for h in ("sha256", "md5")}
        assert len(store.export_subject(name)) == 2


def test_databases_do_not_share_pseudonyms(tmp_path):
    found = set()
    for name in "ab":
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            show(store, "s")
            found |= {r["subject"] for r in rows(store, tables.showings)}
    assert len(found) == 2


def test_the_secret_of_subjects_is_sealed_and_changes_keys_with_the_rest(url):
    old, new = (Fernet.generate_key().decode() for _ in range(2))

    def secret(store):
        return next(r["value"] for r in rows(store, tables.meta) if r["name"] == "subject_secret")

    with Store.open(url) as store:
        show(store, "s")
        plain = secret(store)
    with Store.open(url, secret_key=old) as store:
        store.reencrypt()
        sealed = secret(store)
        assert plain.partition(":")[2] not in sealed
        assert len(store.export_subject("s")) == 1
    with Store.open(url, secret_key=f"{new},{old}") as store:
        store.reencrypt()
    with Store.open(url, secret_key=new) as store:
        assert secret(store) != sealed
        assert len(store.export_subject("s")) == 1
        assert len({r["subject"] for r in rows(store, tables.showings)}) == 1


def test_a_subject_gets_and_erases_its_data_and_nobody_elses(store):
    shown, other = show(store, "s"), show(store, "t")
    session = begin(store)
    for exposure in (shown, other):
        store.record(exposure, "k", "like", "50")
    [told] = json.loads(json.dumps(store.export_subject("s")))
    assert (told["exposure_id"], told["item_ids"], told["arm"]) == (shown, ["50", "181"], "A")
    assert [(o["kind"], o["item"]) for o in told["outcomes"]] == [("like", "50")]
    assert set(told) == set(tables.showings.c.keys()) - {"seq", "subject"} | {"outcomes"}
    assert set(told["outcomes"][0]) == set(tables.reactions.c.keys()) - {"seq", "showing"}
    kept = store.export_subject("t")
    deleted = store.erase_subject("s")
    assert deleted == Deleted(lists=1, outcomes=1)
    assert deleted
    assert not store.erase_subject("s")
    assert store.export_subject("s") == []
    assert store.export_subject("t") == kept
    assert store.load(session.id) == session
    with pytest.raises(ExposureNotFound, match="no such exposure"):
        store.record(shown, "k", "like", "50")
    assert store.subject_outcomes("e") == [SubjectOutcome("A", 1, 1, 1, 1)]


def test_lists_of_subjects_are_kept_as_long_as_sessions_and_no_longer(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        old = [show(store, f"s{n}", ttl=timedelta(days=1)) for n in range(5)]
        young = show(store, "s0", ttl=timedelta(days=3))
        session = begin(store, ttl=timedelta(days=1))
        for exposure in (*old, young):
            store.record(exposure, "k", "like", "50")
        clock.now += timedelta(days=1)
        with pytest.raises(ExposureNotFound, match="expired"):
            store.record(old[0], "k2", "like", "50")
        assert not store.record(young, "k2", "like", "50")
        clock.now += timedelta(days=1)
        assert store.purge(timedelta(days=1), batch=2) == Deleted(sessions=1, lists=5, outcomes=5)
        with pytest.raises(SessionNotFound, match="no such session"):
            store.load(session.id)
        assert store.subject_outcomes("e") == [SubjectOutcome("A", 1, 1, 1, 1)]
        clock.now += timedelta(days=30)
        assert store.purge() == Deleted(lists=1, outcomes=2)
        assert rows(store, tables.showings) == rows(store, tables.reactions) == []


def test_a_subject_with_very_many_lists_is_erased(sqlite_url):
    with Store.open(sqlite_url) as store:
        show(store, "s")
        [row] = rows(store, tables.showings)
        many = [{**row, "seq": None, "exposure_id": f"{n:032x}"} for n in range(1200)]
        with store._writer.begin() as connection:
            connection.execute(tables.showings.insert(), many)
        assert store.erase_subject("s") == Deleted(lists=1201)


def test_the_same_outcome_from_many_threads_counts_once(store):
    shown = show(store, "s")
    with ThreadPoolExecutor(8) as pool:
        known = list(pool.map(lambda _: store.record(shown, "k", "like", "50"), range(24)))
    assert known.count(False) == 1
    assert len(rows(store, tables.reactions)) == 1


def until_patience_is_over():
    """Numbers from 0: writers come before an eraser for as long as the machine likes."""
    end = time.monotonic() + PATIENCE
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def test_erasing_a_subject_while_outcomes_come_in_leaves_no_orphans(store):
    shown = [show(store, f"s{n}") for n in range(4)]

    def feed(exposure):
        for n in until_patience_is_over():
            try:
                store.record(exposure, str(n), "like", "50")
            except ExposureNotFound:
                return n
        return None

    with ThreadPoolExecutor(8) as pool:
        feeding = [pool.submit(feed, exposure) for exposure in shown]
        erasing = [pool.submit(store.erase_subject, f"s{n}") for n in range(4)]
        assert all(e.result() for e in erasing)
        assert all(f.result() is not None for f in feeding)
    assert rows(store, tables.showings) == rows(store, tables.reactions) == []


# the catalog's log


def test_the_catalog_log_replays_in_order(url):
    with Store.open(url) as store:
        changes = [
            store.log_change("add", "n1", '{"title": "New"}'),
            store.log_change("update", "n1", '{"title": "Newer"}'),
            store.log_change("remove", "n1"),
        ]
    with Store.open(url) as store:
        assert store.changes() == changes
        assert store.changes(after=changes[0].seq) == changes[1:]
        assert [c.kind for c in changes] == ["add", "update", "remove"]
        assert store.changes(after=changes[-1].seq) == []


def test_who_follows_the_catalog_log_misses_nothing(url):
    """Numbers must appear in the order of commits, or a follower skips the one that was slow."""
    seen, after, done = [], 0, threading.Event()

    def log(writer):
        with Store.open(url) as store:
            for n in range(40):
                store.log_change("add", f"{writer}-{n}", "{}")

    def follow():
        nonlocal after
        with Store.open(url) as store:
            while True:
                last_round = done.is_set()
                new = store.changes(after)
                seen.extend(c.item_id for c in new)
                after = new[-1].seq if new else after
                if last_round:
                    return

    with Store.open(url), ThreadPoolExecutor(4) as pool:
        follower = pool.submit(follow)
        list(pool.map(log, range(3)))
        done.set()
        follower.result()
    assert Counter(seen) == Counter(f"{w}-{n}" for w in range(3) for n in range(40))


# API keys


def test_api_keys_are_known_by_their_hash_only(store):
    shop, boss = store.create_key("shop", rate_limit=60), store.create_key("boss", admin=True)
    assert store.check_key(shop.secret) == shop.key
    assert store.check_key(boss.secret) == boss.key
    assert (shop.key.rate_limit, shop.key.admin, boss.key.admin) == (60, False, True)
    assert shop.secret not in repr(shop)
    secret = shop.secret.split("_", 2)[2]
    assert secret not in str(rows(store, tables.api_keys))
    stored = rows(store, tables.api_keys)
    assert len({bytes(r["salt"]) for r in stored}) == 2
    assert store.keys() == [shop.key, boss.key]


def test_api_keys_that_are_not_ours_are_refused(store):
    shop, boss = store.create_key("shop"), store.create_key("boss")
    mixed = f"cs_{shop.key.id}_{boss.secret.split('_', 2)[2]}"
    wrong = [shop.secret[:-1], shop.secret + "x", shop.secret.upper(), mixed, f"cs_{'0' * 16}_x"]
    for bad in (*wrong, "", "cs", "cs_", "cs__", "cs_\0_x", "cs_é_x", "\ud800", "x" * 10**6):
        assert store.check_key(bad) is None


def test_a_revoked_key_is_refused_from_then_on(store):
    shop = store.create_key("shop")
    assert store.revoke_key(shop.key.id)
    assert store.check_key(shop.secret) is None
    assert not store.revoke_key(shop.key.id)
    assert not any(map(store.revoke_key, ("unknown", "", "\0", "0" * 16)))
    assert store.keys()[0].revoked is not None


# a person's data


def fill(store, session):
    store.append(session.id, NewEvent("k1", "like", "50", CANARY))
    store.append(session.id, NewEvent("k2", "click"))
    store.expose(session.id, "r", ["50", "181"])


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


def test_purging_deletes_what_expired_long_enough_ago(url):
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        old = [begin(store, ttl=timedelta(days=1)) for _ in range(5)]
        young = begin(store, ttl=timedelta(days=3))
        for session in (*old, young):
            fill(store, session)
        clock.now += timedelta(days=2)
        assert store.purge(timedelta(days=1, seconds=1)) == Deleted()
        assert store.purge(timedelta(days=1), batch=2) == Deleted(5, 10, 5)
        assert store.load(young.id) == young
        assert len(store.events(young.id)) == 2
        clock.now += timedelta(days=2)
        assert store.purge() == Deleted(1, 2, 1)


# encryption


def contents(folder):
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


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


# opening and migrating


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
        with pytest.raises(WrongRevision, match="revision 9999.*up to 0002.*upgrade coldstart"):
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


# failures


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


# many at once


def add(store, session_id, key):
    """Count up, again and again until nobody was faster; the service does the same."""
    while True:
        session = store.load(session_id)
        after = replace(session, state=str(int(session.state) + 1))
        try:
            return store.append(session_id, NewEvent(key, "like"), after, session.version)
        except Conflict:
            continue


def test_threads_lose_no_update(store):
    session = begin(store, "0")
    keys = [f"{n % 40}" for n in range(80)]  # every key twice, at about the same time
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda key: add(store, session.id, key), keys))
    assert store.load(session.id).state == "40"
    assert sum(not r.repeated for r in done) == 40
    assert sorted(e.key for e in store.events(session.id)) == sorted(set(keys))


def test_processes_lose_no_update(store, url):
    session = begin(store, "0")
    script = f"""
import sys
from dataclasses import replace
from coldstart.serve.store import Conflict, NewEvent, Store
{inspect.getsource(add)}
with Store.open(sys.argv[1]) as store:
    for n in range(20):
        add(store, sys.argv[2], sys.argv[3] + str(n))
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", script, url, session.id, name], cwd=ROOT)
        for name in "abc"
    ]
    assert [p.wait(PATIENCE) for p in processes] == [0, 0, 0]
    assert store.load(session.id).state == "60"
    assert len({e.key for e in store.events(session.id)}) == 60


def test_erasing_while_feedback_comes_in_leaves_no_orphans(store):
    sessions = [begin(store) for _ in range(8)]

    def feed(session):
        for n in until_patience_is_over():
            try:
                store.append(session.id, NewEvent(str(n), "like"))
                store.expose(session.id, str(n), ["1"])
            except SessionNotFound:
                return n
        return None

    with ThreadPoolExecutor(6) as pool:
        for batch in (sessions[:4], sessions[4:]):
            feeding = [pool.submit(feed, s) for s in batch]
            erasing = [pool.submit(store.erase, s.id) for s in batch]
            assert all(e.result() for e in erasing)
            assert all(f.result() is not None for f in feeding)
    for table in (tables.sessions, tables.events, tables.exposures):
        assert rows(store, table) == []


# crashes


def test_acknowledged_events_survive_kills(url):
    which = [] if url.startswith("sqlite") else ["--url", url]
    script = [sys.executable, ROOT / "benchmarks" / "store_crash.py", "--kills", "6", *which]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["processes_killed"] == 12
    assert report["acknowledged_events"] > 0
    assert report["faults"] == []


def test_the_crash_check_sees_what_is_lost_doubled_or_apart(store, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from store_crash import Account, faults, said

    def writer(n, state):
        session = begin(store, state)
        for i in range(n):
            store.append(session.id, said(i))
        return session.id

    assert faults(store, Account(writer(3, '{"n": 3}'), ["0", "1", "2"])) == []
    assert faults(store, Account(writer(4, '{"n": 4}'), ["0", "1", "2"])) == []  # in flight
    assert "lost" in faults(store, Account(writer(2, '{"n": 2}'), ["0", "1", "2"]))[0]
    assert "disagree" in faults(store, Account(writer(3, '{"n": 2}'), ["0", "1", "2"]))[0]
    assert "never sent" in faults(store, Account(writer(5, '{"n": 5}'), ["0", "1", "2"]))[0]
    assert faults(store, Account(new_session_id(), [])) == ["an acknowledged session is lost"]
