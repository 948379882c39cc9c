"""Attacks on what the service and the batch store: kills, full disks, lost files, damaged parts.

    python benchmarks/attacks/storage.py [--seed 0] [--scale 1]

The service is a forked process with a small recommender; it is killed with SIGKILL, its disk filled
(a small tmpfs where user namespaces allow it, and a limit on file sizes everywhere), its database
deleted and replaced, and its log given bad rows. What it acknowledged must be kept, what it refused
must not have happened, and a change of several items is all or nothing. Batch parts are damaged and
exchanged; none may pass for a success. Prints JSON; exits with 1 unless all of ``BAD`` are 0.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn

from coldstart.batch import BatchOptions, run_batch
from coldstart.batch.job import BatchJob
from coldstart.batch.part_file import part_path, receipt_path
from coldstart.batch.part_writer import PartWriter
from coldstart.batch.run import DONE
from coldstart.batch.users import UserTable
from coldstart.errors import ColdstartError
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from coldstart.testing.world import toy_prior_recommender

if TYPE_CHECKING:
    from attacks import Outcome

Counts = Counter[str]
BAD = (
    "deaths",  # processes that ended by themselves, and starts that failed
    "untyped errors",  # answers that are neither a success nor a refusal with a reason
    "half-applied changes",
    "lost changes",  # acknowledged, but gone
    "lost events",  # likewise
    "refused, but applied",
    "lost fields",
    "wrong readiness",
    "damaged parts accepted",
)
BULK = 40  # items of one change
LONGEST = 1.0  # seconds until a kill, at most
PATIENCE = 60.0  # seconds for a start or an answer
SMALL = 4 << 20  # bytes of the small disk


class Server:
    """A service in a process of its own, on a database in ``folder``."""

    def __init__(self, folder: Path, counts: Counts) -> None:
        self._counts, self._killed = counts, False
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.pid = os.fork()
        if self.pid == 0:
            _serve(folder, listener)
        listener.close()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)

    def ready(self) -> bool:
        """Whether it says that it is ready; waits for its start."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                return self.http.get("/readyz").status_code == 200
            time.sleep(0.02)
        self._counts["deaths"] += 1
        return False

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send a request; counts answers that no client could understand."""
        answer = self.http.request(method, path, json=body, headers=headers)
        told = answer.status_code < 400 or set(answer.json()) == {"error", "message", "hint"}
        if not told or answer.status_code == 500:
            self._counts["untyped errors"] += 1
        return answer

    def items(self) -> dict[str, dict[str, object]]:
        """Its whole catalog."""
        out, page = {}, {"next": 0}
        while page["next"] is not None:
            page = self.ask("GET", f"/v1/items?limit=500&offset={page['next']}").json()
            out |= {item["item_id"]: item for item in page["items"]}
        return out

    def kill(self) -> None:
        """End it with SIGKILL, if it runs; one that has ended by itself is a death."""
        if self._killed:
            return
        self._killed = True
        pid, _ = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self._counts["deaths"] += 1
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _serve(folder: Path, listener: socket.socket) -> None:
    code = 3
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)  # the log
        settings = ServeSettings(open=True, drain=0.0, deadline=PATIENCE)
        store = Store.open(f"sqlite:///{folder}/people.db")
        service = Service(lambda _: toy_prior_recommender(), {"": "toy"}, settings, store)
        config = uvicorn.Config(
            create_app(service), log_config=None, access_log=False, http="h11", lifespan="on"
        )
        uvicorn.Server(config).run(sockets=[listener])
        code = 0
    finally:
        os._exit(code)


@contextmanager
def serving(folder: Path, counts: Counts) -> Iterator[Server]:
    """A running service, killed at the end."""
    server = Server(folder, counts)
    try:
        if not server.ready():
            counts["wrong readiness"] += 1
        yield server
    finally:
        server.kill()
        server.http.close()


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder for one database."""
    with tempfile.TemporaryDirectory(prefix="coldstart-attack-") as name:
        yield Path(name)


# -- kills ------------------------------------------------------------------------------------


