"""``coldstart train --from``: a new artifact from a service's store."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet

from coldstart import Recommender
from coldstart.artifacts.format import load
from coldstart.schema import Item, UserProfile
from coldstart.serve.session_service import SessionRecord
from coldstart.serve.store import NewEvent, Store
from coldstart.session.state import FeedbackGiven, ProfileGiven, SessionState, TextGiven
from tests.cli.helpers import fails
from tests.conftest import ROOT

BASE = "tests/data/small/artifact"


@pytest.fixture(autouse=True)
def _at_home(monkeypatch):
    monkeypatch.chdir(ROOT)  # the base model's folder is named relative to it
    monkeypatch.delenv("COLDSTART_SECRET_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def visit(store, *likes, text="", **profile):
    events = [ProfileGiven(profile=UserProfile(**profile))] if profile else []
    events += [TextGiven(text=text)] if text else []
    events += [FeedbackGiven(item_id=i, did="like") for i in likes]
    state = SessionRecord("", 0.0, SessionState(events=events)).to_json()
    session = store.create(state, artifact="small")
    for n, item in enumerate(likes):
        store.append(session.id, NewEvent(f"k{n}", "like", item))
    return session


@pytest.fixture
def db(tmp_path):
    """Thirty visits with two likes each, a request, a person who was erased, and a new item."""
    path = tmp_path / "visits.db"
    with Store.open(f"sqlite:///{path}") as store:
        item = Item(item_id="new", title="Newcomer")
        store.log_change("add", "new", item.model_dump_json())
        for n in range(30):
            visit(store, f"i{n % 3}", "new", text="films with toys" if n == 0 else "")
        store.create('{"quiz": "pairs"}', artifact="small")
        erased = visit(store, "i20")
        store.erase(erased.id)
    return path


def train(run, db, out, *options):
    return run("train", "--from", db, "--artifact", BASE, "--out", out, *options)


def test_a_new_artifact_has_the_visitors_and_the_changed_catalog(run, db, tmp_path):
    before = load(ROOT / BASE).counts
    code, out, err = train(run, db, tmp_path / "next")
    assert code == 0, err
    assert "30 sessions: 30 users with 60 likes; 1 texts, 1 with a like after them" in err
    assert "1 sessions that cannot be read left out" in err
    assert "trees: pays from" in out
    assert "more users" in out
    assert f"coldstart serve use {tmp_path / 'next'} --db {db}" in out
    assert "how good   not compared" in out  # what its manifest says is of the artifact before
    assert "NDCG@10" not in out
    rec = Recommender.from_pretrained(tmp_path / "next")
    assert "new" in rec.catalog
    assert rec.counts.n_users == before.n_users + 30
    column = rec.counts.column
    assert rec.counts.likes[column["new"]] == 30
    assert rec.counts.likes[column["i20"]] == before.likes[before.column["i20"]]  # erased
    code, out, err = run(
        "recommend", "--artifact", tmp_path / "next", "--liked", "Newcomer", "--strategy", "prior",
        "-k", 3, "--json",
    )  # fmt: skip
    assert code == 0, err
    shown = {line["item_id"] for line in json.loads(out)["items"]}
    assert shown == {"i0", "i1", "i2"}  # all that was liked with it


def test_the_manifest_names_what_was_learned_from(run, db, tmp_path):
    code, out, err = train(run, db, tmp_path / "next", "--json")
    assert code == 0, err
    about = json.loads(out)["refreshed"]
    assert (about["artifact"], about["data"]) == ("artifact", "visits")
    assert (about["users"], about["likes"], about["requests"]) == (30, 60, 1)
    fails(
        run("train", "--from", db, "--artifact", tmp_path / "next", "--out", tmp_path / "x"),
        "next was itself trained on top of artifact",
        "start from artifact again",
    )


def test_options_that_do_not_apply_are_refused(run, db, tmp_path):
    out = ("--out", tmp_path / "x")
    fails(run("train", "--from", db, *out), "--from without --artifact", "--artifact shop")
    fails(run("train", "--artifact", BASE, "--data", "ml-100k", *out), "--artifact without --from")
    fails(train(run, db, tmp_path / "x", "--epochs", 3), "--epochs with --from")
    fails(train(run, db, tmp_path / "x", "--data", "ml-100k"), "--data with --from")
    fails(train(run, db, tmp_path / "x", "--start", BASE), "--start with --from")
    fails(train(run, tmp_path / "no.db", tmp_path / "x"), "no database at")
    assert not (tmp_path / "x").exists()


def test_an_encrypted_store_needs_its_key(run, tmp_path, monkeypatch):
    key, path = Fernet.generate_key().decode(), tmp_path / "sealed.db"
    with Store.open(f"sqlite:///{path}", secret_key=key) as store:
        visit(store, "i3")
    fails(train(run, path, tmp_path / "x"), "COLDSTART_SECRET_KEY")
    monkeypatch.setenv("COLDSTART_SECRET_KEY", key)
    code, _, err = train(run, path, tmp_path / "next")
    assert code == 0, err
    assert "1 sessions: 1 users with 1 likes" in err


def test_an_empty_store_is_no_error(run, tmp_path):
    path = tmp_path / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    code, _, err = train(run, path, tmp_path / "next")
    assert code == 0, err
    assert "0 sessions: 0 users with 0 likes" in err
    assert load(tmp_path / "next").counts.n_users == load(ROOT / BASE).counts.n_users
