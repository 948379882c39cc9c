"""Subjects of single requests: outcomes by person, under keyed hashes, erased on demand."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from coldstart.serve.store import (
    Deleted,
    ExposureNotFound,
    Store,
    StoreError,
    SubjectOutcome,
    tables,
)
from coldstart.testing.contracts.store_world import CANARY, begin, show
from tests.serve.store.helpers import BAD_TEXTS, contents, rows, until_patience_is_over


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


def test_a_subject_with_very_many_lists_is_erased(sqlite_url):
    with Store.open(sqlite_url) as store:
        show(store, "s")
        [row] = rows(store, tables.showings)
        many = [{**row, "seq": None, "exposure_id": f"{n:032x}"} for n in range(1200)]
        with store._writer.begin() as connection:
            connection.execute(tables.showings.insert(), many)
        assert store.erase_subject("s") == Deleted(lists=1201)


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
