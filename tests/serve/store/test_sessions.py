"""Sessions in the store: ids, versions, expiry and refused arguments."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from coldstart.serve.store import (
    NewEvent,
    StoreError,
)
from coldstart.testing.contracts.store_world import CANARY, begin
from tests.serve.store.helpers import BAD_TEXTS


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