def kills(counts: Counts, rng: random.Random, rounds: int) -> None:
    """Kill services in the middle of bulk puts and feedback; look at what the next one has."""
    with a_folder() as folder:
        generation, acknowledged, sent = 1, 0, 0
        told: dict[str, list[str]] = {}  # acknowledged events by session
        for _ in range(rounds):
            with serving(folder, counts) as server:
                _compare(counts, server, acknowledged, sent, told)
                with ThreadPoolExecutor(2) as pool:
                    puts = pool.submit(_put_on, server, generation)
                    events = pool.submit(_feed, server)
                    time.sleep(rng.uniform(0, LONGEST))
                    server.kill()
                    last, sent = puts.result()
                    acknowledged = max(acknowledged, last)
                    told |= events.result()
                generation = sent + 1
                counts["kills"] += 1
        with serving(folder, counts) as server:
            _compare(counts, server, acknowledged, sent, told)
        counts["acknowledged events"] += sum(map(len, told.values()))
        counts["acknowledged bulk puts"] += acknowledged


def _put_on(server: Server, generation: int) -> tuple[int, int]:
    """Put one generation after the other; returns the last acknowledged, and the last sent."""
    acknowledged = 0
    while True:
        items = [
            {"item_id": f"bulk-{n}", "title": f"Bulk {n}", "year": generation % 9000}
            for n in range(BULK)
        ]
        try:
            answer = server.ask("POST", "/v1/items", {"items": items})
        except httpx.TransportError:
            return acknowledged, generation
        if answer.status_code == 200:
            acknowledged = generation
        generation += 1


def _feed(server: Server) -> dict[str, list[str]]:
    """Give feedback until the end; returns the acknowledged keys by session."""
    keys: list[str] = []
    path = ""
    try:
        path = "/v1/sessions/" + server.ask("POST", "/v1/sessions", {}).json()["session_id"]
        for n in range(10**9):
            body = {"item_id": f"i{n % 24}", "kind": "like"}
            answer = server.ask("POST", path + "/feedback", body, **{"Idempotency-Key": f"k{n}"})
            if answer.status_code == 200:
                keys.append(f"k{n}")
    except (httpx.TransportError, KeyError, ValueError):
        pass
    return {path: keys} if path else {}


def _compare(
    counts: Counts, server: Server, acknowledged: int, sent: int, told: dict[str, list[str]]
) -> None:
    """Compare a service with what its predecessors acknowledged."""
    bulk = {i: item for i, item in server.items().items() if i.startswith("bulk-")}
    found = {item["year"] for item in bulk.values()}
    if len(found) > 1 or len(bulk) not in (0, BULK):
        counts["half-applied changes"] += 1
    if (acknowledged and not found) or any(not acknowledged <= year <= sent for year in found):
        counts["lost changes"] += 1
    for path, keys in told.items():
        stored = {event["key"] for event in server.ask("GET", path).json()["events"]}
        counts["lost events"] += len(set(keys) - stored)


# -- disks ------------------------------------------------------------------------------------


def full_disk(counts: Counts, folder: Path, fill: Callable[[Server], Callable[[], None]]) -> None:
    """Change, feed and ask a service whose disk is full; then free the disk, and restart.

    Args:
        counts: of what happened.
        folder: of the database.
        fill: fills the disk of a service; returns what frees it.
    """
    with serving(folder, counts) as server:
        path = "/v1/sessions/" + server.ask("POST", "/v1/sessions", {}).json()["session_id"]
        kept: list[str] = []
        for phase, full in enumerate((False, True, False)):
            free = fill(server) if full else lambda: None
            if server.ready() == full:
                counts["wrong readiness"] += 1
            for n in range(12):
                _change_or_nothing(counts, server, n, phase)
                body = {"item_id": f"i{12 + n}", "kind": "like"}
                key = f"{full}-{n}-{time.monotonic()}"
                answer = server.ask("POST", path + "/feedback", body, **{"Idempotency-Key": key})
                if answer.status_code == 200:
                    kept.append(key)
                elif not full:
                    counts["untyped errors"] += 1
            free()
        before = server.items()
    with serving(folder, counts) as server:
        counts["lost changes"] += server.items() != before
        stored = {event["key"] for event in server.ask("GET", path).json()["events"]}
        counts["lost events"] += len(set(kept) - stored)
        counts["acknowledged events"] += len(kept)


