"""Restarts, failures half-way, errors without credentials, and Qdrant's protocol."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, MissingExtraError
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.grounding.index.qdrant import QdrantIndex
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.schema import Item
from tests.fakes import FakeEncoder
from tests.grounding.server_index.servers import (
    CANARY,
    HOSTILE,
    OTHERS,
    VECTORS,
)

# -- restarts -----------------------------------------------------------------------------------


def test_data_outlast_the_index(place):
    index = place.index("kept")
    index.set(HOSTILE, np.eye(len(HOSTILE)))
    index.remove(HOSTILE[:1])
    before = index.search(np.eye(len(HOSTILE)), 20)
    place.close()
    again = place.index("kept")
    assert again.search(np.eye(len(HOSTILE)), 20) == before
    assert sorted(again) == sorted(HOSTILE[1:])


def test_a_restarted_service_finds_its_catalog_again(place):
    first = Catalog([Item(item_id=i, title=t) for i, t in (("1", "Alien"), ("2", "Heat"))])
    Grounder(FakeEncoder(), place.index("films")).sync(first)
    place.close()
    index = place.index("films")
    later = Catalog([Item(item_id=i, title=t) for i, t in (("1", "Alien"), ("3", "Gravity"))])
    index.remove([item_id for item_id in index if item_id not in later])
    grounder = Grounder(FakeEncoder(), index, threshold=0.3)
    grounder.sync(later)
    assert sorted(index) == ["1", "3"]
    found = grounder.ground_texts(["Aliens!", "Heatt"])
    assert [[match.item_id for match in one.matches] for one in found] == [["1"], []]


def test_a_restarted_server_is_found_again(server, postgres):
    index = postgres.index()
    index.set(["a", "b"], np.eye(2))
    with ThreadPoolExecutor(4) as pool:  # several connections are kept
        list(pool.map(lambda _: index.search(np.eye(2), 1), range(40)))
    server.stop()
    with pytest.raises(IndexUnavailable, match="cannot be reached .*is it running"):
        index.search(np.eye(2), 1)
    server.start()
    assert index.search(np.eye(2), 1) == [[("a", 1.0)], [("b", 1.0)]]
    server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    index.set(["c"], np.eye(2)[:1])
    assert len(index) == 3


def test_a_change_is_seen_whole_or_not_at_all(postgres):
    index = postgres.index("whole")
    names = [f"{n:03}" for n in range(400)]
    sides = [np.tile(np.eye(2)[n], (400, 1)) for n in range(2)]
    index.set(names, sides[0])
    stop = threading.Event()

    def flip():
        while not stop.is_set():
            for side in (1, 0):
                index.set(names, sides[side])

    worker = threading.Thread(target=flip)
    worker.start()
    seen = Counter()
    try:
        for _ in range(150):
            (hits,) = index.search(np.eye(2)[:1], 400)
            seen[tuple(sorted({cosine for _, cosine in hits}))] += 1
    finally:
        stop.set()
        worker.join()
    assert set(seen) <= {(0.0,), (1.0,)}


def test_a_change_that_fails_half_way_changes_nothing(server, postgres):
    index = postgres.index("half")
    index.set(["a"], np.eye(2)[:1])
    server.sql("ALTER TABLE coldstart_vectors_half ADD CHECK (id <> 'z')")
    with pytest.raises(IndexUnavailable, match="refused: CheckViolation, SQLSTATE 23514"):
        index.set(["a", "b", "z"], np.tile(np.eye(2)[1], (3, 1)))
    assert index.search(np.eye(2)[:1], 9) == [[("a", 1.0)]]


# -- what can go wrong --------------------------------------------------------------------------


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error.__context__)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"postgresql://u:{CANARY}@127.0.0.1:1/d", "127.0.0.1:1/d cannot be reached"),
        (f"postgresql+psycopg://u:{CANARY}@127.0.0.1:1/d", "127.0.0.1:1/d cannot be reached"),
        (f"postgresql://u:%zz{CANARY}@h/d", "malformed PostgreSQL URL"),
        (f"postgresql://u@h/d?pasword={CANARY}", "malformed PostgreSQL URL"),
        (f"mysql://u:{CANARY}@h/d", "malformed PostgreSQL URL"),
        (f"password={CANARY} host=h", "malformed PostgreSQL URL"),
    ],
)
def test_no_password_in_errors_of_postgresql(url, says):
    with pytest.raises((ConfigError, IndexUnavailable), match=says) as caught:
        PgVectorIndex(url, "films")
    assert CANARY not in shown(caught.value)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (f"https://u:{CANARY}@127.0.0.1:1", "127.0.0.1:1 cannot be reached"),
        (f"https://u:{CANARY}@127.0.0.1:x", "malformed address"),
        (f"grpc://u:{CANARY}@127.0.0.1", "malformed address"),
        ("", "malformed address"),
    ],
)
def test_no_key_in_errors_of_qdrant(where, says):
    with pytest.raises((ConfigError, IndexUnavailable), match=says) as caught:
        QdrantIndex(where, "films", api_key=CANARY)
    assert CANARY not in shown(caught.value)


def test_a_wrong_user_gets_one_plain_error(server):
    url = f"postgresql://nobody:{CANARY}@/postgres?host={server.home}"
    with pytest.raises(IndexUnavailable, match="cannot be reached .*user, password") as caught:
        PgVectorIndex(url, "films")
    assert CANARY not in shown(caught.value)


def test_a_server_without_the_extension(server):
    server.sql("DROP DATABASE IF EXISTS bare")
    server.sql("CREATE DATABASE bare")
    if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'guest'"):
        server.sql("CREATE ROLE guest LOGIN")
    url = f"postgresql://guest:{CANARY}@/bare?host={server.home}"
    with pytest.raises(ConfigError, match=r"has no pgvector .*CREATE EXTENSION vector") as caught:
        PgVectorIndex(url, "films")
    assert CANARY not in shown(caught.value)
    PgVectorIndex(f"postgresql://cs@/bare?host={server.home}", "films").close()  # may make it


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the client
def test_a_folder_is_for_one(tmp_path):
    one = QdrantIndex(str(tmp_path), "films")
    with pytest.raises(ConfigError, match="cannot open .*does another process use it"):
        QdrantIndex(str(tmp_path), "films")
    one.close()
    QdrantIndex(str(tmp_path), "films").close()


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [(PgVectorIndex, "psycopg", "pgvector"), (QdrantIndex, "qdrant_client", "qdrant")],
)
def test_a_missing_extra_is_named(monkeypatch, make, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'coldstart-rec\[{extra}\]'"):
        make("postgresql://h/d", "films")


# -- Qdrant by URL ------------------------------------------------------------------------------


def test_what_is_sent_to_a_server(remote):
    index = remote.index("films", exact=2, effort=77)
    index.set(["a", "b", "c"], np.eye(3))
    index.search(np.eye(3), 1, ["a", "b"])
    index.search(np.eye(3), 1)
    index.remove(["a"])
    sent = {asked: (query, body) for asked, query, body, _ in remote.asked}
    assert sent["PUT", "points"][0] == sent["POST", "points", "delete"][0] == {"wait": ["true"]}
    assert sent["PUT",][1]["vectors"]["distance"] == "Dot"
    narrow, whole = (
        b for asked, _, b, _ in remote.asked if asked[1:] == ("points", "query", "batch")
    )
    assert [len(one["filter"]["must"][0]["has_id"]) for one in narrow["searches"]] == [2, 2, 2]
    assert all(one["params"]["exact"] is True for one in narrow["searches"])
    assert all(one["params"] == {"exact": False, "hnsw_ef": 77} for one in whole["searches"])


def test_a_server_that_finds_too_few_is_asked_to_compare_all(remote, monkeypatch):
    """Its graph may miss rows; here it misses all."""
    index = remote.index()
    index.set(["a", "b", "c"], np.eye(3))
    real = remote.do

    def miss(asked, name, body):
        out = real(asked, name, body)
        if asked[-1] == "batch" and not body["searches"][0]["params"]["exact"]:
            out = [{"points": answer["points"][:1]} for answer in out]
        return out

    monkeypatch.setattr(remote, "do", miss)
    assert [len(hits) for hits in index.search(np.eye(3), 2)] == [2, 2, 2]


def test_a_server_that_refuses(remote):
    index = remote.index()
    index.set(["a"], np.eye(1))
    remote.broken = True
    with pytest.raises(IndexUnavailable, match="refused with status 503"):
        index.search(np.eye(1), 1)
    with pytest.raises(IndexUnavailable, match="refused with status 503"):
        index.set(["b"], np.eye(1))
    remote.broken = False
    assert list(index) == ["a"]


def test_many_rows_are_sent_and_read_in_parts(remote, monkeypatch):
    monkeypatch.setattr("coldstart.grounding.index.qdrant._PAGE", 300)
    monkeypatch.setattr("coldstart.grounding.index.qdrant._NUMBERS", 200 * 48)
    monkeypatch.setattr("coldstart.grounding.index.qdrant._FILTERS", 4000)
    index = remote.index()
    names = [str(n) for n in range(1100)]
    index.set(names, VECTORS[:1100])
    assert sum(asked == ("PUT", "points") for asked, *_ in remote.asked) == 6
    assert sorted(index) == sorted(names)
    plain = ExactIndex()
    plain.set(names, VECTORS[:1100])
    assert (index.vectors(names) == plain.vectors(names)).all()
    assert index.search(OTHERS, 10) == plain.search(OTHERS, 10)
    remote.asked.clear()
    assert index.search(OTHERS, 10, names[:500]) == plain.search(OTHERS, 10, names[:500])
    assert len(remote.asked) == 13  # 8 of 100 queries with 500 ids each at a time
    index.remove(names[:1000])
    assert sorted(index) == sorted(names[1000:])
