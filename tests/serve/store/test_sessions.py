"""Sessions in the store: ids, versions, expiry and refused arguments."""

from __future__ import annotations

import re
import traceback
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from coldstart.serve.store import (
    Conflict,
    NewEvent,
    SessionNotFound,
    Store,
    StoreError,
    new_session_id,
    shorten,
)
from tests.serve.store.helpers import BAD_TEXTS, CANARY, Clock, begin


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