def _change_or_nothing(counts: Counts, server: Server, n: int, phase: int) -> None:
    """Make one of four kinds of changes; the disk is full in phase 1."""
    text = f"{n} {time.monotonic()} " + "x" * 3000
    bulk = [{"item_id": f"disk-{m}", "title": f"T {text[:30]}", "description": text} for m in "abc"]
    method, path, body = (
        ("PATCH", "/v1/items/i1", {"description": text}),
        ("PUT", f"/v1/items/disk-{n}", {"title": "T", "description": text}),
        ("POST", "/v1/items", {"items": bulk}),
        ("DELETE", f"/v1/items/i{2 + 3 * phase + n // 4}", None),
    )[n % 4]
    before = server.items()
    answer = server.ask(method, path, body)
    after = server.items()
    changed = {i for i in before.keys() | after.keys() if before.get(i) != after.get(i)}
    counts["changes tried on a full disk" if phase == 1 else "changes"] += 1
    if answer.status_code >= 400:
        counts["refused, but applied"] += bool(changed)
        if answer.status_code == 503:
            counts["refusals for a full disk"] += 1
    elif method == "POST" and changed != {item["item_id"] for item in bulk}:
        counts["half-applied changes"] += 1


def limited_files(server: Server) -> Callable[[], None]:
    """Let a service's files grow no more; returns what lifts the limit."""
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, hard))
    return lambda: resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard)) and None


def filled(folder: Path) -> Callable[[Server], Callable[[], None]]:
    """Fill the file system of ``folder`` to the last byte."""

    def fill(_: Server) -> Callable[[], None]:
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as f:
            for size in (1 << 16, 1):
                with suppress(OSError):
                    while True:
                        f.write(b"\0" * size)
        return ballast.unlink

    return fill


def small_disk(counts: Counts, rounds: int) -> None:
    """``full_disk`` on a small tmpfs, in a namespace of its own; skipped where there is none."""
    command = [sys.executable, __file__, "--inside", str(rounds)]
    with a_folder() as folder:
        mount = f'mount -t tmpfs -o size={SMALL} tmpfs "$0" && exec "$@"'
        alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
        try:
            done = subprocess.run(
                [*alone, *command, str(folder)], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:  # not on Linux
            counts["small disks skipped"] += rounds
            return
    if done.returncode == 0:
        counts.update(json.loads(done.stdout))
    elif "Traceback" in done.stderr:
        raise SystemExit(done.stderr)
    else:  # no user namespaces here
        counts["small disks skipped"] += rounds


# -- concurrent changes, lost files, bad rows -------------------------------------------------


def concurrent_patches(counts: Counts, rng: random.Random, rounds: int) -> None:
    """Patch different fields of one item at once, through two services of one database."""
    fields = ("year", "description", "categories", "min_age")
    with a_folder() as folder, serving(folder, counts) as one, serving(folder, counts) as other:
        one.ask("PUT", "/v1/items/x", {"title": "X"})
        for n in range(1, rounds + 1):
            values = (1900 + n % 100, f"text {n}", [f"Category {n}"], n % 18)
            bodies = [{f: v} for f, v in zip(fields, values, strict=True)]
            rng.shuffle(bodies)
            with ThreadPoolExecutor(len(bodies)) as pool:
                sent = [
                    pool.submit((one, other)[m % 2].ask, "PATCH", "/v1/items/x", body)
                    for m, body in enumerate(bodies)
                ]
            done = [body for body, a in zip(bodies, sent, strict=True) if a.result().is_success]
            with Store.open(f"sqlite:///{folder}/people.db") as store:
                (*_, last) = (c for c in store.changes() if c.item_id == "x")
            item = json.loads(last.item or "")
            counts["concurrent patches"] += len(done)
            counts["lost fields"] += sum(item[f] != v for body in done for f, v in body.items())


def lost_files(counts: Counts) -> None:
    """Delete or replace the database of a running service: it may acknowledge nothing more."""
    for harm in ("delete", "replace", "recreate"):
        with a_folder() as folder, serving(folder, counts) as server:
            path = "/v1/sessions/" + server.ask("POST", "/v1/sessions", {}).json()["session_id"]
            db = folder / "people.db"
            shutil.copy(db, folder / "copy.db")
            if harm == "replace":
                (folder / "copy.db").replace(db)
            else:
                db.unlink()
            if harm == "recreate":
                sqlite3.connect(db).execute("CREATE TABLE t (x)").connection.close()
            if server.ready():
                counts["wrong readiness"] += 1
            before = server.items()
            for n in range(10):
                like = {"item_id": f"i{n}", "kind": "like"}
                counts["lost events"] += server.ask("POST", path + "/feedback", like).is_success
                put = server.ask("PUT", f"/v1/items/new{n}", {"title": "New"})
                counts["lost changes"] += put.is_success
            counts["refused, but applied"] += server.items() != before
            counts["databases deleted or replaced"] += 1


BAD_ROWS = (
    ("update", "i1", "{"),
    ("update", "i1", '{"item_id": "i1"}'),
    ("update", "i1", '{"item_id": "i2", "title": "X"}'),
    ("update", "i1", b"\xff\xfe"),
    ("update", "i1", None),
    ("drop", "i1", None),
    ("add", b"\xff", '{"item_id": "z", "title": "Z"}'),
    ("add", "", '{"item_id": "", "title": "Z"}'),
    ("update", "i1", '{"item_id": "i1", "title": "\\u0001"}'),
    ("update", "i1", "[" * 100_000),
)


def bad_rows(counts: Counts) -> None:
    """Write bad rows into the log: a service must start with all the others."""
    insert = "INSERT INTO coldstart_catalog_changes (kind, item_id, item, at) VALUES (?, ?, ?, ?)"
    with a_folder() as folder:
        with serving(folder, counts) as server:
            server.ask("PUT", "/v1/items/i1", {"title": "The last good one"})
            server.ask("PUT", "/v1/items/new", {"title": "New"})
        for n, row in enumerate(BAD_ROWS, start=1):
            with sqlite3.connect(folder / "people.db") as connection:
                connection.execute(insert, (*row, "2026-01-01 00:00:00" if n % 2 else "never"))
            connection.close()
            with serving(folder, counts) as server:
                items = server.items()
                kept = items.get("i1", {}).get("title") == "The last good one" and "new" in items
                told = (
                    f"coldstart_catalog_changes_set_aside {n}.0" in server.http.get("/metrics").text
                )
                counts["lost changes"] += not (kept and told)
                counts["bad rows"] += 1


# -- batch ------------------------------------------------------------------------------------


def damaged_parts(counts: Counts, rng: random.Random, rounds: int) -> None:
    """Damage and exchange the parts of a batch; the next run must refuse or repair all of it."""
    recommender = toy_prior_recommender()
    BatchJob.writer = lambda job: PartWriter(  # type: ignore[method-assign]
        recommender, UserTable(job.users, job.out), job.plan, job.out
    )
    with a_folder() as folder:
        users, out = folder / "users.csv", folder / "out"
        users.write_text("user_id,age\n" + "".join(f"u{n},{18 + n}\n" for n in range(20)))

        def run() -> bool:
            try:
                options = BatchOptions(k=5, strategy="prior")
                return run_batch(folder, users, out, options, size=4).errors is not None
            except ColdstartError:
                return False

        assert run()
        whole = {p.name: p.read_bytes() for p in out.glob("part-*")}
        for _ in range(rounds):
            _harm(rng, out)
            accepted = run()
            same = whole == {p.name: p.read_bytes() for p in out.glob("part-*")}
            counts["damaged parts accepted"] += accepted and not same
            counts["parts damaged"] += 1
            if not accepted or not (out / DONE).exists():
                counts["damaged parts refused"] += 1
                for extra in {p.name for p in out.glob("part-*")} - whole.keys():
                    (out / extra).unlink()
                assert run(), "the batch cannot go on"


def _harm(rng: random.Random, out: Path) -> None:
    """Damage or exchange a part, as disks, people and scripts do."""
    one, other = rng.sample(range(5), 2)
    part = part_path(out, one)
    content = bytearray(part.read_bytes())
    way = rng.randrange(8)
    if way == 0:
        part.write_bytes(b"")
    elif way == 1:
        part.write_bytes(content[: rng.randrange(len(content))])
    elif way == 2:
        shutil.copy(part_path(out, other), part)
    elif way == 3:
        shutil.copy(part_path(out, other), part)
        shutil.copy(receipt_path(out, other), receipt_path(out, one))
    elif way == 4:
        receipt_path(out, one).unlink()
        part.write_bytes(part_path(out, other).read_bytes())
    elif way == 5:
        shutil.copy(part, part_path(out, 5 + other))
    else:
        for _ in range(rng.choice((1, 8))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        part.write_bytes(content)


def run(seed: int = 0, scale: float = 1.0) -> dict[str, dict[str, int]]:
    """Run all attacks.

    Args:
        seed: of moments and damages.
        scale: of the numbers of rounds; 1: 50 kills, 200 concurrent patches, 300 damaged parts.

    Returns:
        Counts by attack; those named in ``BAD`` are there even if they are 0.
    """
    rng = random.Random(seed)

    def times(n: int) -> int:
        return max(1, round(n * scale))

    def small_files(counts: Counts) -> None:
        for _ in range(times(3)):
            with a_folder() as folder:
                full_disk(counts, folder, limited_files)

    attacks: dict[str, Callable[[Counts], None]] = {
        "kills in bulk puts": lambda counts: kills(counts, rng, times(50)),
        "full disk": lambda counts: small_disk(counts, times(3)),
        "file size limit": small_files,
        "concurrent patches": lambda counts: concurrent_patches(counts, rng, times(50)),
        "lost database": lost_files,
        "bad rows in the log": bad_rows,
        "damaged parts": lambda counts: damaged_parts(counts, rng, times(300)),
    }
    out = {}
    for name, attack in attacks.items():
        counts: Counts = Counter(dict.fromkeys(BAD, 0))
        start = time.perf_counter()
        attack(counts)
        counts["seconds"] = round(time.perf_counter() - start)
        out[name] = dict(counts)
        print(name, dict(+counts), file=sys.stderr, flush=True)
    return out


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part to those of ``benchmarks/attack.py``."""
    parser.add_argument("--storage-seed", type=int, default=0, help="of moments and damages")
    parser.add_argument("--storage-scale", type=float, default=1.0, help="of numbers of rounds")


def attack(given: argparse.Namespace) -> Outcome:
    """Run all attacks for ``benchmarks/attack.py``."""
    from attacks import Outcome

    found = run(given.storage_seed, given.storage_scale)
    total: Counts = Counter()
    for counts in found.values():
        total.update({what: n for what, n in counts.items() if what != "seconds"})
    tried = ("kills", "changes tried on a full disk", "concurrent patches", "bad rows")
    tried += ("databases deleted or replaced", "parts damaged")
    text = [
        "A service with a small recommender is killed with SIGKILL in the middle of bulk puts and "
        "feedback, its disk is filled (a tmpfs of 4 MiB, and a limit of file sizes), its database "
        "deleted, replaced and made again, its log given bad rows, one item patched through two "
        "processes at once; batch parts are emptied, cut, exchanged, copied, and bits flipped.",
        "; ".join(
            f"{name}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
            for name, counts in found.items()
        )
        + ".",
    ]
    return Outcome(
        attempts=sum(total[what] for what in tried),
        bad={what: total[what] for what in BAD},
        fine={what: n for what, n in sorted(total.items()) if what not in BAD},
        text=text,
        figures=found,
    )


def main() -> int:
    """Run the attacks, or the part inside of the namespace of a small disk."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--inside", nargs=2, metavar=("ROUNDS", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        counts: Counts = Counter()
        for n in range(int(args.inside[0])):
            folder = Path(args.inside[1]) / str(n)
            folder.mkdir()
            full_disk(counts, folder, filled(folder))
            shutil.rmtree(folder)
        print(json.dumps(counts))
        return 0
    found = run(args.seed, args.scale)
    print(json.dumps(found, indent=1))
    return int(any(counts[bad] for counts in found.values() for bad in BAD))


if __name__ == "__main__":
    sys.exit(main())
